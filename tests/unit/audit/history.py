"""A simulated deployment that records every event, for audits of intact and altered histories."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from operations.audit.audit import LogAudit
from operations.audit.bound_table import BoundTable
from operations.audit.policies import Policies
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Finding, Report
from operations.audit.time_range import TimeRange
from schemas.base import Message
from schemas.codec import Event, Headers, Record, encode
from schemas.contract import Verdict
from services.common.decisions import Row
from services.common.rows.codec import write_row
from services.common.rows.stamps import TOMBSTONE_HEADER
from tests.builders import an_agreement_key, pairing_policy, policy
from tests.unit.flow.people import PHONES, PHRASES, People
from tests.unit.flow.world import TABLES, Place, World

POLICIES: Final = Policies(policy(), pairing_policy(), frozenset({an_agreement_key("login service").key_id}))
PHONE: Final = PHONES[0]


class RecordedWorld(World):
    """A world that keeps every record of every topic, each topic in one partition.

    Attributes:
        records: The records by topic.

    """

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, list[StoredRecord]] = {}

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
        for table in TABLES:
            for topic in table.reads:
                waiting = len(self._queues[Place(topic.name, table)])
                store.committed_offsets[table.service, topic.name, 0] = len(self.records.get(topic.name, ())) - waiting
        return store

    def audit(self, time_range: TimeRange | None = None, policies: Policies = POLICIES) -> Report:
        """Audit the history."""
        return LogAudit(self.record_store(), policies, time_range or TimeRange()).run()

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

    def write(self, table: BoundTable, key: str, row: Row, epoch: int) -> None:
        """Let an owner overwrite a key's row with the version after the given row's."""
        self._save(table, key, replace(row, epoch=epoch))

    def _save(self, table: BoundTable, key: str, row: Row | None) -> None:
        before = self.row(table, key)
        super()._save(table, key, row)
        if table.model is None:
            return
        saved = self.row(table, key)
        headers: Headers = []
        if saved is None and before is not None:
            headers = [(TOMBSTONE_HEADER, b'{"epoch":%d,"version":%d}' % (before.epoch, before.version))]
        value = None if saved is None else write_row(saved)
        if saved is not None or before is not None:
            self.keep(Record(table.changelog.name, key.encode(), value, headers))


@dataclass(frozen=True, slots=True)
class Story:
    """People whose history is recorded."""

    world: RecordedWorld
    people: People

    def then(self, act: Callable[[], object], seconds: float = 1) -> None:
        """Act after a pause, and let the services catch up."""
        self.world.pass_time(seconds)
        act()
        self.world.settle()

    def pair(self, name: str = "alex") -> None:
        """Pair the phone and sign in by it."""
        people = self.people
        self.then(lambda: people.sign_in(name))
        self.then(lambda: people.ask_for_phrase(PHONE, PHRASES[0]))
        self.then(lambda: people.enter_phrase(name, 0, PHRASES[0]))
        self.answer()
        self.then(lambda: people.ask_phone(name, 0))
        self.answer()

    def sign_in(self, verdict: Verdict = Verdict.APPROVE, name: str = "alex") -> None:
        """Sign in by the phone."""
        self.then(lambda: self.people.sign_in(name))
        self.answer(verdict)

    def answer(self, verdict: Verdict = Verdict.APPROVE) -> None:
        """Answer on the phone."""
        self.then(lambda: self.people.answer(PHONE, -1, verdict))


def a_story() -> Story:
    """Return people who paired a phone, signed in by it, denied a sign-in and mistyped a password."""
    world = RecordedWorld()
    story = Story(world, People(world))
    story.then(lambda: story.people.open_app(PHONE))
    story.pair()
    story.then(lambda: story.people.mistype("alex"), 700)
    story.sign_in()
    story.sign_in(Verdict.DENY)
    story.then(lambda: story.people.sign_out("alex", 0))
    return story


def of_type(world: RecordedWorld, kind: type[Message], number: int = -1) -> StoredRecord:
    """Return a record of a message type, by default the last one."""
    found = [each for each in world.records[kind.topic.name] if dict(each.headers)["ce_type"].decode() == kind.type]
    return found[number]


def place_of(record: StoredRecord) -> str:
    """Return a record's position as in a finding."""
    return f"{record.topic}/{record.partition}/{record.offset}"
