"""Simulate seeds: ``make simulate SEEDS=1000``, or ``python -m lab.simulation --help``."""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from lab.simulation.story import silence, tell
from lab.simulation.world import World

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
CHUNK: Final = 25
LAST_LINES: Final = 25
HASH_SEED: Final = "PYTHONHASHSEED"


@app.command()
def main(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 1000,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many processes.")] = os.cpu_count() or 1,
    fault: Annotated[
        list[str] | None, typer.Option(help="Let only this kind of fault happen; can be given several times.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the story of a failing seed is written.")] = Path(
        ".run/simulation"
    ),
) -> None:
    """Run the consumer, owners, copies and publisher of a toy service on a broker in memory, in virtual time.

    Each seed decides what happens: instances are killed, paused and put out of their group, requests come late or never
    get an answer, logs are compacted. The claims in lab/simulation/claims.py are checked at each step. The first seed
    that breaks one is written down, with all that happened in it; the same seed plays the same again.
    """
    if os.environ.get(HASH_SEED) != "0":
        # The order of sets, and of what hangs on it, is the same in each run then.
        command = [sys.executable, "-m", "lab.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, HASH_SEED: "0"})  # noqa: S606 - it is this program
    started = time.monotonic()
    kinds = tuple(fault or ())
    failing = _first_failing(range(first, first + seeds), kinds, processes)
    seconds = time.monotonic() - started
    if failing is not None:
        story = tell(failing, kinds)
        path = folder / f"seed-{failing}.log"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(story) + "\n")
        typer.echo("\n".join(story[-LAST_LINES:]))
        typer.echo(f"\nSeed {failing} breaks a claim. All of it is in {path}.")
        options = "".join(f" --fault {kind}" for kind in kinds)
        typer.echo(f"It plays again with: python -m lab.simulation --first {failing} --seeds 1{options}")
        raise typer.Exit(1)
    typer.echo(f"{seeds} seeds from {first} on: all claims hold ({seeds / seconds * 60:.0f} seeds a minute).")


def _first_failing(seeds: range, kinds: Sequence[str], processes: int) -> int | None:
    """Run seeds, and return the first one that breaks a claim, or None."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(processes) as pool, Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Seeds", total=len(seeds))
        for chunk, failing in zip(chunks, pool.map(partial(failing_seed, kinds), chunks), strict=True):
            progress.advance(task, len(chunk))
            if failing is not None:
                pool.shutdown(cancel_futures=True)
                return failing
    return None


def failing_seed(kinds: Sequence[str], seeds: range) -> int | None:
    """Return the first of some seeds that breaks a claim, or None."""
    silence()
    for seed in seeds:
        try:
            World(seed, kinds).run()
        except Exception:  # noqa: BLE001 - whatever it was, the seed shows it again
            return seed
    return None


if __name__ == "__main__":
    sys.exit(app())
