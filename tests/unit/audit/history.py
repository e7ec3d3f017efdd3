"""A simulated deployment that records every event, for audits of intact and altered histories."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from operations.audit.audit import LogAudit
from operations.audit.bound_table import BoundTable
from operations.audit.policies import Policies
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Finding, Report
from operations.audit.time_range import TimeRange
from schemas.base import Message
from schemas.codec import Event, Record, encode
from schemas.contract import Verdict
from services.common.decisions import Row
from services.common.rows.codec import write_row
from services.common.rows.fence import Fence, Stamp, mark_key
from tests.model.machine import PHONES, ChallengeHandle, LoginHandle
from tests.model.memory_kafka import CHANGELOGS, CHANNELS, POLICIES, READERS, MemoryKafka
from tests.model.people import People
from tests.model.sessions import Sessions
from tests.model.typed_codes import Guesses

PHONE: Final = PHONES[0]


class RecordedWorld(MemoryKafka):
    """A Kafka that keeps every record of every topic, each topic in one partition.

    Attributes:
        records: The records by topic.

    """

    def __init__(self, policies: Policies = POLICIES) -> None:
        super().__init__(policies)
        self.records: dict[str, list[StoredRecord]] = {}
        self._stamps = dict.fromkeys(CHANGELOGS, Stamp(1, f"{0:022}"))

    def publish(self, event: Event[Message]) -> None:
        """Publish an event, and keep its record."""
        self.keep(encode(event))
        super().publish(event)

    def keep(self, record: Record) -> None:
        """Keep a record that was written now."""
        stored = self.records.setdefault(record.topic, [])
        offset = stored[-1].offset + 1 if stored else 0
        stored.append(StoredRecord(record.topic, 0, offset, self.now, record.key, record.value, record.headers))

    def record_store(self) -> RecordStore:
        """Return a store with all records."""
        store = RecordStore()
        store.add(record for records in self.records.values() for record in records)
        for reader in READERS.values():
            decided = len(self.records.get(reader.topic, ())) - self.count_waiting(reader)
            store.committed_offsets[reader.table.service, reader.topic, 0] = decided
        return store

    def audit(self, time_range: TimeRange | None = None, policies: Policies | None = None) -> Report:
        """Audit the history, by the policies that it was decided with unless by others."""
        return LogAudit(self.record_store(), policies or self.policies, time_range or TimeRange()).run()

    def finding(self) -> Finding:
        """Audit the history, and return its only finding."""
        report = self.audit()
        assert report.found == 1, report.findings
        return report.findings[0]

    def rows_of(self, table: BoundTable) -> list[StoredRecord]:
        """Return the records of a table's rows."""
        return self.records[table.changelog.name]

    def alter(self, record: StoredRecord, change: Callable[[dict[str, Any]], None]) -> None:
        """Replace a record by one with an altered value."""
        data = json.loads(record.value or b"")
        change(data)
        value = json.dumps(data, separators=(",", ":")).encode()
        stored = self.records[record.topic]
        stored[stored.index(record)] = replace(record, value=value)

    def drop(self, record: StoredRecord) -> None:
        """Remove a record; the others keep their offsets."""
        self.records[record.topic].remove(record)

    def take_over(self, table: BoundTable) -> Stamp:
        """Let the next owner begin in a table's partition, and return the stamp of the one before."""
        before = self._stamps[table.name]
        stamp = self._stamps[table.name] = Fence(before.term, before.owner).next_stamp(f"{before.term:022}")
        self.keep(Record(table.changelog.name, mark_key(stamp.owner), b"{}", [stamp.header()]))
        return before

    def write(self, table: BoundTable, key: bytes, value: bytes | None, stamp: Stamp | None = None) -> StoredRecord:
        """Append a row or a tombstone, under the owner's stamp unless under another one, and return its record."""
        header = (stamp or self._stamps[table.name]).header()
        self.keep(Record(table.changelog.name, key, value, [header]))
        return self.rows_of(table)[-1]

    def _save(self, table: BoundTable, key: str, row: Row | None) -> None:
        before = self.row(table, key)
        super()._save(table, key, row)
        if table.model is not None and (row, before) != (None, None):
            self.write(table, key.encode(), None if row is None else write_row(row))


class RecordedPeople(People, Sessions, Guesses):
    """People whose history is recorded."""

    make_kafka = RecordedWorld


class Story:
    """People whose history is recorded, and what they do, with a moment before each of it.

    Attributes:
        people: They.
        world: Their history.

    """

    def __init__(self) -> None:
        self.people = RecordedPeople()
        assert isinstance(self.people.kafka, RecordedWorld)
        self.world: RecordedWorld = self.people.kafka

    def then(self, act: Callable[[], object], seconds: float = 1) -> None:
        """Do something, a moment after what was before, and let the services catch up."""
        self.world.pass_time(seconds)
        act()
        self.world.settle()

    def pair(self, name: str = "alex") -> LoginHandle:
        """Pair the phone and sign in by it."""
        login = self.people.sign_in(name)
        self.then(lambda: self.people.ask_for_phrase(PHONE))
        self.then(lambda: self.people.type_phrase(login))
        self.answer()
        self.then(lambda: self.people.ask_phone(login))
        self.answer()
        return login

    def sign_in(self, verdict: Verdict = Verdict.APPROVE, name: str = "alex") -> None:
        """Sign in by the phone."""
        self.then(lambda: self.people.sign_in(name))
        self.answer(verdict)

    def answer(self, verdict: Verdict = Verdict.APPROVE) -> None:
        """Answer on the phone what it shows last."""
        shown = self.world.row(CHANNELS, PHONE.device_id).pending[-1]
        self.then(lambda: self.people.submit(ChallengeHandle(self.people, shown.challenge_id), verdict))


def a_story() -> Story:
    """Return people who paired a phone, signed in by it, denied a sign-in and mistyped a password."""
    story = Story()
    story.then(lambda: story.people.open_app(PHONE))
    login = story.pair()
    story.then(lambda: story.people.mistype_password("alex"), 700)
    story.sign_in()
    story.sign_in(Verdict.DENY)
    story.then(lambda: story.people.sign_out(login))
    return story


def of_type(world: RecordedWorld, kind: type[Message], number: int = -1) -> StoredRecord:
    """Return a record of a message type, by default the last one."""
    found = [each for each in world.records[kind.topic.name] if dict(each.headers)["ce_type"].decode() == kind.type]
    return found[number]


def place_of(record: StoredRecord) -> str:
    """Return a record's position as in a finding."""
    return f"{record.topic}/{record.partition}/{record.offset}"
