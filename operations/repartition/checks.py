"""Preconditions of a repartition."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from operations.deployment import ALL, CHANGELOGS, CONSUMED, groups
from operations.repartition.cluster import Cluster, OffsetRange, topic_partitions
from schemas.topics import Topic, TopicKind

Described = Mapping[str, Sequence[Mapping[str, Any]]]


class RepartitionRefusedError(Exception):
    """A precondition of the repartition failed; nothing was changed. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes:
        title: The check's name.
        finding: The result in words.
        holds: Whether the precondition holds.

    """

    title: str
    finding: str
    holds: bool = True


def groups_of(topic: Topic, prefix: str) -> tuple[str, ...]:
    """Return the consumer groups of the services that read a topic."""
    return tuple(f"{prefix}{name}" for name in groups(topic))


async def check_topics(cluster: Cluster, partitions: int, say: Callable[[Check], None]) -> bool:
    """Run all checks, and report each result at once.

    Args:
        cluster: The connection to Kafka.
        partitions: The new number of partitions.
        say: Takes each result.

    Returns:
        Whether any topic has fewer partitions than that.

    Raises:
        RepartitionRefusedError: At the first check that fails.

    """
    described = await cluster.topics()
    for found in (_topics(cluster, described), _number(cluster, described, partitions), _replicas(described)):
        _require(found, say)
    _require(await check_instances(cluster), say)
    ranges = await cluster.offset_ranges(
        [each for name, found in described.items() for each in topic_partitions(name, len(found))]
    )
    _require(await _everything_is_read(cluster, ranges), say)
    for note in [*await _others_lag(cluster, ranges), _dead_letters(cluster, ranges)]:
        say(note)
    return any(len(found) < partitions for found in described.values())


async def check_instances(cluster: Cluster) -> Check:
    """Check that the services' consumer groups have no members."""
    names = sorted({group for topic in CONSUMED for group in groups_of(topic, cluster.prefix)})
    members = await cluster.members(names)
    if members:
        who = ", ".join(f"{name} ({count})" for name, count in sorted(members.items()))
        text = f"instances run, by their consumer groups: {who}. Stop all; a killed one stays a member for some seconds"
        return Check("Instances", text, holds=False)
    return Check("Instances", f"none runs: the groups {', '.join(names)} have no members")


def _require(check: Check, say: Callable[[Check], None]) -> None:
    say(check)
    if not check.holds:
        raise RepartitionRefusedError(check.finding)


def _topics(cluster: Cluster, described: Described) -> Check:
    missing = [cluster.name(topic) for topic in ALL if cluster.name(topic) not in described]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        text = f"{missing[0]}{more} missing; is the prefix right? `countersign topics apply` creates them"
        return Check("Topics", text, holds=False)
    return Check("Topics", f"all {len(described)} exist")


def _number(cluster: Cluster, described: Described, wanted: int) -> Check:
    counts = {name: len(found) for name, found in described.items()}
    fewest, most = min(counts.values()), max(counts.values())
    if wanted < most:
        text = f"some topics already have {most}, and Kafka cannot remove partitions"
        return Check("Partitions", text, holds=False)
    if fewest == most:
        return Check("Partitions", f"{most} in each topic, {wanted} wanted")
    tables = {counts.pop(cluster.name(topic)) for topic in CHANGELOGS}
    if min(tables) < wanted <= min(counts.values()):
        # If the changelogs grew to this number, all topics would be equal, and unmoved rows would go unnoticed.
        text = f"another tool gave all topics but the changelogs {most}; choose {most + 1} or more, to be safe"
        return Check("Partitions", text, holds=False)
    detail = f"changelogs {min(tables)} to {max(tables)}, all topics {fewest} to {most}"
    return Check("Partitions", f"an earlier run was interrupted ({detail}); this one continues to {wanted}")


def under_replicated(described: Described) -> list[str]:
    """Return the under-replicated partitions as ``TOPIC/PARTITION``."""
    return [
        f"{name}/{each['partition']}"
        for name, found in described.items()
        for each in found
        if each["leader"] < 0 or len(each["isr"]) < len(each["replicas"])
    ]


def _replicas(described: Described) -> Check:
    found = under_replicated(described)
    if found:
        text = f"{len(found)} partitions are under-replicated, for example {found[0]}; wait, or check the brokers"
        return Check("Replicas", text, holds=False)
    return Check("Replicas", "all are in sync")


async def lagging_groups(cluster: Cluster, ranges: Mapping[TopicPartition, OffsetRange]) -> list[str]:
    """Return the services' lag as ``GROUP in TOPIC (COUNT)``, without zeros."""
    lag: Counter[str] = Counter()
    for group in sorted({group for topic in CONSUMED for group in groups_of(topic, cluster.prefix)}):
        read = {cluster.name(topic) for topic in CONSUMED if group in groups_of(topic, cluster.prefix)}
        committed = await cluster.committed(group)
        for partition, offsets in ranges.items():
            if partition.topic in read:
                lag[f"{group} in {partition.topic}"] += offsets.unread(committed.get(partition))
    return [f"{where} ({count})" for where, count in sorted(lag.items()) if count]


async def _everything_is_read(cluster: Cluster, ranges: Mapping[TopicPartition, OffsetRange]) -> Check:
    left = await lagging_groups(cluster, ranges)
    if left:
        text = f"records are unread: {', '.join(left[:5])}. Start the services, let them catch up, stop them (SIGTERM)"
        return Check("Lag", text, holds=False)
    return Check("Lag", "the services have read all records")


async def _others_lag(cluster: Cluster, ranges: Mapping[TopicPartition, OffsetRange]) -> Sequence[Check]:
    ours = sorted({group for topic in CONSUMED for group in groups_of(topic, cluster.prefix)})
    found = []
    for group in await cluster.other_groups(ours):
        committed = await cluster.committed(group)
        count = sum(ranges[each].unread(offset) for each, offset in committed.items() if each in ranges)
        if count:
            text = (
                f"group {group} has {count} unread records; across the change it may read a key's events out of order"
            )
            found.append(Check("Note", text))
    return found


def _dead_letters(cluster: Cluster, ranges: Mapping[TopicPartition, OffsetRange]) -> Check:
    return Check("Dead letters", ", ".join(_dead_letter_counts(cluster, ranges)) or "none")


def _dead_letter_counts(cluster: Cluster, ranges: Mapping[TopicPartition, OffsetRange]) -> Iterator[str]:
    for topic in ALL:
        if topic.kind is TopicKind.DEAD_LETTER:
            name = cluster.name(topic)
            count = sum(offsets.end - offsets.begin for place, offsets in ranges.items() if place.topic == name)
            if count:
                yield f"{count} in {name}"
