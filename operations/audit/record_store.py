"""What was read from Kafka, in a database on the disk: memory stays small however long the history is."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from operations.audit.time_range import BEGINNING
from schemas.base import Message
from schemas.codec import Event, Headers, UndecodableError, decode
from schemas.topics import Topic
from services.common.kafka.partitions import is_misrouted

SLACK: Final = timedelta(minutes=1)
"""How far the clocks of instances may be apart."""
MARGIN: Final = timedelta(hours=1)
"""Events are read from so long before the span on; one that was decided later than that cannot be checked."""
_SCHEMA: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE records (
        topic TEXT, partition INTEGER, place INTEGER, at INTEGER, key BLOB, value BLOB, headers TEXT, event_id TEXT,
        PRIMARY KEY (topic, partition, place)
    ) WITHOUT ROWID;
    CREATE INDEX by_key ON records (topic, key, partition, place);
    CREATE INDEX by_event ON records (event_id, topic);
"""
_COLUMNS: Final = "topic, partition, place, at, key, value, headers"
_Columns = tuple[str, int, int, int, bytes | None, bytes | None, str]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record of some topic.

    Attributes:
        topic: The topic's name without the deployment's prefix.
        partition: Its partition.
        offset: Its offset.
        at: Kafka's time of it, to the millisecond.
        key: Its key.
        value: Its value; None for a row that was deleted.
        headers: Its headers.

    """

    topic: str
    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Headers = field(repr=False)

    def event(self) -> Event[Message]:
        """Decode it.

        Raises:
            UndecodableError: If it is not a message of ours.

        """
        return decode(self.key, self.value, self.headers)

    @property
    def readable(self) -> bool:
        """True if it is a message of ours."""
        try:
            self.event()
        except UndecodableError:
            return False
        return True


class RecordStore:
    """The records of some topics, and how far they reach.

    Attributes:
        database: The database; others keep what they find out beside the records.
        whole_since: From when on all records of a topic's partition are there: the beginning of time, or the time of
            the first one that Kafka still had, or that was asked for.
        settled: The committed offset of a service in a topic's partition: what comes before it was decided, its row
            and all that it led to were in Kafka before it was committed.
        partitions: How many partitions each topic has.

    """

    def __init__(self, path: Path | None = None) -> None:
        """Make it.

        Args:
            path: The database's file; None keeps it in memory.

        """
        self.database = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self.database.executescript(_SCHEMA)
        self.whole_since: dict[tuple[str, int], datetime] = {}
        self.settled: dict[tuple[str, str, int], int] = {}
        self.partitions = 1

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def add(self, records: Iterable[StoredRecord]) -> None:
        """Keep records."""
        self.database.executemany(
            "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_columns, records)
        )

    def count(self, topic: Topic) -> int:
        """Return how many records of a topic there are."""
        found: int = self.database.execute("SELECT count(*) FROM records WHERE topic = ?", (topic.name,)).fetchone()[0]
        return found

    def records(self, topic: Topic) -> Iterator[StoredRecord]:
        """Give the records of a topic, partition by partition, in order."""
        return self._select("topic = ? ORDER BY partition, place", topic.name)

    def by_key(self, topic: Topic) -> Iterator[StoredRecord]:
        """Give the records of a topic, key by key, in order."""
        return self._select("topic = ? ORDER BY key, partition, place", topic.name)

    def of_key(self, topics: Sequence[Topic], key: bytes) -> list[StoredRecord]:
        """Return the records of a key in some topics."""
        return [
            each for topic in topics for each in self._select("topic = ? AND key = ?", topic.name, key, index="by_key")
        ]

    def of_event(self, topics: Sequence[Topic], event_id: str) -> list[StoredRecord]:
        """Return the records of an event in some topics, the first one first; repeats of it are among them."""
        found = [
            each
            for topic in topics
            for each in self._select("event_id = ? AND topic = ?", event_id, topic.name, index="by_event")
        ]
        return sorted(found, key=lambda each: (each.at, each.partition, each.offset))

    def first_of(self, topics: Sequence[Topic], event_id: str) -> StoredRecord | None:
        """Return the first record of an event that is a message of ours; of several that are none, the first one."""
        found = self.of_event(topics, event_id)
        readable = (each for each in found if each.readable) if len(found) > 1 else iter(found)
        return next(readable, found[0] if found else None)

    def at(self, topic: str, partition: int, offset: int) -> StoredRecord:
        """Return the record at a place, which must be there."""
        return next(self._select("topic = ? AND partition = ? AND place = ?", topic, partition, offset))

    def is_astray(self, record: StoredRecord) -> bool:
        """Tell whether a record is in another partition than its key's, where its key's owner never looks."""
        return is_misrouted(record.key or b"", record.partition, self.partitions)

    def missing(self, topic: Topic, partition: int, after: int, before: int) -> int:
        """Return how many records between two offsets are not there any more, because newer ones replaced them."""
        there: int = self.database.execute(
            "SELECT count(*) FROM records WHERE topic = ? AND partition = ? AND place > ? AND place < ?",
            (topic.name, partition, after, before),
        ).fetchone()[0]
        return before - after - 1 - there

    def compacted(self, topic: Topic) -> bool:
        """Tell whether any record of a topic is not there any more."""
        ends = self.database.execute(
            "SELECT count(*), max(place) FROM records WHERE topic = ? GROUP BY partition", (topic.name,)
        )
        return any(count <= last for count, last in ends)

    def covers(self, topics: Sequence[Topic], at: datetime, partition: int | None = None) -> bool:
        """Tell whether a record of a time must be there, if there ever was one.

        Args:
            topics: Where it would be, in any of them.
            at: Its time.
            partition: Its partition, None if that is not known.

        """
        names = {topic.name for topic in topics}
        floors = (
            moment
            for (name, number), moment in self.whole_since.items()
            if name in names and partition in {None, number}
        )
        return all(moment == BEGINNING or moment + SLACK <= at for moment in floors)

    def is_settled(self, service: str, record: StoredRecord) -> bool:
        """Tell whether a service has committed a record."""
        return record.offset < self.settled.get((service, record.topic, record.partition), 0)

    def _select(self, condition: str, *values: object, index: str = "") -> Iterator[StoredRecord]:
        # Unless it is told, the database would rather go through a whole topic than look a key or an event up.
        using = f"INDEXED BY {index}" if index else ""
        query = f"SELECT {_COLUMNS} FROM records {using} WHERE {condition}"  # noqa: S608 - the conditions are those above
        return map(_stored, self.database.execute(query, values))


def _columns(record: StoredRecord) -> tuple[object, ...]:
    headers = json.dumps([(name, value.decode("latin-1")) for name, value in record.headers])
    event_id = dict(record.headers).get("ce_id", b"").decode(errors="replace")
    milliseconds = int(record.at.timestamp() * 1000)
    place = (record.topic, record.partition, record.offset, milliseconds)
    return (*place, record.key, record.value, headers, event_id)


def _stored(columns: _Columns) -> StoredRecord:
    topic, partition, place, milliseconds, key, value, headers = columns
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return StoredRecord(
        topic, partition, place, at, key, value, [(name, text.encode("latin-1")) for name, text in json.loads(headers)]
    )
