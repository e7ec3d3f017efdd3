"""Simulate seeds: ``python -m lab.simulation --help``."""

import logging
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import Progress

from lab.simulation.world import World

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
CHUNK = 50


@app.command()
def main(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 1000,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many processes.")] = 2,
) -> None:
    """Run owners, copies and commits of a toy service on a broker in memory, in virtual time, with faults."""
    chunks = [range(start, min(start + CHUNK, first + seeds)) for start in range(first, first + seeds, CHUNK)]
    with ProcessPoolExecutor(processes) as pool, Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Seeds", total=seeds)
        for failures in pool.map(run_seeds, chunks):
            progress.advance(task, CHUNK)
            if failures:
                typer.echo(failures[0])
                raise typer.Exit(1)
    typer.echo(f"{seeds} seeds from {first} on: all claims hold.")


def run_seeds(seeds: range) -> list[str]:
    """Run seeds, and return what failed, each with the seed that shows it again."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    failures = []
    for seed in seeds:
        world = World(seed)
        try:
            world.run()
        except Exception:  # noqa: BLE001 - whatever it was, the seed shows it again
            story = "\n".join(world.faults)
            failures.append(f"seed {seed}\n{story}\n{traceback.format_exc(limit=-3)}")
    return failures


if __name__ == "__main__":
    sys.exit(app())
