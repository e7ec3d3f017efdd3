"""What the commands share that read the topics' history: the span, progress, and the status of a run that cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from operations.audit.reading import ProgressCallback
from operations.audit.time_range import BEGINNING, END, TimeRange, read_moment
from services.common.clock import now

CANNOT_RUN: Final = 2
_FORM: Final = "a duration that counts back from now (90s, 30m, 12h, 7d) or a moment (2026-03-02T09:00+01:00)"
Since = Annotated[str, typer.Option(metavar="MOMENT|DURATION", help=f"From when on: {_FORM}; default the beginning.")]
Until = Annotated[str, typer.Option(metavar="MOMENT|DURATION", help="Until when, likewise; default now.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def cannot_run(text: str) -> NoReturn:
    """Say why on standard error, and end with status 2."""
    typer.echo(f"countersign: {text}", err=True)
    raise typer.Exit(CANNOT_RUN) from None


def read_span(since: str, until: str) -> TimeRange:
    """Read the options of a span; end the command if they are none."""
    at = now()
    try:
        span = TimeRange(read_moment(since, at) if since else BEGINNING, read_moment(until, at) if until else END)
    except (ValueError, OverflowError) as error:
        cannot_run(str(error))
    if span.since >= span.until:
        cannot_run("the span is empty: --since has to be before --until")
    return span


@contextmanager
def progress() -> Iterator[ProgressCallback]:
    """Show on standard error, where that is a terminal, what is being done and how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("connecting", total=None)

        def step(what: str, done: int, total: int) -> None:
            shown.update(task, description=what, completed=done, total=total)

        yield step
