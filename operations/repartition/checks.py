"""What must hold before a deployment's topics get more partitions."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from operations.deployment import ALL, CHANGELOGS, CONSUMED, groups
from operations.repartition.cluster import Cluster, Span, places
from schemas.topics import Topic, TopicKind

Described = Mapping[str, Sequence[Mapping[str, Any]]]


class RepartitionRefusedError(Exception):
    """Something keeps the topics from getting more partitions; nothing more was changed. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        title: What.
        finding: What was found.
        holds: Whether that will do.

    """

    title: str
    finding: str
    holds: bool = True


def groups_of(topic: Topic, prefix: str) -> tuple[str, ...]:
    """Return the consumer groups of the services that read a topic."""
    return tuple(f"{prefix}{name}" for name in groups(topic))


async def look(cluster: Cluster, partitions: int, say: Callable[[Check], None]) -> bool:
    """Look at everything, and say each finding as it is found.

    Args:
        cluster: Where.
        partitions: How many partitions each topic shall have.
        say: Takes each finding.

    Returns:
        Whether any topic has fewer partitions than that.

    Raises:
        RefusedError: At the first finding that will not do.

    """
    described = await cluster.topics()
    for found in (_topics(cluster, described), _number(cluster, described, partitions), _replicas(described)):
        _require(found, say)
    _require(await no_instance_runs(cluster), say)
    spans = await cluster.spans([each for name, found in described.items() for each in places(name, len(found))])
    _require(await _everything_is_read(cluster, spans), say)
    for note in [*await _others_lag(cluster, spans), _dead_letters(cluster, spans)]:
        say(note)
    return any(len(found) < partitions for found in described.values())


async def no_instance_runs(cluster: Cluster) -> Check:
    """Look for members of the services' consumer groups."""
    names = sorted({group for topic in CONSUMED for group in groups_of(topic, cluster.prefix)})
    members = await cluster.members(names)
    if members:
        who = ", ".join(f"{name} ({count})" for name, count in sorted(members.items()))
        text = f"instances run, by their consumer groups: {who}. Stop all; a killed one counts for seconds more"
        return Check("Instances", text, holds=False)
    return Check("Instances", f"none runs: the groups {', '.join(names)} have no member")


def _require(check: Check, say: Callable[[Check], None]) -> None:
    say(check)
    if not check.holds:
        raise RepartitionRefusedError(check.finding)


def _topics(cluster: Cluster, described: Described) -> Check:
    missing = [cluster.name(topic) for topic in ALL if cluster.name(topic) not in described]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        text = f"{missing[0]}{more} missing; is the prefix right? `countersign topics apply` makes them"
        return Check("Topics", text, holds=False)
    return Check("Topics", f"all {len(described)} are there")


def _number(cluster: Cluster, described: Described, wanted: int) -> Check:
    counts = {name: len(found) for name, found in described.items()}
    fewest, most = min(counts.values()), max(counts.values())
    if wanted < most:
        text = f"some topics have {most} already, and Kafka takes no partition away: the number only grows"
        return Check("Partitions", text, holds=False)
    if fewest == most:
        return Check("Partitions", f"{most} in each topic, {wanted} wanted")
    tables = {counts.pop(cluster.name(topic)) for topic in CHANGELOGS}
    if min(tables) < wanted <= min(counts.values()):
        # With the changelogs grown all would be equal, and nothing would tell that rows have still to move.
        text = f"all but the changelogs have {most} already, by other hands; take {most + 1} or more, to be safe"
        return Check("Partitions", text, holds=False)
    detail = f"changelogs {min(tables)} to {max(tables)}, all topics {fewest} to {most}"
    return Check("Partitions", f"an earlier run was interrupted ({detail}); this one goes on to {wanted}")


def behind(described: Described) -> list[str]:
    """Return the partitions that are not whole on all their brokers, as ``TOPIC/PARTITION``."""
    return [
        f"{name}/{each['partition']}"
        for name, found in described.items()
        for each in found
        if each["leader"] < 0 or len(each["isr"]) < len(each["replicas"])
    ]


def _replicas(described: Described) -> Check:
    found = behind(described)
    if found:
        text = f"{len(found)} partitions are not whole on all their brokers, for example {found[0]}; wait, or see why"
        return Check("Replicas", text, holds=False)
    return Check("Replicas", "all are in sync")


async def unread(cluster: Cluster, spans: Mapping[TopicPartition, Span]) -> list[str]:
    """Return what the services have still to read, as ``GROUP in TOPIC (COUNT)``."""
    lag: Counter[str] = Counter()
    for group in sorted({group for topic in CONSUMED for group in groups_of(topic, cluster.prefix)}):
        read = {cluster.name(topic) for topic in CONSUMED if group in groups_of(topic, cluster.prefix)}
        committed = await cluster.committed(group)
        for partition, span in spans.items():
            if partition.topic in read:
                lag[f"{group} in {partition.topic}"] += span.unread(committed.get(partition))
    return [f"{where} ({count})" for where, count in sorted(lag.items()) if count]


async def _everything_is_read(cluster: Cluster, spans: Mapping[TopicPartition, Span]) -> Check:
    left = await unread(cluster, spans)
    if left:
        text = f"not all is read: {', '.join(left[:5])}. Start the services, let them read it, stop them (SIGTERM)"
        return Check("Lag", text, holds=False)
    return Check("Lag", "the services have read all there is")


async def _others_lag(cluster: Cluster, spans: Mapping[TopicPartition, Span]) -> Sequence[Check]:
    ours = sorted({group for topic in CONSUMED for group in groups_of(topic, cluster.prefix)})
    found = []
    for group in await cluster.other_groups(ours):
        committed = await cluster.committed(group)
        count = sum(spans[each].unread(offset) for each, offset in committed.items() if each in spans)
        if count:
            text = f"group {group} has {count} records to read; across the change it gets a key's events out of order"
            found.append(Check("Note", text))
    return found


def _dead_letters(cluster: Cluster, spans: Mapping[TopicPartition, Span]) -> Check:
    return Check("Dead letters", ", ".join(_dead_letter_counts(cluster, spans)) or "none")


def _dead_letter_counts(cluster: Cluster, spans: Mapping[TopicPartition, Span]) -> Iterator[str]:
    for topic in ALL:
        if topic.kind is TopicKind.DEAD_LETTER:
            name = cluster.name(topic)
            count = sum(span.end - span.begin for place, span in spans.items() if place.topic == name)
            if count:
                yield f"{count} in {name}"
