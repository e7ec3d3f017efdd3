"""A short honest history, as it would lie in Kafka and in the clients' log; and ways to tamper with it."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from typing import Final

from lab.chaos.evidence import RunRecord, RunRecords
from lab.chaos.history import Attempt, Ending, Entry, FaultResult, Habit, PhoneAnswer, Way
from lab.chaos.poison import HEADER, Draft, Poison, spoil
from operations.audit.report import Checked, Finding, Report, Unchecked
from operations.audit.time_range import TimeRange
from schemas.base import Message
from schemas.contract import AuthResponse, Purpose, Verdict
from services.common.kafka.dead_letters import OFFSET, PARTITION, REASON, SERVICE, TIME, RecordPosition
from services.common.rows.fence import Stamp
from tests.builders import T0, a_phone
from tests.messages import a_code
from tests.model.machine import ChallengeHandle
from tests.model.memory_kafka import ACCOUNTS, POLICIES
from tests.model.people import People
from tests.unit.audit.history import Story as RecordedHistory

NAME: Final = "alex"
PHONE: Final = a_phone()


@dataclass
class Story:
    """What happened, record by record.

    Attributes:
        records: What lies in Kafka.
        entries: The clients' log.
        named: The places that an audit names.
        unchecked: How many events it could not check.

    """

    records: list[RunRecord] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    unchecked: int = 0

    @property
    def findings(self) -> tuple[RunRecords, Report]:
        """What is checked: what the run left behind, and an audit's report on it."""
        report = Report(TimeRange(), checked=Counter({Checked.ROW: len(self.records)}) if self.records else Counter())
        for place in self.named:
            report.add(Finding(place, T0, "a key", "a type", "it does not follow"))
        if self.unchecked:
            report.unchecked[Unchecked.PENDING] = self.unchecked
        return RunRecords(tuple(self.records), tuple(self.entries), POLICIES), report

    def add(
        self, topic: str, key: bytes | None, value: bytes | None, headers: dict[str, bytes], at: datetime | None = None
    ) -> RunRecord:
        """Append a record to a topic, at a time or after all others."""
        at = at or max((each.at for each in self.records), default=T0)
        offset = Counter(each.place.topic for each in self.records)[topic]
        record = RunRecord(RecordPosition(topic, 0, offset), key, value, headers, at)
        self.records.append(record)
        return record

    def plant(self, poison: Poison, record: RunRecord, *, dead_letter: bool = True) -> None:
        """Append a poisoned copy of a record, and the dead letter that it becomes."""
        spoilt = spoil(poison, Draft(record.key, record.value, record.headers))
        planted = self.add(record.place.topic, spoilt.key, spoilt.value, {**spoilt.headers, HEADER: poison.encode()})
        if dead_letter:
            self.named.append(str(planted.place))
            self.dead_letter(planted, "unknown type, or none: countersign.nothing.like.it.v9")

    def dead_letter(self, record: RunRecord, reason: str) -> None:
        """Append the dead letter of a record."""
        added = {
            REASON: reason.encode(),
            SERVICE: b"login",
            PARTITION: b"%d" % record.place.partition,
            OFFSET: b"%d" % record.place.offset,
            TIME: b"2026-03-02T09:00:00+00:00",
        }
        self.add(f"{record.place.topic}.dlq", record.key, record.value, {**record.headers, **added})

    def events(self, kind: type[Message]) -> list[RunRecord]:
        """Return the records of a kind of event."""
        return [each for each in self.records if each.headers.get("ce_type") == kind.type.encode()]

    def rows(self, topic: str, key: bytes) -> list[RunRecord]:
        """Return the records of a key's rows."""
        return [each for each in self.records if (each.place.topic, each.key) == (topic, key)]

    def write(self, record: RunRecord, value: bytes, stamp: Stamp | None = None) -> None:
        """Append a row of a record's key, with the record's stamp unless with another one."""
        headers = record.headers if stamp is None else dict([stamp.header()])
        self.add(record.place.topic, record.key, value, dict(headers))

    def change(self, record: RunRecord, **changes: object) -> None:
        """Put another record in the place of one."""
        self.records[self.records.index(record)] = replace(record, **changes)  # type: ignore[arg-type]  # the fields' own

    def note(self, entry: Entry, **changes: object) -> None:
        """Put another entry in the place of one."""
        self.entries[self.entries.index(entry)] = entry.model_copy(update=changes)


def an_honest_story() -> Story:
    """Pair a phone and sign in by it; sign in by a code; deny a request. One poisoned record goes among it."""
    built = _honest_story()
    return Story(list(built.records), list(built.entries), list(built.named))


@cache
def _honest_story() -> Story:
    history, story = RecordedHistory(), Story()
    people, world = history.people, history.world
    _pair(people, story)
    _sign_in(people, story, Verdict.APPROVE)
    _sign_in(people, story, Verdict.DENY)
    _sign_in_by_code(people, story)
    for record in chain.from_iterable(world.records.values()):
        headers = dict(record.headers)
        if b"/" not in headers.get("ce_source", b"/"):
            headers["ce_source"] += b"/web"
        story.add(record.topic, record.key, record.value, headers, record.at)
    story.plant(Poison.UNKNOWN_TYPE, story.events(AuthResponse)[0])
    story.entries.append(
        FaultResult(
            fault="kill-login", target="login", began_at=world.now, repaired_at=world.now, recovered_at=world.now
        )
    )
    return story


def _pair(people: People, story: Story) -> None:
    people.open_app(PHONE)
    people.ask_for_phrase(PHONE)
    login = people.sign_in(NAME)
    _answer(people, story, people.type_phrase(login), Purpose.PAIRING, Verdict.APPROVE)
    _answer(people, story, people.ask_phone(login), Purpose.LOGIN, Verdict.APPROVE)
    _attempt(people, story, Way.PUSH, Ending.SIGNED_IN)


def _sign_in(people: People, story: Story, verdict: Verdict) -> None:
    people.pass_time(10)
    _answer(people, story, people.sign_in(NAME), Purpose.LOGIN, verdict)
    _attempt(people, story, Way.PUSH, Ending.SIGNED_IN if verdict is Verdict.APPROVE else Ending.REFUSED)


def _sign_in_by_code(people: People, story: Story) -> None:
    people.pass_time(10)
    login = people.sign_in(NAME)
    method_id = people.kafka.row(ACCOUNTS, NAME).devices[0].method_id
    people.give(a_code(59_000, login.login_id, people.kafka.now, method_id))
    _attempt(people, story, Way.CODE, Ending.SIGNED_IN)


def _answer(people: People, story: Story, challenge: ChallengeHandle, purpose: Purpose, verdict: Verdict) -> None:
    people.submit(challenge, verdict)
    answered = {"challenge_id": challenge.challenge_id, "account_id": NAME, "ended": people.kafka.now}
    story.entries.append(PhoneAnswer.model_validate({**answered, "purpose": purpose, "verdict": verdict}))
    if len(story.entries) == 1:  # the button was hit twice
        again = story.entries[0].model_copy(update={"verdict": Verdict.DENY, "refusal": "already-answered"})
        story.entries.append(again)


def _attempt(people: People, story: Story, way: Way, ending: Ending) -> None:
    digest = people.kafka.row(ACCOUNTS, NAME).logins[-1].login_digest
    story.entries.append(
        Attempt(
            account_id=NAME,
            way=way,
            habit=Habit.APPROVE if ending is Ending.SIGNED_IN else Habit.DENY,
            login_digest=digest,
            began=people.kafka.now - timedelta(seconds=5),
            ended=people.kafka.now,
            ending=ending,
        )
    )
