"""A deployment's topics, tables and consumer groups, collected from the services' topologies."""

from typing import Any, Final

from schemas.topics import Topic, TopicKind
from services.common.rows.table import Relay, ServiceTopology, Table
from services.login.tables import TOPOLOGY as LOGIN
from services.pairing.tables import TOPOLOGY as PAIRING
from services.push.tables import TOPOLOGY as PUSH

TOPOLOGIES: Final[tuple[ServiceTopology, ...]] = (LOGIN, PAIRING, PUSH)
TABLES: Final[tuple[Table[Any], ...]] = tuple(table for each in TOPOLOGIES for table in each.tables)
RELAYS: Final[tuple[Relay, ...]] = tuple(relay for each in TOPOLOGIES for relay in each.relays)
CHANGELOGS: Final[tuple[Topic, ...]] = tuple(table.changelog for table in TABLES)
CONSUMED: Final[tuple[Topic, ...]] = tuple(dict.fromkeys(topic for each in TOPOLOGIES for topic in each.consumes))
"""The topics that services must process; each has a dead-letter topic."""
EVENTS: Final[tuple[Topic, ...]] = tuple(
    sorted(
        {topic for each in TOPOLOGIES for topic in (*each.consumes, *each.writes, *each.reads)},
        key=lambda topic: (topic.kind is TopicKind.COMMAND, -(topic.retention_seconds or 0), topic.name),
    )
)
"""The topics of events and of commands, in this order, without changelogs and dead letters."""
ALL: Final[tuple[Topic, ...]] = (*EVENTS, *CHANGELOGS, *(topic.dead_letter for topic in CONSUMED))


def writers(topic: Topic) -> tuple[str, ...]:
    """Return the services that write to a topic."""
    return tuple(each.service for each in TOPOLOGIES if topic in (*each.writes, *each.changelogs, *each.dead_letters))


def readers(topic: Topic) -> tuple[str, ...]:
    """Return the services that read a topic."""
    return tuple(each.service for each in TOPOLOGIES if topic in each.reads or topic in each.changelogs)


def groups(topic: Topic) -> tuple[str, ...]:
    """Return the consumer groups that read a topic, without the deployment's prefix."""
    return tuple(name for each in TOPOLOGIES for name, topics in each.groups.items() if topic in topics)
