"""The report of an audit: how many records follow, which do not, and how many could not be checked, and why."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from operations.audit.record_store import StoredRecord
from operations.audit.time_range import TimeRange

MAX_FINDINGS: Final = 1000
"""Maximum number of reported findings, the earliest ones; all are counted."""


class Checked(StrEnum):
    """How a checked record follows."""

    ROW = "rows that follow from the previous row and an event"
    REPEATED_ROW = "rows written again over a void one"
    VOID_ROW = "void rows: their writer had lost the partition"
    DELETED_ROW = "rows deleted by an event"
    MESSAGE = "messages that follow from a decision"
    SIGNED = "valid signatures and seals"
    ROWLESS = "events of keys without a row"
    DEAD_LETTERED = "events that became dead letters"
    OUTDATED = "events that came after their row had forgotten newer ones"


class Unchecked(StrEnum):
    """Why a record could not be checked."""

    ROW_COMPACTED = "the previous row was compacted"
    DECISION_COMPACTED = "the row of its decision was compacted"
    EVENT_GONE = "its event is before the time range, or has expired"
    MESSAGE_GONE = "its message is before the time range, or has expired"
    PENDING = "its service has not committed it yet"


@dataclass(frozen=True, slots=True)
class Finding:
    """A record that does not follow.

    Attributes:
        place: Its position: TOPIC/PARTITION/OFFSET, the topic without the deployment's prefix.
        at: Its Kafka timestamp.
        key: Its key.
        type: Its CloudEvents type; for a row ``row of TABLE``.
        why: The reason, in words.

    """

    place: str
    at: datetime
    key: str
    type: str
    why: str

    @classmethod
    def of(cls, record: StoredRecord, why: str, kind: str = "") -> "Finding":
        """Return the finding of a record."""
        place = f"{record.topic}/{record.partition}/{record.offset}"
        named = dict(record.headers).get("ce_type", b"").decode(errors="replace")
        return cls(place, record.at, (record.key or b"").decode(errors="replace"), kind or named or "no type", why)


@dataclass(slots=True)
class Report:
    """The result of an audit.

    Attributes:
        time_range: The audited time range.
        read: The number of records read, by topic.
        checked: The number of records that follow, by kind.
        asked: The number of commands from the web sides, by type. They follow from no decision; only their signatures
            are checked.
        unchecked: The number of unchecked records, by reason.
        found: The number of records that do not follow.

    """

    time_range: TimeRange
    read: Counter[str] = field(default_factory=Counter)
    checked: Counter[Checked] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    unchecked: Counter[Unchecked] = field(default_factory=Counter)
    found: int = 0
    _findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """The records that do not follow, earliest first, at most MAX_FINDINGS."""
        return sorted(self._findings.values(), key=lambda each: (each.at, each.place))[:MAX_FINDINGS]

    @property
    def follows(self) -> bool:
        """True if at least one record was checked and all checked records follow."""
        return not self.found and self.checked.total() > 0

    def add(self, finding: Finding) -> None:
        """Add a record that does not follow, if it is in the time range; only its first finding counts."""
        if finding.at not in self.time_range or finding.place in self._findings:
            return
        self.found += 1
        self._findings[finding.place] = finding
        if len(self._findings) > 2 * MAX_FINDINGS:
            self._findings = {each.place: each for each in self.findings}
