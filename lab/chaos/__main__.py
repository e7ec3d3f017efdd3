"""Break Countersign in every way that operators see, and check that nothing was lost, doubled or forged."""

import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from deploy.local.instance_process import ServiceStartError
from deploy.local.interruption import interrupt_once
from deploy.local.kafka.broker import KafkaStartError
from lab.chaos.claims.claim import Claim
from lab.chaos.clocks import ClocksMissingError
from lab.chaos.front import FrontMissingError
from lab.chaos.network import NetworkError, enter
from lab.chaos.report import report
from lab.chaos.run import Options, StuckError, run
from lab.chaos.schedule import FaultKind, plan
from operations.kafka_tools import KafkaMissingError
from services.common.telemetry.logs import log_to_file

_CANNOT: Final = (
    ClocksMissingError,
    FrontMissingError,
    KafkaMissingError,
    KafkaStartError,
    NetworkError,
    ServiceStartError,
)
_INTERRUPTED: Final = 130
"""As a shell has it for a program that Ctrl-C ended."""
_SHOWN: Final = 10
"""How many violations of a claim are printed; the report has all."""


def main(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    seed: Annotated[int, typer.Option(help="Decides what is broken, when, and what people do.")] = 1,
    seconds: Annotated[float, typer.Option(min=10, max=24 * 3600, help="How long faults are made.")] = 600,
    most_faults: Annotated[
        int, typer.Option(min=1, help="How many faults are made at most, where that is less than there is time for.")
    ] = 10_000,
    people: Annotated[int, typer.Option(min=1, max=1000, help="How many people sign in.")] = 50,
    pause_seconds: Annotated[
        float, typer.Option(min=0.1, help="How long a person waits on average from one sign-in to the next.")
    ] = 40,
    poison_seconds: Annotated[
        float, typer.Option(min=0.1, help="How long it is on average from one poisoned record to the next.")
    ] = 1,
    brokers: Annotated[int, typer.Option(min=3, max=9, help="Kafka's brokers.")] = 3,
    instances: Annotated[int, typer.Option(min=2, max=9, help="Instances of each service.")] = 2,
    partitions: Annotated[int, typer.Option(min=2, max=64, help="Partitions of each topic.")] = 4,
    only: Annotated[
        list[FaultKind] | None, typer.Option(help="Break only this, and nothing else; can be given several times.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep logs, history and report here; a folder that is not there yet.")
    ] = None,
) -> None:
    """Break Countersign in every way that operators see, and check that nothing was lost, doubled or forged.

    Three brokers and two instances of each service run in a network of their own, people sign in with virtual phones,
    and a random schedule of faults goes on below them. Afterwards all topics are read and held against what browsers
    and phones saw. Exits 0 only if every claim was checked and holds.
    """
    console = Console(highlight=False, soft_wrap=True)
    try:
        enter(sys.argv[1:])
        interrupt_once()
        if keep is not None:
            keep.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix="countersign-chaos-") as temporary:
            options = Options(
                directory=(keep or Path(temporary)).resolve(),
                seed=seed,
                seconds=seconds,
                people=people,
                pause_seconds=pause_seconds,
                poison_seconds=poison_seconds,
                brokers=brokers,
                instances=instances,
                partitions=partitions,
            )
            log_to_file(options.directory / "clients.log")
            faults = islice(plan(seed, only or tuple(FaultKind)), most_faults)
            evidence, claims = run(options, faults, lambda line: console.print(line, markup=False))
            if keep is not None:
                (keep / "report.md").write_text(report(options, evidence, claims))
            # While its folder is there: what goes wrong with that takes nothing from what was found.
            _show(console, claims)
    except FileExistsError:
        console.print(f"{keep} is there already. Name a folder that is not.", style="red", markup=False)
        sys.exit(2)
    except _CANNOT as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(2)
    except StuckError as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Interrupted. All of it was stopped.")
        sys.exit(_INTERRUPTED)
    sys.exit(0 if all(each.holds for each in claims) else 1)


def _show(console: Console, claims: list[Claim]) -> None:
    for claim in claims:
        mark, style = ("holds", "green") if claim.holds else ("DOES NOT HOLD", "red")
        console.print(f"{claim.checked:7}  {claim.text}: {mark}", style=style, markup=False)
        for violation in claim.violations[:_SHOWN]:
            console.print(f"           {violation}", style="red", markup=False)


if __name__ == "__main__":
    typer.run(main)
