"""What happened to an account so far, kept from the messages and their outcomes alone: nothing is read from a row."""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.contract import ChallengeIssued
from services.common.throttle import PauseLimits
from services.login.domain.limits import Limits
from services.login.domain.login import LoginKind


@dataclass(slots=True)
class Failures:
    """Failures in a row.

    Attributes:
        count: How many.
        last_at: When the last one was.

    """

    count: int = 0
    last_at: datetime | None = None

    def add(self, at: datetime) -> None:
        """Count one more."""
        self.count, self.last_at = self.count + 1, at

    def clear(self) -> None:
        """Begin anew."""
        self.count, self.last_at = 0, None

    def pause(self, pauses: PauseLimits, at: datetime) -> bool:
        """Tell whether a moment is in the pause after them."""
        end = None if self.last_at is None else pauses.pause_end(self.count, self.last_at)
        return end is not None and at < end


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that was begun.

    Attributes:
        kind: What for.
        session_digest: The session that it opens, or the one that it is for.
        password_hash: The password that it began by; empty if by a session.
        remember_digest: How its browser wished to be remembered, if it did.

    """

    kind: LoginKind
    session_digest: str
    password_hash: str = ""
    remember_digest: str | None = None


@dataclass(slots=True)
class Signed:
    """A browser that is signed in.

    Attributes:
        since: When it came in.
        used_at: When something was last done in it.
        confirmed_at: When the second factor was last given in it.

    """

    since: datetime
    used_at: datetime
    confirmed_at: datetime | None


@dataclass(slots=True)
class Ledger:
    """What happened so far.

    Attributes:
        limits: The limits of the day.
        password_hash: The password of the day.
        logins: What was begun, by login id.
        drawn: The login that each challenge's id was drawn for.
        pairings: The login that each pairing's id was drawn for.
        phones: The paired phones' device ids, by pairing id.
        apps: The apps.
        steps: The highest time step that was taken of each method.
        recovery: The digests of the recovery codes that are good.
        remembered: Until when browsers are remembered, by the digest of their token.
        sessions: Who is signed in.
        sent: When requests were sent.
        asked: The requests that phones show.
        refusals: Requests that nobody approved.
        wrong_codes: Wrong codes.
        reported_at: When it was not the owner, if the password was not changed since.
        invitation: The digest of the invitation that is open, and until when it is.
        mailed: The enrolment code that was sent last in each login.
        admitted: The logins that may pair the first phone.

    """

    limits: Limits
    password_hash: str
    logins: dict[str, Begun] = field(default_factory=dict)
    drawn: dict[str, str] = field(default_factory=dict)
    pairings: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    apps: set[str] = field(default_factory=set)
    steps: dict[str, int] = field(default_factory=dict)
    recovery: set[str] = field(default_factory=set)
    remembered: dict[str, datetime] = field(default_factory=dict)
    sessions: dict[str, Signed] = field(default_factory=dict)
    sent: list[datetime] = field(default_factory=list)
    asked: dict[str, ChallengeIssued] = field(default_factory=dict)
    refusals: Failures = field(default_factory=Failures)
    wrong_codes: Failures = field(default_factory=Failures)
    reported_at: datetime | None = None
    invitation: tuple[str, datetime] | None = None
    mailed: dict[str, str] = field(default_factory=dict)
    admitted: set[str] = field(default_factory=set)

    def pass_time(self, at: datetime) -> None:
        """Count the requests that nobody answered in time."""
        for challenge_id, issued in list(self.asked.items()):
            if at > issued.expires_at:
                self.refusals.add(issued.expires_at)
                del self.asked[challenge_id]

    def is_open(self, session_digest: str, at: datetime) -> bool:
        """Tell whether a browser is signed in."""
        session = self.sessions.get(session_digest)
        ends = () if session is None else (session.since + self.limits.session_lifetime,)
        idle = () if session is None else (session.used_at + self.limits.idle_lifetime,)
        return session is not None and at <= min(*ends, *idle)

    def is_confirmed(self, session_digest: str, at: datetime) -> bool:
        """Tell whether the second factor was given lately in a browser that is signed in."""
        if not self.is_open(session_digest, at):
            return False
        confirmed_at = self.sessions[session_digest].confirmed_at
        return confirmed_at is not None and at <= confirmed_at + self.limits.confirmation_lifetime
