"""What a run leaves behind: every record of every topic, and the clients' log."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Self

from lab.chaos.history import Attempt, Entry, FaultResult, PhoneAnswer
from lab.chaos.poison import CORRUPT, HEADER, Poison
from operations.audit.bound_table import BoundTable
from operations.audit.policies import Policies
from operations.audit.record_store import StoredRecord
from operations.changelogs import judge_records
from operations.dead_letters import DeadLetter
from operations.deployment import ALL, CONSUMED
from schemas.base import Message
from schemas.codec import Event
from schemas.topics import TopicKind
from services.common.decisions import Row
from services.common.kafka.dead_letters import RecordPosition
from services.common.kafka.partitions import is_part
from services.common.rows.codec import read_row
from services.common.rows.fence import is_mark
from services.login.domain.account import Account
from services.login.tables import ACCOUNTS


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A record as it lies in Kafka.

    Attributes:
        place: Its topic, partition and offset.
        key: Its key.
        value: Its value.
        headers: Its headers.
        at: Its timestamp: of an event, when Kafka appended it; of a row, when it was sent, by the owner's clock.

    """

    place: RecordPosition
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    at: datetime

    @classmethod
    def of(cls, record: StoredRecord) -> Self:
        """Return a record that was read."""
        place = RecordPosition(record.topic, record.partition, record.offset)
        return cls(place, record.key, record.value, dict(record.headers), record.at)

    def stored(self) -> StoredRecord:
        """Return it as it was read."""
        place = self.place
        headers = list(self.headers.items())
        return StoredRecord(place.topic, place.partition, place.offset, self.at, self.key, self.value, headers)

    @property
    def poison(self) -> Poison | None:
        """What is wrong with it, if it was planted; None if it was not."""
        planted = self.headers.get(HEADER)
        return None if planted is None else Poison(planted.decode())

    @property
    def corrupt(self) -> bool:
        """True if it was planted and cannot be used."""
        return self.poison in CORRUPT


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as it lies in Kafka; a repeated one is there several times."""

    record: RunRecord
    event: Event[Message]


@dataclass(frozen=True, slots=True)
class RowVersion:
    """A row as it lies in a changelog.

    Attributes:
        record: The record.
        row: The row; None for a tombstone.
        counts: False if its writer had lost the partition.

    """

    record: RunRecord
    row: Row | None
    counts: bool


@dataclass(frozen=True)
class RunRecords:
    """What is checked.

    Attributes:
        records: Every record, in order within each partition.
        entries: The clients' log.
        policies: The limits and keys of the deployment.

    """

    records: tuple[RunRecord, ...]
    entries: tuple[Entry, ...]
    policies: Policies

    @cached_property
    def attempts(self) -> list[Attempt]:
        """All attempts to sign in."""
        return [each for each in self.entries if isinstance(each, Attempt)]

    @cached_property
    def answers(self) -> list[PhoneAnswer]:
        """All answers of phones."""
        return [each for each in self.entries if isinstance(each, PhoneAnswer)]

    @cached_property
    def faults(self) -> list[FaultResult]:
        """All faults that were made."""
        return [each for each in self.entries if isinstance(each, FaultResult)]

    @cached_property
    def logged_events(self) -> list[LoggedEvent]:
        """All events that can be decoded, repeated ones as often as they are there.

        Raises:
            UndecodableError: If one that was not planted cannot be decoded.

        """
        kinds = {topic.name: topic.kind for topic in ALL}
        events = (each for each in self.records if kinds[each.place.topic] in {TopicKind.EVENT, TopicKind.COMMAND})
        return [LoggedEvent(each, each.stored().event()) for each in events if not each.corrupt]

    @cached_property
    def dead_letters(self) -> list[DeadLetter]:
        """All dead letters."""
        letters = (each for each in self.records if each.place.topic.endswith(".dlq"))
        return [DeadLetter.of(each.place, each.key, each.value, list(each.headers.items())) for each in letters]

    @cached_property
    def planted(self) -> list[RunRecord]:
        """All records that were planted, cannot be used, and are read by a service."""
        consumed = {topic.name for topic in CONSUMED}
        return [each for each in self.records if each.corrupt and each.place.topic in consumed]

    @cached_property
    def tables(self) -> list[BoundTable]:
        """The tables that have rows."""
        return [table for table in self.policies.tables() if table.model is not None]

    @cached_property
    def versions(self) -> dict[str, dict[str, list[RowVersion]]]:
        """Each changelog's rows by key, in their order."""
        models = {table.changelog.name: table.model for table in self.tables}
        found: dict[str, dict[str, list[RowVersion]]] = {changelog: defaultdict(list) for changelog in models}
        partitions: dict[tuple[str, int], list[RunRecord]] = defaultdict(list)
        for record in self.records:
            partitions[record.place.topic, record.place.partition].append(record)
        for (topic, partition), records in partitions.items():
            model = models.get(topic)
            if model is None:
                continue
            judged = judge_records((each.stored() for each in records), partition, None)
            for record, (_stored, counts) in zip(records, judged, strict=True):
                if record.key is not None and not is_mark(record.key) and not is_part(record.key):
                    row = None if record.value is None else read_row(model, record.value)
                    found[topic][record.key.decode()].append(RowVersion(record, row, counts))
        return found

    @cached_property
    def outcomes(self) -> dict[str, dict[str, set[str]]]:
        """The outcomes of each event in all rows that count, by changelog and event id."""
        found: dict[str, dict[str, set[str]]] = {changelog: defaultdict(set) for changelog in self.versions}
        for changelog, keys in self.versions.items():
            for version in chain.from_iterable(keys.values()):
                for applied in version.row.processed if version.counts and version.row is not None else ():
                    found[changelog][applied.event_id].add(applied.outcome)
        return found

    def accounts(self, account_id: str) -> list[Account]:
        """Return the rows that an account had, one after the other."""
        versions = self.versions[ACCOUNTS.changelog.name].get(account_id, [])
        return [each.row for each in versions if each.counts and isinstance(each.row, Account)]
