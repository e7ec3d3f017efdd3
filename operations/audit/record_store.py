"""Stores the records of topics in a database on disk, so that memory stays small for any length of history."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from operations.audit.time_range import BEGINNING
from operations.changelogs import judge_records
from schemas.base import Message
from schemas.codec import Event, Headers, UndecodableError, decode
from schemas.topics import Topic
from services.common.kafka.partitions import is_misrouted

SLACK: Final = timedelta(minutes=1)
"""Maximum clock skew between instances."""
MARGIN: Final = timedelta(hours=1)
"""Events are read from this long before the time range; an event that was decided later than that is unchecked."""
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE records (
        topic TEXT, partition INTEGER, record_offset INTEGER, at INTEGER, key BLOB, value BLOB, headers TEXT,
        event_id TEXT,
        PRIMARY KEY (topic, partition, record_offset)
    ) WITHOUT ROWID;
    CREATE INDEX by_key ON records (topic, key, partition, record_offset);
    CREATE INDEX by_event ON records (event_id, topic);
    CREATE TABLE uncounted (
        topic TEXT, partition INTEGER, record_offset INTEGER, PRIMARY KEY (topic, partition, record_offset)
    ) WITHOUT ROWID;
"""
_COLUMNS: Final = "topic, partition, record_offset, at, key, value, headers"
_Columns = tuple[str, int, int, int, bytes | None, bytes | None, str]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record of a topic.

    Attributes:
        topic: The topic's name without the deployment's prefix.
        partition: Its partition.
        offset: Its offset.
        at: Its Kafka timestamp, to the millisecond.
        key: Its key.
        value: Its value; None for a tombstone.
        headers: Its headers.

    """

    topic: str
    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Headers = field(repr=False)

    @property
    def timestamp(self) -> int:
        """Its Kafka timestamp, Unix time in milliseconds."""
        return (self.at - _UNIX_EPOCH) // timedelta(milliseconds=1)

    def event(self) -> Event[Message]:
        """Decode the record.

        Raises:
            UndecodableError: If it is not a valid message.

        """
        return decode(self.key, self.value, self.headers, self.timestamp)

    @property
    def readable(self) -> bool:
        """True if it is a valid message."""
        try:
            self.event()
        except UndecodableError:
            return False
        return True


class RecordStore:
    """The records of some topics, and how complete they are.

    Attributes:
        database: The database, which also holds the intermediate results of the audit.
        complete_since: By topic and partition, the time from which all records are present: the beginning of time, or
            the time of the first record in Kafka or in the time range.
        committed_offsets: By service, topic and partition, the committed offset. Events before it are decided, and
            their rows and messages are in Kafka.
        partitions: The number of partitions of each topic.

    """

    def __init__(self, path: Path | None = None) -> None:
        """Create the store in a database file; None keeps it in memory."""
        self.database = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self.database.executescript(_SCHEMA)
        self.complete_since: dict[tuple[str, int], datetime] = {}
        self.committed_offsets: dict[tuple[str, str, int], int] = {}
        self.partitions = 1

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def add(self, records: Iterable[StoredRecord]) -> None:
        """Add records."""
        self.database.executemany(
            "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_columns, records)
        )

    def count(self, topic: Topic) -> int:
        """Return the number of records of a topic."""
        count: int = self.database.execute("SELECT count(*) FROM records WHERE topic = ?", (topic.name,)).fetchone()[0]
        return count

    def records(self, topic: Topic) -> Iterator[StoredRecord]:
        """Yield the records of a topic, by partition and offset."""
        return self._select("topic = ? ORDER BY partition, record_offset", topic.name)

    def by_key(self, topic: Topic) -> Iterator[StoredRecord]:
        """Yield the records of a topic, by key, partition and offset."""
        return self._select("topic = ? ORDER BY key, partition, record_offset", topic.name)

    def judge_rows(self, changelog: Topic) -> None:
        """Judge which records of a changelog count, once all are here."""
        for partition, records in groupby(self.records(changelog), key=lambda record: record.partition):
            judged = judge_records(records, partition, self.partitions)
            self.database.executemany(
                "INSERT INTO uncounted VALUES (?, ?, ?)",
                ((each.topic, each.partition, each.offset) for each, counts in judged if not counts),
            )

    def counts(self, record: StoredRecord) -> bool:
        """Return whether a record of a changelog, which was judged, is a row or a tombstone that counts."""
        place = (record.topic, record.partition, record.offset)
        condition = "topic = ? AND partition = ? AND record_offset = ?"
        found = self.database.execute(f"SELECT 1 FROM uncounted WHERE {condition}", place)  # noqa: S608 - the one above
        return found.fetchone() is None

    def of_key(self, topics: Sequence[Topic], key: bytes) -> list[StoredRecord]:
        """Return the records of a key in some topics."""
        return [
            each for topic in topics for each in self._select("topic = ? AND key = ?", topic.name, key, index="by_key")
        ]

    def of_event(self, topics: Sequence[Topic], event_id: str) -> list[StoredRecord]:
        """Return the records of an event in some topics, repeats included, in the order of time."""
        found = [
            each
            for topic in topics
            for each in self._select("event_id = ? AND topic = ?", event_id, topic.name, index="by_event")
        ]
        return sorted(found, key=lambda each: (each.at, each.partition, each.offset))

    def first_of(self, topics: Sequence[Topic], event_id: str) -> StoredRecord | None:
        """Return the first valid record of an event; without a valid one, the first record."""
        records = self.of_event(topics, event_id)
        readable = (each for each in records if each.readable) if len(records) > 1 else iter(records)
        return next(readable, records[0] if records else None)

    def at(self, topic: str, partition: int, offset: int) -> StoredRecord:
        """Return the record at a position, which must exist."""
        return next(self._select("topic = ? AND partition = ? AND record_offset = ?", topic, partition, offset))

    def is_misrouted(self, record: StoredRecord) -> bool:
        """Return whether a record is in another partition than its key's."""
        return is_misrouted(record.key or b"", record.partition, self.partitions)

    def count_compacted(self, topic: Topic, partition: int, after: int, before: int) -> int:
        """Return the number of compacted records between two offsets."""
        (count,) = self.database.execute(
            "SELECT count(*) FROM records "
            "WHERE topic = ? AND partition = ? AND record_offset > ? AND record_offset < ?",
            (topic.name, partition, after, before),
        ).fetchone()
        return before - after - 1 - int(count)

    def has_compacted(self, topic: Topic) -> bool:
        """Return whether any record of a topic was compacted."""
        ends = self.database.execute(
            "SELECT count(*), max(record_offset) FROM records WHERE topic = ? GROUP BY partition", (topic.name,)
        )
        return any(count <= last for count, last in ends)

    def covers(self, topics: Sequence[Topic], at: datetime, partition: int | None = None) -> bool:
        """Return whether the store would contain a record if it ever existed.

        Args:
            topics: The topics that may contain the record.
            at: The record's time.
            partition: The record's partition; None if unknown.

        """
        names = {topic.name for topic in topics}
        starts = (
            start
            for (name, number), start in self.complete_since.items()
            if name in names and partition in {None, number}
        )
        return all(start == BEGINNING or start + SLACK <= at for start in starts)

    def is_committed(self, service: str, record: StoredRecord) -> bool:
        """Return whether a service has committed a record."""
        return record.offset < self.committed_offsets.get((service, record.topic, record.partition), 0)

    def _select(self, condition: str, *values: object, index: str = "") -> Iterator[StoredRecord]:
        # Without the hint, SQLite would scan a whole topic instead of using the index.
        using = f"INDEXED BY {index}" if index else ""
        query = f"SELECT {_COLUMNS} FROM records {using} WHERE {condition}"  # noqa: S608 - the conditions are those above
        return map(_stored, self.database.execute(query, values))


def _columns(record: StoredRecord) -> tuple[object, ...]:
    headers = json.dumps([(name, value.decode("latin-1")) for name, value in record.headers])
    event_id = dict(record.headers).get("ce_id", b"").decode(errors="replace")
    place = (record.topic, record.partition, record.offset, record.timestamp)
    return (*place, record.key, record.value, headers, event_id)


def _stored(columns: _Columns) -> StoredRecord:
    topic, partition, record_offset, milliseconds, key, value, headers = columns
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return StoredRecord(
        topic,
        partition,
        record_offset,
        at,
        key,
        value,
        [(name, text.encode("latin-1")) for name, text in json.loads(headers)],
    )
