"""Measure what a deployment takes and gives: ``python -m lab.load --help``."""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from authenticator.device.commands import Commands
from cli.common import read_line
from deploy.local.instance_process import ServiceStartError
from deploy.local.kafka.broker import KafkaStartError
from deploy.local.stack import Stack, StackOptions
from lab.load.parallel_build import Plan
from lab.load.people import People
from lab.load.processes import FilesLimitError, require_open_files
from lab.load.progress_bar import Bars
from lab.load.reports import starts_report, waiting_report
from lab.load.seed_command import seed
from lab.load.seed_keys import Seed
from lab.load.seeding import SeedingError, hash_for, seed_stack
from lab.load.start_times import measure_starts
from lab.load.streams import StreamError
from lab.load.waiting import Measurement, TooFewPeopleError
from lab.testkit.page import PageError
from operations.kafka_tools import KafkaMissingError
from operations.repartition.cluster import UnreachableError
from operations.topics import TopicsError
from services.common.telemetry.logs import show_warnings_only
from services.login.admin import AdminError

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure what a deployment takes and gives. Needs Linux; other work on the machine disturbs it.",
)
OTHER_FILES: Final = 1000
"""Open files and connections that a process has beside those of people who wait."""
LONGEST_WAIT_SECONDS: Final = 3600
_EXPECTED: Final = (
    AdminError,
    FilesLimitError,
    KafkaMissingError,
    KafkaStartError,
    PageError,
    SeedingError,
    ServiceStartError,
    StreamError,
    TooFewPeopleError,
    TopicsError,
    UnreachableError,
)
console = Console(stderr=True)
app.command()(seed)


@app.command()
def waiting(  # noqa: PLR0913 - the options of a command
    *,
    people: Annotated[int, typer.Option(min=1, help="How many wait for their phones.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, each first without them and then with them.")] = 3,
    sign_ins: Annotated[int, typer.Option(min=2, help="Sign-ins of others that are timed in each half round.")] = 20,
    idle_seconds: Annotated[float, typer.Option(min=1, help="How long no person acts in each half.")] = 20.0,
    first: Annotated[int, typer.Option(min=0, help="The number of the first seeded person to take.")] = 0,
    data: Annotated[
        Path | None, typer.Option(help="The folder of a seeded stack; default one of its own, seeded by this.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the seeded accounts' password from standard input.")
    ] = False,
) -> None:
    """Have people wait on open event streams, and measure what that costs login and the sign-ins of others."""
    if (data is None) == password_stdin:
        _give_up("--data DIR and --password-stdin belong together: seeded accounts have one password")
    if data is None and first:
        _give_up("--first needs --data DIR: a stack of its own has only the people that it takes")
    measurement = Measurement(people, rounds, sign_ins, idle_seconds, first)
    password = read_line() if password_stdin else secrets.token_urlsafe(12)
    environment = {
        "LOGIN_MOST_WAITING": str(people + OTHER_FILES),
        "LOGIN_CHALLENGE_SECONDS": str(LONGEST_WAIT_SECONDS),
        "LOGIN_LOGIN_SECONDS": str(2 * LONGEST_WAIT_SECONDS),
    }
    with _failing_clearly(), Bars(console) as bars, _folder(data) as folder:
        require_open_files(people + OTHER_FILES)
        stack = Stack(StackOptions(folder, environment=environment), bars.step)
        try:
            stack.start_kafka()
            if data is None:
                plan = Plan(Seed(), measurement.needed, measurement.needed, hash_for(stack, password))
                asyncio.run(seed_stack(stack, plan, partial(bars.show, "Making accounts and phones")))
            stack.start_services()
            costs = asyncio.run(measurement.run(People(stack, Seed(), password), bars.show))
        finally:
            stack.stop()
    Console().print(waiting_report(people, *costs))


@app.command()
def starts(
    data: Annotated[Path, typer.Argument(help="The folder of a seeded stack, which does not run.")],
    *,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, each with a cold disk and then with a warm one.")] = 3,
) -> None:
    """Start each service alone, with its disk removed and with its disk, and measure what that takes.

    What is removed is a copy of what Kafka has.
    """
    with _failing_clearly(), Bars(console) as bars:
        stack = Stack(StackOptions(data), bars.step)
        try:
            stack.start_kafka()
            found = list(measure_starts(stack, list(stack.instances), rounds, partial(bars.show, "Starts")))
        finally:
            stack.stop()
    Console().print(starts_report(found))


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """Give the folder, or one that is removed afterwards."""
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="countersign-measure-") as directory:
        yield Path(directory)


@contextmanager
def _failing_clearly() -> Iterator[None]:
    try:
        yield
    except _EXPECTED as error:
        _give_up(str(error))


def _give_up(text: str) -> None:
    typer.echo(text, err=True)
    raise typer.Exit(1) from None


if __name__ == "__main__":
    show_warnings_only()
    app(prog_name="python -m lab.load")
