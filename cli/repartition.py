"""``countersign topics repartition``: add partitions to topics with data, and move their rows."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final, NoReturn

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.common import DEFAULT_KAFKA, Kafka, Prefix, give_up
from operations.repartition.checks import Check, RepartitionRefusedError, check_topics
from operations.repartition.cluster import UnreachableError, cluster
from operations.repartition.moving import MoveResult, UnfinishedError, preview
from operations.repartition.moving import repartition as work
from operations.topics import TopicsError

UNFINISHED_STATUS: Final = 3
MOST_PARTITIONS: Final = 1000
_NEXT: Final = """Done. Next:
  1. Start all services with {count} partitions: LOGIN_PARTITIONS, PAIRING_PARTITIONS, PUSH_PARTITIONS={count}
     (make run PARTITIONS={count}; docker compose: PARTITIONS={count}). With another number, they refuse to serve.
  2. countersign topics check --partitions {count}, with the deployment's --replication
The instances' data directories stay valid."""

_ROWS_NOT_MOVED: Final = (
    "all topics have {count} partitions, but rows are in the partitions of a smaller number: another tool added "
    "partitions. --partitions {more} moves the rows"
)


class _Bars:
    """Displays progress: bars in a terminal, lines everywhere."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, text: str) -> None:
        """Print a line."""
        self._progress.console.print(text, markup=False)

    def start(self, title: str, total: int) -> Callable[[int], None]:
        """Replace the current bar by a new one, and return the function that advances it."""
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        task = self._progress.add_task(title, total=total)
        return lambda count: self._progress.advance(task, count)


def repartition(
    *,
    partitions: Annotated[
        int, typer.Option(min=1, max=MOST_PARTITIONS, help="The new number of partitions of each topic.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count only; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Add partitions to all topics, and move each row to its key's new partition. Stop all services first.

    The command checks its preconditions first, deletes no topic and no event, and resumes after any interruption.

    Exit code 0: done. 1: a check failed, nothing was changed. 3: stopped half-way; run it again.
    """
    console = Console(highlight=False, soft_wrap=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    begun = False

    async def run() -> list[MoveResult]:
        nonlocal begun
        async with cluster(kafka, topic_prefix) as connected:
            needed = await check_topics(connected, partitions, lambda check: _show(console, check))
            if needed and not dry_run and not yes:
                typer.confirm(f"Change all topics to {partitions} partitions now?", abort=True)
            begun = needed and not dry_run
            with Progress(*columns, console=console, transient=True) as progress:
                outcomes = await (work if begun else preview)(connected, partitions, _Bars(progress))
            if not needed and any(outcome.moved for outcome in outcomes):
                raise RepartitionRefusedError(_ROWS_NOT_MOVED.format(count=partitions, more=partitions + 1))
            return outcomes

    try:
        outcomes = asyncio.run(run())
    except (RepartitionRefusedError, UnreachableError, UnfinishedError, TopicsError, KafkaError, TimeoutError) as error:
        _stop(str(error) or repr(error), begun=begun)
    except KeyboardInterrupt:
        _stop("interrupted", begun=begun)
    if not begun:
        for outcome in outcomes:
            console.print(f"{outcome.topic}: {outcome.moved} of {outcome.rows} rows to move", markup=False)
        console.print("All checks passed. Nothing was changed.")
        return
    console.print(_NEXT.format(count=partitions), markup=False)


def _show(console: Console, check: Check) -> None:
    console.print(f"{check.title:<13} {check.finding if check.holds else 'NO'}", markup=False)


def _stop(why: str, *, begun: bool) -> NoReturn:
    if not begun:
        give_up(f"{why.rstrip('.')}. Nothing was changed.")
    typer.echo(
        f"countersign: stopped half-way: {why}. Run the same command again; no service serves until then.", err=True
    )
    raise typer.Exit(UNFINISHED_STATUS) from None
