"""What an audit comes to: how much follows, what does not, and what could not be checked, and why."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from operations.audit.record_store import StoredRecord
from operations.audit.time_range import TimeRange

MOST_FINDINGS: Final = 1000
"""So many findings are kept, the first by time; all are counted."""


class Checked(StrEnum):
    """What was checked and follows."""

    ROW = "rows that follow from the row before them and an event"
    REPEATED_ROW = "rows written again for an event that came again"
    STALE_ROW = "rows of an owner that was paused, which a newer row goes before"
    DELETED_ROW = "rows deleted as an event asks"
    MESSAGE = "messages that a decision explains"
    SIGNED = "signatures and seals that hold"
    ROWLESS = "events that concern nobody, of which no row is kept"
    SET_ASIDE = "events that a service set aside as dead letters"


class Unchecked(StrEnum):
    """Why something could not be checked."""

    ROW_COMPACTED = "the row before it was compacted"
    DECISION_COMPACTED = "the row of its decision was compacted"
    EVENT_GONE = "its event lies before the span, or has expired"
    MESSAGE_GONE = "what it led to lies before the span, or has expired"
    PENDING = "not committed yet by its service: still under way, or to come again after a crash"


@dataclass(frozen=True, slots=True)
class Finding:
    """A record that does not follow.

    Attributes:
        place: Where it is: TOPIC/PARTITION/OFFSET, the topic without the deployment's prefix.
        at: Kafka's time of it.
        key: Its key.
        type: Its CloudEvents type; for a row ``row of TABLE``.
        why: Why, in plain words.

    """

    place: str
    at: datetime
    key: str
    type: str
    why: str

    @classmethod
    def of(cls, record: StoredRecord, why: str, kind: str = "") -> "Finding":
        """Make one of a record."""
        place = f"{record.topic}/{record.partition}/{record.offset}"
        named = dict(record.headers).get("ce_type", b"").decode(errors="replace")
        return cls(place, record.at, (record.key or b"").decode(errors="replace"), kind or named or "no type", why)


@dataclass(slots=True)
class Report:
    """What an audit found.

    Attributes:
        span: The span of time that was audited.
        read: How many records were read, by topic.
        checked: How many follow, by what they are.
        asked: How many commands the web sides gave, by type: what they ask is nobody's decision, so it follows from
            nothing; signatures in them are checked.
        unchecked: How many could not be checked, by the reason.
        found: How many do not follow.

    """

    span: TimeRange
    read: Counter[str] = field(default_factory=Counter)
    checked: Counter[Checked] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    unchecked: Counter[Unchecked] = field(default_factory=Counter)
    found: int = 0
    _findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """Those that do not follow, the first one first; no more than MOST_FINDINGS."""
        return sorted(self._findings.values(), key=lambda each: (each.at, each.place))[:MOST_FINDINGS]

    @property
    def follows(self) -> bool:
        """True if something was checked and all of it follows."""
        return not self.found and self.checked.total() > 0

    def accuse(self, finding: Finding) -> None:
        """Add a record that does not follow, if it is in the span; once, whatever else is wrong with it."""
        if finding.at not in self.span or finding.place in self._findings:
            return
        self.found += 1
        self._findings[finding.place] = finding
        if len(self._findings) > 2 * MOST_FINDINGS:
            self._findings = {each.place: each for each in self.findings}
