"""The messages that owners must have published and the events that they decided, according to the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import ReplayedEvent
from operations.audit.record_store import SLACK, RecordStore, StoredRecord
from operations.audit.row_history import RowHistory
from operations.audit.time_range import BEGINNING
from schemas.base import Message
from schemas.codec import TYPES
from services.common.decisions import Row

_SCHEMA: Final = """
    CREATE TABLE expected (
        topic TEXT, event_id TEXT, type TEXT, data TEXT, at TEXT, traceparent TEXT,
        due INTEGER, row_topic TEXT, row_partition INTEGER, row_offset INTEGER
    );
    CREATE INDEX expected_by_event ON expected (topic, event_id);
    CREATE TABLE decided (source TEXT, event_id TEXT, replayed INTEGER, PRIMARY KEY (source, event_id)) WITHOUT ROWID;
    CREATE TABLE key_histories (
        source TEXT, key BLOB, complete_since TEXT, first_at TEXT, deleted INTEGER, PRIMARY KEY (source, key)
    ) WITHOUT ROWID;
    CREATE TABLE forgotten (source TEXT, key BLOB, topic TEXT, record_offset INTEGER, until TEXT);
    CREATE INDEX forgotten_by_key ON forgotten (source, key, topic);
"""
_COLUMNS: Final = "event_id, type, data, at, traceparent, due, row_topic, row_partition, row_offset"
_Columns = tuple[str, str, str, str, str | None, int, str, int, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected message of a decision.

    Attributes:
        event_id: Its id.
        message: The message.
        at: Its time.
        traceparent: Its trace; None if it is known only from a row, which does not store the trace.
        due: Whether it must be in its topic.
        position: Topic, partition and offset of the row that was saved before its publication.

    """

    event_id: str
    message: Message
    at: datetime
    traceparent: str | None
    due: bool
    position: tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class KeyCoverage:
    """How completely the decisions on a key are known.

    Attributes:
        complete_since: The time from which all decisions are known.
        first_at: The time of the first known row.
        deleted: True if the row was deleted in between.

    """

    complete_since: datetime
    first_at: datetime
    deleted: bool


class ExpectedMessages:
    """Stores expected messages and decided events in the database of the records."""

    def __init__(self, store: RecordStore) -> None:
        self._database = store.database
        self._store = store
        self._database.executescript(_SCHEMA)

    def add_history(self, table: BoundTable, key: bytes, history: RowHistory) -> None:
        """Add the decisions in the rows of a key."""
        for each in (each for decided in history.decided.values() for each in decided):
            self.expect(table, each)
        for event_id in history.seen:
            self._decide(table, event_id, replayed=event_id in history.decided)
        since, first_at = history.complete_since or BEGINNING, history.first_at or BEGINNING
        self._database.execute(
            "INSERT INTO key_histories VALUES (?, ?, ?, ?, ?)",
            (table.source, key, since.isoformat(), first_at.isoformat(), history.deleted),
        )
        self._database.executemany(
            "INSERT INTO forgotten VALUES (?, ?, ?, ?, ?)",
            ((table.source, key, until.topic, offset, _text(until.at)) for offset, until in history.forgotten),
        )

    def expect(self, table: BoundTable, decided: ReplayedEvent) -> None:
        """Add the messages of a decision."""
        self._decide(table, decided.event.id, replayed=True)
        due = decided.due and self._store.is_committed(table.service, decided.cause)
        position = (decided.record.topic, decided.record.partition, decided.record.offset)
        event = decided.event
        for index, message in enumerate(decided.decision.events):
            self._add(Expected(f"{event.id}.{index}", message, event.time, event.traceparent, due, position))

    def remember(self, row: Row, record: StoredRecord) -> None:
        """Add the last outputs that a row stores, for events that could not be replayed."""
        position = (record.topic, record.partition, record.offset)
        times = {each.event_id: each.at for each in row.processed}
        for latest in row.last_outputs:
            for index, produced in enumerate(latest.outputs if latest.event_id in times else ()):
                event_id = f"{latest.event_id}.{index}"
                at = times[latest.event_id]
                self._add(Expected(event_id, produced.message(), at, traceparent=None, due=False, position=position))

    def expected(self, topic: str, event_id: str) -> list[Expected]:
        """Return the messages that are expected with an id in a topic."""
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM expected WHERE topic = ? AND event_id = ?",  # noqa: S608 - the columns above
            (topic, event_id),
        )
        return [_expected(each) for each in found]

    def missing(self) -> Iterator[tuple[str, Expected]]:
        """Yield the due messages that are missing in their topic, with the topic's name."""
        found = self._database.execute(
            f"SELECT topic, {_COLUMNS} FROM expected WHERE due AND NOT EXISTS "  # noqa: S608 - the columns above
            "(SELECT 1 FROM records WHERE records.event_id = expected.event_id AND records.topic = expected.topic)"
        )
        for topic, *columns in found:
            yield topic, _expected((*columns,))

    def is_decided(self, table: BoundTable, event_id: str) -> bool | None:
        """Return whether a table's owner decided an event, according to the rows.

        Returns:
            True if the decision was replayed, False if the row only lists the event, None if no row lists it.

        """
        found = self._database.execute(
            "SELECT replayed FROM decided WHERE source = ? AND event_id = ?", (table.source, event_id)
        ).fetchone()
        return None if found is None else bool(found[0])

    def knows(self, table: BoundTable, event: StoredRecord) -> bool:
        """Return whether a row would list an event if a table's owner had decided it."""
        coverage = self._coverage(table, event.key or b"")
        if coverage is None:
            return not self._store.has_compacted(table.changelog)
        return not coverage.deleted and (
            coverage.complete_since == BEGINNING or coverage.complete_since + SLACK <= event.at
        )

    def is_outdated(self, table: BoundTable, event: StoredRecord) -> bool:
        """Return whether a row had forgotten newer events of the topic when its owner came to an event."""
        (until,) = self._database.execute(
            "SELECT max(until) FROM forgotten WHERE source = ? AND key = ? AND topic = ? AND record_offset < ?",
            (table.source, event.key or b"", event.topic, event.offset),
        ).fetchone()
        return until is not None and _text(event.event().time) <= until

    def may_lack_row(self, table: BoundTable, event: StoredRecord) -> bool:
        """Return whether an event may have been decided while its key had no row."""
        coverage = self._coverage(table, event.key or b"")
        return coverage is None or coverage.deleted or event.at <= coverage.first_at + SLACK

    def _coverage(self, table: BoundTable, key: bytes) -> KeyCoverage | None:
        """Return the coverage of a key, or None if the key has no row."""
        found = self._database.execute(
            "SELECT complete_since, first_at, deleted FROM key_histories WHERE source = ? AND key = ?",
            (table.source, key),
        ).fetchone()
        if found is None:
            return None
        return KeyCoverage(datetime.fromisoformat(found[0]), datetime.fromisoformat(found[1]), bool(found[2]))

    def _decide(self, table: BoundTable, event_id: str, *, replayed: bool) -> None:
        self._database.execute(
            "INSERT INTO decided VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET replayed = max(replayed, excluded.replayed)",
            (table.source, event_id, replayed),
        )

    def _add(self, each: Expected) -> None:
        topic, data = each.message.topic.name, each.message.model_dump_json()
        at = _text(each.at)
        columns = (topic, each.event_id, each.message.type, data, at, each.traceparent, each.due, *each.position)
        self._database.execute("INSERT INTO expected VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns)


def _text(at: datetime) -> str:
    """Return a time as text that sorts as the time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _expected(columns: _Columns) -> Expected:
    event_id, kind, data, at, traceparent, due, *(topic, partition, offset) = columns
    message = TYPES[kind].model_validate_json(data)
    return Expected(event_id, message, datetime.fromisoformat(at), traceparent, bool(due), (topic, partition, offset))
