"""The row of an account: its methods, logins, sessions and history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Final, Self, TypeVar

from pydantic import Field

from schemas.base import Browser, Digest, Identifier, Moment, Text
from services.common.decisions import Row
from services.common.throttle import NO_FAILURES, Throttle
from services.login.domain.attempts import NO_ATTEMPTS, Attempts
from services.login.domain.history import ATTEMPTS, HistoryEntry, HistoryKind, Method
from services.login.domain.limits import Limits
from services.login.domain.login import EndReason, Login, LoginKind, LoginState
from services.login.domain.methods import AuthenticatorApp, Device, RecoveryCodes

MOST_HISTORY: Final = 50
"""Of changes, and as many of attempts: strangers make attempts, which push no change out."""
MethodT = TypeVar("MethodT", Device, AuthenticatorApp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in.

    Attributes:
        session_digest: SHA-256 of its token.
        expires_at: The end of its lifetime.
        idle_until: The end of its idle time.
        confirmed_at: When the second factor was last given in it; changes need a recent one.
        method: The method that opened it.

    """

    session_digest: Digest
    browser: Browser
    started_at: Moment
    expires_at: Moment
    idle_until: Moment
    confirmed_at: Moment | None = None
    method: Method = Method.PUSH

    def open_at(self, at: datetime) -> bool:
        """Tell whether the session is open at a time."""
        return at <= min(self.expires_at, self.idle_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedBrowser:
    """A browser that signs in by the password alone; ``digest`` is SHA-256 of its token."""

    digest: Digest
    browser: Browser
    since: Moment
    expires_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An administrator's enrolment code, by its SHA-256."""

    digest: Digest
    expires_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A sign-in that was answered with "It wasn't me"."""

    browser: Browser
    started_at: Moment
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """The limits on challenges to an account's phones.

    Attributes:
        sent: The times of the last challenges, oldest first.
        denials: Challenges in a row that were denied, answered with a wrong number, or not answered.
        reported: The report after which no challenge is sent; None if there is none.

    """

    sent: tuple[Moment, ...] = ()
    denials: Throttle = NO_FAILURES
    reported: Reported | None = None

    def next_at(self, at: datetime, limits: Limits) -> datetime | None:
        """Return when the limits allow the next challenge, or None for now. A report is not considered."""
        moments = (self.denials.paused_until, limits.challenges.next_at(self.sent, at))
        return max((each for each in moments if each is not None and each > at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Row):
    """An account.

    Attributes:
        account_id: Random; the row's key.
        name: The sign-in name, prepared (RFC 8265 section 3.3).
        name_digest: HMAC-SHA256 of the name: the key of the name's row. None once the account is removed.
        display_name: The name as its owner reads it.
        email: The address for e-mails; empty for none.
        password_hash: The id of its key, then Argon2id in PHC string format.
        revision: How often it changed in what administrators decide on (`administered`).
        removed_at: When it was removed. The row stays, so that a stale record cannot restore the account.
        invitation: The open enrolment code of an administrator.
        enrolment_emails: When enrolment codes were recently sent by e-mail.
        devices: The paired phones; the first one is challenged by default.
        push: The limits on challenges.
        codes: Wrong verification codes, and enrolment codes.
        recovery_codes: Wrong recovery codes.
        logins: The open logins and those that ended recently, oldest first.
        sessions: The signed-in browsers, oldest first.
        remembered: The browsers that sign in by the password alone.
        known_browsers: Digests of the browsers in which sign-ins were completed; newest last.
        history: The entries since the row was read, oldest first; each is stored as a part of its own.
        history_count: How many entries of changes there have been.
        attempts_count: How many entries of attempts there have been.
        last_attempt: The last entry of an attempt, which a further one of its like is merged with.
        dropped: The names of the stored entries that are to be removed.
        passwords: Wrong passwords.
        sign_ins: Sign-ins begun by a right password, and not completed.
        one_time_password: True if an administrator has set the password, which is to be changed at the next sign-in.
        phrases: Phrases that were entered and paired no phone.

    """

    account_id: Identifier
    name: Text
    name_digest: Digest | None = None
    display_name: Text
    email: Text = ""
    password_hash: Text = field(repr=False)
    created_at: Moment
    revision: int = 0
    removed_at: Moment | None = None
    invitation: Invitation | None = None
    enrolment_emails: tuple[Moment, ...] = ()
    devices: tuple[Device, ...] = ()
    apps: tuple[AuthenticatorApp, ...] = ()
    recovery: RecoveryCodes | None = None
    push: Push = Push()
    codes: Attempts = NO_ATTEMPTS
    recovery_codes: Attempts = NO_ATTEMPTS
    logins: tuple[Login, ...] = ()
    sessions: tuple[Session, ...] = ()
    remembered: tuple[RememberedBrowser, ...] = ()
    known_browsers: tuple[Digest, ...] = ()
    history: Annotated[tuple[HistoryEntry, ...], Field(exclude=True)] = ()
    history_count: int = 0
    attempts_count: int = 0
    last_attempt: HistoryEntry | None = None
    dropped: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    passwords: Attempts = NO_ATTEMPTS
    sign_ins: Attempts = NO_ATTEMPTS
    one_time_password: bool = False
    phrases: Throttle = NO_FAILURES

    @property
    def full_name(self) -> str:
        """The display name, and the sign-in name where it differs: one person may have several accounts."""
        same = self.display_name.casefold() == self.name.casefold()
        return self.display_name if same else f"{self.display_name} ({self.name})"

    @property
    def password_change_due(self) -> bool:
        """True from a report, or from an administrator's password, until the password is changed."""
        return self.one_time_password or self.push.reported is not None

    @property
    def administered(self) -> tuple[object, ...]:
        """What administrators decide on: whether it exists, its name, methods, address, password and invitation."""
        methods = tuple(each.method_id for each in self.methods)
        codes = None if self.recovery is None else self.recovery.made_at
        return (self.removed_at, self.name, methods, codes, self.email, self.password_hash, self.invitation)

    @property
    def enrolled(self) -> bool:
        """True if the account has a phone or an app."""
        return bool(self.devices or self.apps)

    @property
    def methods(self) -> tuple[Device | AuthenticatorApp, ...]:
        """The phones, then the apps."""
        return (*self.devices, *self.apps)

    def knows(self, browser_digest: str | None) -> bool:
        """Return whether a sign-in was completed in a browser."""
        return browser_digest in self.known_browsers

    def knows_browser_of(self, login: Login) -> bool:
        """Return whether a login is in a browser that the account knows; each session's browser is."""
        return login.kind is not LoginKind.SIGN_IN or self.knows(login.browser_digest)

    def login(self, login_id: str) -> Login | None:
        """Return the login with an id, or None."""
        return next((each for each in self.logins if each.login_id == login_id), None)

    def login_by_digest(self, login_digest: str) -> Login | None:
        """Return the login whose token has a digest, or None."""
        return next((each for each in self.logins if each.login_digest == login_digest), None)

    def login_of_challenge(self, challenge_id: str) -> Login | None:
        """Return the login whose last challenge has an id, or None."""
        found = (each for each in self.logins if each.challenge and each.challenge.challenge_id == challenge_id)
        return next(found, None)

    def login_of_pairing(self, pairing_id: str) -> Login | None:
        """Return the login whose last phrase began a pairing, or None."""
        return next((each for each in self.logins if each.pairing and each.pairing.pairing_id == pairing_id), None)

    def session(self, session_digest: str, at: datetime) -> Session | None:
        """Return the session whose token has a digest, if it is open at a time."""
        found = next((each for each in self.sessions if each.session_digest == session_digest), None)
        return found if found and found.open_at(at) else None

    def device(self, device_id: str) -> Device | None:
        """Return a paired phone, or None."""
        return next((each for each in self.devices if each.device_id == device_id), None)

    def method(self, method_id: str) -> Device | AuthenticatorApp | None:
        """Return a phone or an app by its method id, or None."""
        return next((each for each in self.methods if each.method_id == method_id), None)

    def open_challenge(self) -> Login | None:
        """Return the login whose challenge is open, or None; the row must be expired."""
        return next((each for each in self.logins if each.state is LoginState.CHALLENGED), None)

    def with_login(self, login: Login) -> "Account":
        """Return the account with a login changed or added."""
        if self.login(login.login_id) is None:
            return replace(self, logins=(*self.logins, login))
        logins = tuple(login if each.login_id == login.login_id else each for each in self.logins)
        return replace(self, logins=logins)

    def with_ended(self, logins: Iterable[Login], reason: EndReason, at: datetime) -> "Account":
        """Return the account with some of its logins ended, except those that are over."""
        ended = self
        for login in logins:
            if not login.over:
                ended = ended.with_login(login.ended(reason, at))
        return ended

    def with_device(self, device: Device) -> "Account":
        """Return the account with one of its phones replaced."""
        return replace(self, devices=_with(self.devices, device))

    def with_app(self, app: AuthenticatorApp) -> "Account":
        """Return the account with one of its apps replaced."""
        return replace(self, apps=_with(self.apps, app))

    def with_session(self, session: Session) -> "Account":
        """Return the account with one of its sessions replaced."""
        sessions = tuple(session if each.session_digest == session.session_digest else each for each in self.sessions)
        return replace(self, sessions=sessions)

    def with_challenge_counted(self, at: datetime, limits: Limits) -> "Account":
        """Return the account with one more challenge counted."""
        sent = (*self.push.sent, at)[-limits.challenges.most :]
        return replace(self, push=replace(self.push, sent=sent))

    def with_denial_counted(self, at: datetime, limits: Limits) -> "Account":
        """Return the account with one more denial counted."""
        return replace(self, push=replace(self.push, denials=self.push.denials.failed(at, limits.denials)))

    def with_denials_cleared(self) -> "Account":
        """Return the account without denials."""
        return replace(self, push=replace(self.push, denials=self.push.denials.succeeded()))

    def with_attempts_cleared(self) -> "Account":
        """Return the account without wrong passwords and codes, and without sign-ins begun."""
        return replace(self, passwords=NO_ATTEMPTS, codes=NO_ATTEMPTS, recovery_codes=NO_ATTEMPTS, sign_ins=NO_ATTEMPTS)

    def with_history(
        self,
        what: HistoryKind,
        at: datetime,
        login: Login | None = None,
        *,
        device_name: str = "",
        browser: Browser | None = None,
    ) -> "Account":
        """Return the account with a history entry added; a login gives the entry its browser, phone and method.

        An attempt like the last one is merged with it.
        """
        entry = HistoryEntry(what=what, at=at, browser=browser, device_name=device_name)
        if login is not None:
            challenged = login.challenge.device_name if login.challenge is not None else ""
            entry = HistoryEntry(
                what=what, at=at, browser=login.browser, device_name=device_name or challenged, method=login.method
            )
        if what not in ATTEMPTS:
            return replace(self, history=(*self.history, entry), history_count=self.history_count + 1)
        last = self.last_attempt
        if last is None or not entry.is_like(last):
            history = (*self.history, entry)
            return replace(self, history=history, attempts_count=self.attempts_count + 1, last_attempt=entry)
        merged = replace(entry, count=last.count + 1)
        others = tuple(each for each in self.history if each is not last)
        return replace(self, history=(*others, merged), last_attempt=merged)

    def parts(self) -> Sequence[tuple[str, HistoryEntry | None]]:
        """Return the entries of the history since the row was read, and those that are to be removed."""
        changes = [each for each in self.history if each.what not in ATTEMPTS]
        attempts = [each for each in self.history if each.what in ATTEMPTS]
        return [
            *((name, None) for name in self.dropped),
            *zip(_names("history", self.history_count, len(changes)), changes, strict=True),
            *zip(_names("attempts", self.attempts_count, len(attempts)), attempts, strict=True),
        ]

    def settled(self) -> Self:
        """Return the row as it is stored, without its history."""
        return replace(self, history=(), dropped=()) if self.history or self.dropped else self

    @property
    def stored_history(self) -> tuple[str, ...]:
        """The names of the parts with the stored entries: changes, then attempts, each oldest first."""
        attempts = sum(each.what in ATTEMPTS for each in self.history)
        changes = len(self.history) - attempts
        return (
            *_names("history", self.history_count - changes, MOST_HISTORY),
            *_names("attempts", self.attempts_count - attempts, MOST_HISTORY),
        )


def _names(kind: str, count: int, newest: int) -> Sequence[str]:
    """Return the names of the parts with the newest of so many entries since the account was created."""
    return [f"{kind}/{number % MOST_HISTORY:02d}" for number in range(max(0, count - newest), count)]


def _with(methods: tuple[MethodT, ...], changed: MethodT) -> tuple[MethodT, ...]:
    return tuple(changed if each.method_id == changed.method_id else each for each in methods)
