"""Measure how fast Countersign is: ``python -m lab.bench --help``."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from deploy.local.interruption import interrupt_once
from lab.bench import plots, report
from lab.bench.bare_server import bare_server
from lab.bench.benchmark import Benchmark, Options, Part
from lab.bench.client.process import ClientError, clients
from lab.bench.compare import LEAST_ROUNDS, compare
from lab.bench.deployment import Deployment, DeploymentError
from lab.bench.display import Display
from lab.bench.passes import PassRunner, Times
from lab.bench.results import Comparison, Results, to_json
from lab.bench.trees import OLDEST, TreeError, tree_of, working_tree
from lab.load.processes import FilesLimitError, require_open_files

CLIENTS: Final = 2
AT: Final = (1, 8, 32, 128)
AT_IN_TURNS: Final = (1, 8, 32)
USUAL_PHONES: Final = 1000
USUAL_ACCOUNTS: Final = (1000, 100_000)
FULL_PHONES: Final = 10_000
FULL_ACCOUNTS: Final = (1000, 100_000, 1_000_000)
OTHER_FILES: Final = 1000
_INTERRUPTED: Final = 130
_WIDTH: Final = 150
_CANNOT: Final = (ClientError, DeploymentError, FilesLimitError, TreeError, plots.DocumentError)


def main(  # noqa: PLR0913 - each is an option of the command line
    *,
    revision: Annotated[
        str, typer.Option("--compare", help=f"Measure this revision and the working tree in turns; {OLDEST} or later.")
    ] = "",
    rounds: Annotated[
        int, typer.Option(min=LEAST_ROUNDS, help="With --compare: passes of each that count, at each number at a time.")
    ] = LEAST_ROUNDS,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long the part of a pass is that counts.")] = 8,
    warm_seconds: Annotated[float, typer.Option(min=0, help="How long a pass warms up before that.")] = 4,
    warm_up_seconds: Annotated[float, typer.Option(min=1, help="How long people sign in after each start.")] = 15,
    idle_seconds: Annotated[float, typer.Option(min=0.5, help="How long a look at what is idle is.")] = 20,
    at: Annotated[
        list[int] | None, typer.Option(min=1, max=1000, help="How many sign in at a time; can be given several times.")
    ] = None,
    part: Annotated[list[Part] | None, typer.Option(help="Measure only this; can be given several times.")] = None,
    phones: Annotated[int | None, typer.Option(min=1, max=50_000, help="How many phones wait.")] = None,
    accounts: Annotated[
        list[int] | None, typer.Option(min=1, help="How many accounts there are; can be given several times.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help=f"{FULL_PHONES} phones and a million accounts: an hour instead of minutes.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the stacks' data and logs here; a folder that is not there yet.")
    ] = None,
    write_plots: Annotated[
        bool, typer.Option("--plots", help="Write plots and tables into docs/performance.md.")
    ] = False,
) -> None:
    """Measure how fast Countersign is, each figure beside its floor.

    The services, Kafka and the clients are processes of their own, on data that is removed afterwards. Other work on
    the machine disturbs it; the ratios (x) are disturbed least. Exits 1 if anything failed, whatever the times are.
    """
    interrupt_once()
    console = Console(stderr=True)
    options = Options(
        times=Times(warm_seconds, seconds),
        at=tuple(at or (AT_IN_TURNS if revision else AT)),
        parts=tuple(part or Part),
        phones=phones or (FULL_PHONES if full else USUAL_PHONES),
        accounts=tuple(accounts or (FULL_ACCOUNTS if full else USUAL_ACCOUNTS)),
        idle_seconds=idle_seconds,
        warm_up_seconds=warm_up_seconds,
    )
    try:
        require_open_files(options.phones + OTHER_FILES)
        with (
            _folder(keep) as directory,
            Display(console) as display,
            clients(CLIENTS) as processes,
        ):
            runner = PassRunner(processes, display.show)
            found = (
                compare((working_tree(), tree_of(revision)), options, rounds, directory, runner)
                if revision
                else _measure(options, directory, runner)
            )
        if json_file is not None:
            json_file.write_text(to_json(found))
        if write_plots and isinstance(found, Results):
            plots.write(found)
    except FileExistsError:
        console.print(f"{keep} is there already. Name a folder that is not.", style="red", markup=False)
        sys.exit(2)
    except _CANNOT as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Interrupted. All of it was stopped.")
        sys.exit(_INTERRUPTED)
    _print(found)
    for line in runner.failed:
        console.print(line, style="red", markup=False)
    sys.exit(1 if runner.failed else 0)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Give a new folder that is kept, or one that is removed afterwards."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as temporary:
        yield Path(temporary)


def _measure(options: Options, directory: Path, runner: PassRunner) -> Results:
    with bare_server() as server, Deployment(working_tree(), directory / "stack") as deployment:
        return Benchmark(options, deployment, runner, server).run()


def _print(found: Results | Comparison) -> None:
    console = Console(width=max(_WIDTH, Console().width))
    console.print(str(found.machine), markup=False)
    tables = [report.comparison_table(found)] if isinstance(found, Comparison) else report.tables(found)
    for table in tables:
        console.print(table)


if __name__ == "__main__":
    typer.run(main)
