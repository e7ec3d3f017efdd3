"""The repartition itself: growing the changelogs, moving rows, reading them back, growing the other topics."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final, Protocol

from operations.deployment import ALL, CHANGELOGS
from operations.repartition.changelog_rows import Placed, Rows
from operations.repartition.checks import no_instance_runs
from operations.repartition.cluster import Cluster, places
from schemas.topics import Topic
from services.common.kafka.kafka_watch import TOPICS_SECONDS

BATCH_ROWS: Final = 500
"""So many rows are written before their old copies are deleted."""


class UnfinishedError(Exception):
    """It stopped half-way. The same command, run again, goes on; the text says why it stopped."""


class Screen(Protocol):
    """Shows how far it is."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def start(self, title: str, total: int) -> Callable[[int], None]:
        """Show a piece of work, and return what takes how much of it has been done since the last call."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """What became of one changelog.

    Attributes:
        topic: Its full name.
        rows: How many rows it has.
        moved: How many were, or would be, written to another partition.

    """

    topic: str
    rows: int
    moved: int


async def preview(cluster: Cluster, partitions: int, screen: Screen) -> list[MoveResult]:
    """Count what would move, changing nothing."""
    described = await cluster.topics()
    outcomes = []
    for topic in CHANGELOGS:
        name = cluster.name(topic)
        with Rows() as rows:
            await _read(cluster, name, len(described[name]), rows, screen)
            found = list(map(_moves, rows.placed(partitions)))
        outcomes.append(MoveResult(name, len(found), sum(found)))
    return outcomes


async def repartition(cluster: Cluster, partitions: int, screen: Screen) -> list[MoveResult]:
    """Give all topics more partitions, after `checks.look`. Doing it again finishes what was interrupted.

    Args:
        cluster: Where.
        partitions: How many partitions each topic shall have.
        screen: Shows progress.

    Returns:
        What became of each changelog.

    Raises:
        UnfinishedError: If an instance was started meanwhile, or what is there now is not what was there before.

    """
    await _grow(cluster, CHANGELOGS, partitions, screen)
    # From here on no instance serves: each looks at the numbers when it starts, and again and again. One that looked
    # just before has now looked again, and is on its way out.
    await asyncio.sleep(2 * TOPICS_SECONDS)
    await _require_none_started(cluster)
    outcomes = [await _move(cluster, cluster.name(topic), partitions, screen) for topic in CHANGELOGS]
    await _require_none_started(cluster)
    await _grow(cluster, [topic for topic in ALL if topic not in CHANGELOGS], partitions, screen)
    return outcomes


async def _grow(cluster: Cluster, topics: list[Topic] | tuple[Topic, ...], partitions: int, screen: Screen) -> None:
    what = "changelogs" if tuple(topics) == CHANGELOGS else "other topics"
    await cluster.grow([cluster.name(topic) for topic in topics], partitions)
    screen.say(f"{len(topics)} {what} have {partitions} partitions")


async def _require_none_started(cluster: Cluster) -> None:
    found = await no_instance_runs(cluster)
    if not found.holds:
        raise UnfinishedError(found.finding)


async def _move(cluster: Cluster, topic: str, partitions: int, screen: Screen) -> MoveResult:
    with Rows() as before, Rows() as after:
        await _read(cluster, topic, partitions, before, screen)
        moved = await _write(cluster, topic, before, partitions, screen)
        await _read(cluster, topic, partitions, after, screen)
        rows = _compare(topic, before, after, partitions)
    screen.say(f"{topic}: {moved} of {rows} rows moved, read back")
    return MoveResult(topic, rows, moved)


async def _read(cluster: Cluster, topic: str, partitions: int, rows: Rows, screen: Screen) -> None:
    spans = await cluster.spans(places(topic, partitions))
    advance = screen.start(f"reading {topic}", sum(span.end - span.begin for span in spans.values()))
    async for records in cluster.records(topic, partitions):
        for record in records:
            rows.apply(record)
        advance(len(records))


async def _write(cluster: Cluster, topic: str, rows: Rows, partitions: int, screen: Screen) -> int:
    """Write each row to its home, and only when Kafka has it, delete it elsewhere."""
    advance = screen.start(f"moving {topic}", rows.count())
    moved, found = 0, rows.placed(partitions)
    while batch := list(islice(found, BATCH_ROWS)):
        moving = [row for row in batch if _moves(row)]
        await cluster.write(topic, [(row.home, row.key, row.value) for row in moving])
        await cluster.write(topic, [(stray, row.key, None) for row in batch for stray in row.strays])
        moved += len(moving)
        advance(len(batch))
    return moved


def _moves(row: Placed) -> bool:
    return not row.at_home


def _compare(topic: str, before: Rows, after: Rows, partitions: int) -> int:
    """Hold the rows that are there to those that were there; return how many they are."""
    count = 0
    for old, new in zip_longest(before.placed(partitions), after.placed(partitions)):
        if old is None or new is None or (old.key, old.value) != (new.key, new.value):
            text = f"{topic} has other rows than before: something else writes there"
            raise UnfinishedError(text)
        if not new.at_home or new.strays:
            text = f"{topic}: a row is still where it does not belong"
            raise UnfinishedError(text)
        count += 1
    return count
