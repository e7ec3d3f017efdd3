"""The repartition: grows the changelogs, moves their rows, verifies them, and grows the other topics."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final, Protocol

from operations.deployment import ALL, CHANGELOGS
from operations.repartition.changelog_rows import ChangelogRows, RowPlacement
from operations.repartition.checks import Described, check_instances
from operations.repartition.cluster import Cluster, topic_partitions
from operations.repartition.owner import ChangelogOwner, NotOwnerError
from schemas.topics import Topic
from services.common.kafka.kafka_watch import TOPICS_SECONDS
from services.common.kafka.topic_facts import read_topic_facts

BATCH_ROWS: Final = 500
"""Number of rows that are written before their old copies are deleted."""


class UnfinishedError(Exception):
    """The repartition stopped half-way; running the same command again finishes it. The text says why it stopped."""


class Screen(Protocol):
    """Displays progress."""

    def say(self, text: str) -> None:
        """Print a line."""

    def start(self, title: str, total: int) -> Callable[[int], None]:
        """Start a progress bar, and return a function that advances it by a number of records or rows."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """The result for one changelog.

    Attributes:
        topic: Its full name.
        rows: The number of its rows.
        moved: The number of rows that were, or would be, written to another partition.

    """

    topic: str
    rows: int
    moved: int


async def preview(cluster: Cluster, partitions: int, screen: Screen) -> list[MoveResult]:
    """Count the rows that would move; change nothing."""
    described = await cluster.topics()
    served = _served(cluster, described)
    outcomes = []
    for topic in CHANGELOGS:
        name = cluster.name(topic)
        with ChangelogRows(len(described[name])) as rows:
            await _read(cluster, name, rows, screen)
            found = list(map(_moves, rows.placements(partitions, served)))
        outcomes.append(MoveResult(name, len(found), sum(found)))
    return outcomes


async def repartition(cluster: Cluster, partitions: int, screen: Screen) -> list[MoveResult]:
    """Add partitions to all topics; call `checks.check_topics` before. Another call finishes an interrupted one.

    Args:
        cluster: The connection to Kafka.
        partitions: The new number of partitions of each topic.
        screen: Displays progress.

    Returns:
        The result for each changelog.

    Raises:
        UnfinishedError: If an instance was started meanwhile, or the moved rows differ from the original ones.

    """
    served = _served(cluster, await cluster.topics())
    await _grow(cluster, CHANGELOGS, partitions, screen)
    # From here on no instance serves, since each one checks the numbers at its start and periodically. After this
    # pause, an instance that checked just before the growth has checked again and is stopping.
    await asyncio.sleep(2 * TOPICS_SECONDS)
    await _require_none_started(cluster)
    outcomes = [await _move(cluster, cluster.name(topic), partitions, served, screen) for topic in CHANGELOGS]
    await _require_none_started(cluster)
    await _grow(cluster, [topic for topic in ALL if topic not in CHANGELOGS], partitions, screen)
    return outcomes


def _served(cluster: Cluster, described: Described) -> int:
    """Return the number of partitions with which the services ran last: that of the topics that grow last."""
    return min(len(described[cluster.name(topic)]) for topic in ALL if topic not in CHANGELOGS)


async def _grow(cluster: Cluster, topics: list[Topic] | tuple[Topic, ...], partitions: int, screen: Screen) -> None:
    what = "changelogs" if tuple(topics) == CHANGELOGS else "other topics"
    await cluster.grow([cluster.name(topic) for topic in topics], partitions)
    screen.say(f"{len(topics)} {what} have {partitions} partitions")


async def _require_none_started(cluster: Cluster) -> None:
    found = await check_instances(cluster)
    if not found.holds:
        raise UnfinishedError(found.finding)


async def _move(cluster: Cluster, topic: str, partitions: int, served: int, screen: Screen) -> MoveResult:
    with ChangelogRows(partitions) as before, ChangelogRows(partitions) as after:
        await _read(cluster, topic, before, screen)
        facts = await read_topic_facts(cluster.connection, topic)
        before.restore_lost(int(time.time() * 1000), int(facts.compaction_lag_seconds * 1000))
        try:
            owner = await ChangelogOwner.begin(cluster, topic, before.states)
        except NotOwnerError as error:
            raise UnfinishedError(str(error)) from error
        moved = await _write(cluster, owner, before, served, screen)
        await _read(cluster, topic, after, screen)
        rows = _compare(topic, before.placements(partitions, served), after.placements(partitions, served))
    screen.say(f"{topic}: {moved} of {rows} rows moved and verified")
    return MoveResult(topic, rows, moved)


async def _read(cluster: Cluster, topic: str, rows: ChangelogRows, screen: Screen) -> None:
    partitions = len(rows.states)
    ranges = await cluster.offset_ranges(topic_partitions(topic, partitions))
    advance = screen.start(f"reading {topic}", sum(offsets.end - offsets.begin for offsets in ranges.values()))
    async for records in cluster.records(topic, partitions):
        rows.apply(records[0].partition, records)
        advance(len(records))


async def _write(cluster: Cluster, owner: ChangelogOwner, rows: ChangelogRows, served: int, screen: Screen) -> int:
    """Write each row to its target; delete it elsewhere only after Kafka has acknowledged the write."""
    advance = screen.start(f"moving {owner.topic}", rows.count())
    moved, found = 0, rows.placements(len(rows.states), served)
    while batch := list(islice(found, BATCH_ROWS)):
        moving = [row for row in batch if _moves(row)]
        await owner.write(cluster, [(row.target, row.key, row.value) for row in moving])
        await owner.write(cluster, [(leftover, row.key, None) for row in batch for leftover in row.leftovers])
        moved += len(moving)
        advance(len(batch))
    return moved


def _moves(row: RowPlacement) -> bool:
    return not row.in_target


def _compare(topic: str, before: Iterator[RowPlacement], after: Iterator[RowPlacement]) -> int:
    """Compare the rows before and after the move; return their number."""
    count = 0
    for old, new in zip_longest(before, after):
        if old is None or new is None or (old.key, old.value) != (new.key, new.value):
            text = f"{topic} has other rows than before: another program writes to it"
            raise UnfinishedError(text)
        if not new.in_target or new.leftovers:
            text = f"{topic}: a row is still in a wrong partition"
            raise UnfinishedError(text)
        count += 1
    return count
