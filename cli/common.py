"""Options, errors and progress bars that the commands share."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from authenticator.device.commands import CANNOT_RUN
from operations.audit.reading import ProgressCallback
from operations.audit.time_range import BEGINNING, END, TimeRange, read_moment
from services.common.clock import now
from services.common.kafka.connection import KafkaConnection, read_connection
from services.common.kafka.security import ConnectionSettingsError


def _read_connection(bootstrap: str) -> KafkaConnection:
    try:
        return read_connection(bootstrap)
    except ConnectionSettingsError as error:
        cannot_run(str(error))


Kafka = Annotated[
    KafkaConnection,
    typer.Option(
        "--kafka",
        envvar="LOGIN_KAFKA_BOOTSTRAP",
        metavar="HOST:PORT",
        parser=_read_connection,
        help="Kafka's address; KAFKA_SECURITY_PROTOCOL and its like protect the connection.",
    ),
]
Prefix = Annotated[
    str, typer.Option("--topic-prefix", envvar="LOGIN_TOPIC_PREFIX", help="Prefix of the topics' names.")
]
DEFAULT_KAFKA: Final[Any] = "localhost:9092"
"""As it would be typed; the option's parser reads it as well."""
Directory = Annotated[
    Path,
    typer.Option("--secrets-directory", envvar="LOGIN_SECRETS_DIRECTORY", help="Directory of the services' keys."),
]
DEFAULT_DIRECTORY = Path(".run/secrets")
_FORMAT: Final = "a duration before now (90s, 30m, 12h, 7d) or a moment (2026-03-02T09:00+01:00)"
Since = Annotated[str, typer.Option(metavar="MOMENT|DURATION", help=f"Start: {_FORMAT}; default the beginning.")]
Until = Annotated[str, typer.Option(metavar="MOMENT|DURATION", help="End, in the same format; default now.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
LONGEST_LINE: Final = 64 * 1024


def read_line() -> str:
    """Return standard input's first line, UTF-8 with or without a byte order mark; exit with status 2 if it is none."""
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    try:
        return line.removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        cannot_run("standard input is not UTF-8")


def give_up(text: str) -> NoReturn:
    """Print an error, and exit with status 1."""
    typer.echo(f"countersign: {text}", err=True)
    raise typer.Exit(1) from None


def cannot_run(text: str) -> NoReturn:
    """Print an error, and exit with status 2."""
    typer.echo(f"countersign: {text}", err=True)
    raise typer.Exit(CANNOT_RUN) from None


def read_time_range(since: str, until: str) -> TimeRange:
    """Parse the options of a time range; exit with status 2 if they are invalid."""
    at = now()
    try:
        time_range = TimeRange(read_moment(since, at) if since else BEGINNING, read_moment(until, at) if until else END)
    except (ValueError, OverflowError) as error:
        cannot_run(str(error))
    if time_range.since >= time_range.until:
        cannot_run("the time range is empty: --since must be before --until")
    return time_range


@contextmanager
def progress() -> Iterator[ProgressCallback]:
    """Display progress on standard error if that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as display:
        task = display.add_task("connecting", total=None)

        def update(step: str, done: int, total: int) -> None:
            display.update(task, description=step, completed=done, total=total)

        yield update
