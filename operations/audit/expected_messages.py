"""What the rows explain: the messages that owners must have published, and the events that they decided."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import Decided
from operations.audit.record_store import SLACK, RecordStore, StoredRecord
from operations.audit.row_history import RowHistory
from operations.audit.time_range import BEGINNING
from schemas.base import Message
from schemas.codec import TYPES
from services.common.decisions import Row

_SCHEMA: Final = """
    CREATE TABLE expected (
        topic TEXT, event_id TEXT, type TEXT, data TEXT, at TEXT, traceparent TEXT,
        due INTEGER, row_topic TEXT, row_partition INTEGER, row_place INTEGER
    );
    CREATE INDEX expected_by_event ON expected (topic, event_id);
    CREATE TABLE decided (source TEXT, event_id TEXT, wholly INTEGER, PRIMARY KEY (source, event_id)) WITHOUT ROWID;
    CREATE TABLE chains (
        source TEXT, key BLOB, whole_since TEXT, first_at TEXT, deleted INTEGER, PRIMARY KEY (source, key)
    ) WITHOUT ROWID;
"""
_COLUMNS: Final = "event_id, type, data, at, traceparent, due, row_topic, row_partition, row_place"
_Columns = tuple[str, str, str, str, str | None, int, str, int, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """A message that a decision leads to.

    Attributes:
        event_id: Its id.
        message: The message.
        at: Its time.
        traceparent: Its trace; None where only the row's memory of it is left, which has no trace.
        due: Whether it must be in its topic.
        place: Topic, partition and offset of the row that was saved before it was published.

    """

    event_id: str
    message: Message
    at: datetime
    traceparent: str | None
    due: bool
    place: tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of the decisions on one key.

    Attributes:
        whole_since: Since when every decision was seen.
        first_at: Time of the first row that was seen.
        deleted: True if the row was deleted in between.

    """

    whole_since: datetime
    first_at: datetime
    deleted: bool


class ExpectedMessages:
    """Keeps it, beside the records in the archive's database."""

    def __init__(self, archive: RecordStore) -> None:
        self._database = archive.database
        self._archive = archive
        self._database.executescript(_SCHEMA)

    def close_chain(self, table: BoundTable, key: bytes, chain: RowHistory) -> None:
        """Note what the rows of a key explain."""
        for each in (each for decided in chain.decided.values() for each in decided):
            self.expect(table, each)
        for event_id in chain.seen:
            self._decide(table, event_id, wholly=event_id in chain.decided)
        since, first_at = chain.whole_since or BEGINNING, chain.first_at or BEGINNING
        self._database.execute(
            "INSERT INTO chains VALUES (?, ?, ?, ?, ?)",
            (table.source, key, since.isoformat(), first_at.isoformat(), chain.deleted),
        )

    def expect(self, table: BoundTable, decided: Decided) -> None:
        """Expect the messages of a decision."""
        self._decide(table, decided.event.id, wholly=True)
        due = decided.due and self._archive.is_settled(table.service, decided.cause)
        place = (decided.record.topic, decided.record.partition, decided.record.offset)
        event = decided.event
        for index, message in enumerate(decided.decision.events):
            self._add(Expected(f"{event.id}.{index}", message, event.time, event.traceparent, due, place))

    def remember(self, row: Row, record: StoredRecord) -> None:
        """Expect what a row remembers that its last events led to, where they could not be decided again."""
        place = (record.topic, record.partition, record.offset)
        times = {each.event_id: each.at for each in row.processed}
        for latest in row.last_outputs:
            for index, produced in enumerate(latest.outputs if latest.event_id in times else ()):
                event_id = f"{latest.event_id}.{index}"
                at = times[latest.event_id]
                self._add(Expected(event_id, produced.message(), at, traceparent=None, due=False, place=place))

    def expected(self, topic: str, event_id: str) -> list[Expected]:
        """Return what is expected under an id in a topic."""
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM expected WHERE topic = ? AND event_id = ?",  # noqa: S608 - the columns above
            (topic, event_id),
        )
        return [_expected(each) for each in found]

    def missing(self) -> Iterator[tuple[str, Expected]]:
        """Give what must be in a topic and is not, with the topic's name."""
        found = self._database.execute(
            f"SELECT topic, {_COLUMNS} FROM expected WHERE due AND NOT EXISTS "  # noqa: S608 - the columns above
            "(SELECT 1 FROM records WHERE records.event_id = expected.event_id AND records.topic = expected.topic)"
        )
        for topic, *columns in found:
            yield topic, _expected((*columns,))

    def is_decided(self, table: BoundTable, event_id: str) -> bool | None:
        """Tell whether an event was decided by a table's owner, as far as rows say.

        Returns:
            True if it is known what it led to, False if only that it was decided, None if no row says so.

        """
        found = self._database.execute(
            "SELECT wholly FROM decided WHERE source = ? AND event_id = ?", (table.source, event_id)
        ).fetchone()
        return None if found is None else bool(found[0])

    def knows(self, table: BoundTable, event: StoredRecord) -> bool:
        """Tell whether a row would say so if an event had been decided by a table's owner."""
        life = self._life(table, event.key or b"")
        if life is None:
            return not self._archive.compacted(table.changelog)
        return not life.deleted and (life.whole_since == BEGINNING or life.whole_since + SLACK <= event.at)

    def may_be_rowless(self, table: BoundTable, event: StoredRecord) -> bool:
        """Tell whether an event may have been decided where there was no row."""
        life = self._life(table, event.key or b"")
        return life is None or life.deleted or event.at <= life.first_at + SLACK

    def _life(self, table: BoundTable, key: bytes) -> Life | None:
        """Return what is known of the decisions on a key, or None if there is no row of it."""
        found = self._database.execute(
            "SELECT whole_since, first_at, deleted FROM chains WHERE source = ? AND key = ?", (table.source, key)
        ).fetchone()
        if found is None:
            return None
        return Life(datetime.fromisoformat(found[0]), datetime.fromisoformat(found[1]), bool(found[2]))

    def _decide(self, table: BoundTable, event_id: str, *, wholly: bool) -> None:
        self._database.execute(
            "INSERT INTO decided VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET wholly = max(wholly, excluded.wholly)",
            (table.source, event_id, wholly),
        )

    def _add(self, each: Expected) -> None:
        topic, data = each.message.topic.name, each.message.model_dump_json()
        at = each.at.astimezone(UTC).isoformat()
        columns = (topic, each.event_id, each.message.type, data, at, each.traceparent, each.due, *each.place)
        self._database.execute("INSERT INTO expected VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns)


def _expected(columns: _Columns) -> Expected:
    event_id, kind, data, at, traceparent, due, *(topic, partition, offset) = columns
    message = TYPES[kind].model_validate_json(data)
    return Expected(event_id, message, datetime.fromisoformat(at), traceparent, bool(due), (topic, partition, offset))
