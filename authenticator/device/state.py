"""A device's state: its accounts with their pinned issuers, its last phrase, its history."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import FiniteFloat, StringConstraints

from protocol.challenges import Claims
from schemas.base import AgreementKey, Browser, Digest, Identifier, Model, Moment, Text
from schemas.contract import Purpose, Verdict

HISTORY_LENGTH: Final = 200
CLOCK_STEP_SECONDS: Final = 1.0
"""Smaller differences of the clocks are not stored: they are within the latency of a response."""
DEFAULT_URL: Final = "http://localhost:8300"
DeviceName = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class ChallengeOutcome(StrEnum):
    """How a request ended on this device."""

    APPROVED = "approved"
    DENIED = "denied"
    REPORTED = "reported"
    WRONG_NUMBER = "wrong_number"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ANSWERED = "answered"
    REMOVED = "removed"

    @classmethod
    def of(cls, verdict: Verdict, outcome: str = "") -> Self:
        """Return the outcome of an accepted verdict, as the service says it; an older service does not."""
        if outcome == cls.WRONG_NUMBER:
            return cls(outcome)
        return cls({Verdict.APPROVE: "approved", Verdict.DENY: "denied", Verdict.REPORT: "reported"}[verdict])

    @property
    def final(self) -> bool:
        """Whether it is final. A request that expired or was withdrawn opens again if the service sends it again."""
        return self not in {ChallengeOutcome.EXPIRED, ChallengeOutcome.WITHDRAWN}


class Account(Model):
    """An account that is paired with this device.

    Attributes:
        account_id: The account's id at its issuer.
        account_name: Its name, for its owner.
        service: The product's name.
        issuer: The URL of the service whose login challenges are trusted for the account.
        keys: Thumbprints of the issuer's keys, pinned.
        paired_at: When the person accepted.
        pairing_id: The pairing; None for accounts from before devices kept it.
        agreement: The issuer's public agreement key from the pairing; None if the account has no codes.

    """

    account_id: Identifier
    account_name: Text
    service: Text
    issuer: Text
    keys: tuple[Digest, ...]
    paired_at: Moment
    pairing_id: Identifier | None = None
    agreement: AgreementKey | None = None


class PhraseRequest(Model):
    """A request for a pairing phrase, by the service's time. Only then is a pairing challenge trusted."""

    asked_at: Moment
    expires_at: Moment


class Entry(Model):
    """An entry of the history: a request that ended, or an account that its service removed.

    Attributes:
        challenge_id: The request's id; the pairing's id for a removed account.
        browser: The browser of the request; None for a removed account.
        outcome: How it ended.
        at: When it ended, by the service's time.

    """

    challenge_id: Identifier
    purpose: Purpose
    service: Text
    account_name: Text
    browser: Browser | None
    outcome: ChallengeOutcome
    at: Moment


class State(Model):
    """A device's state, except its keys.

    Attributes:
        device_name: The device's name, for its owner.
        url: The push service's URL.
        accounts: The accounts, oldest first.
        phrase: The last request for a phrase, until the phrase is used.
        history: The entries, newest last.
        clock_offset_seconds: How far the service's clock was last ahead of this device's, for codes without a network.

    """

    device_name: DeviceName
    url: Text = DEFAULT_URL
    accounts: tuple[Account, ...] = ()
    phrase: PhraseRequest | None = None
    history: tuple[Entry, ...] = ()
    clock_offset_seconds: FiniteFloat = 0.0

    def account(self, issuer: str, account_id: str) -> Account | None:
        """Return the account with an id at an issuer, or None."""
        found = (each for each in self.accounts if (each.issuer, each.account_id) == (issuer, account_id))
        return next(found, None)

    def with_names(self, *, device_name: str | None = None, url: str | None = None) -> Self:
        """Return the state with another device name or push service; None leaves either as it is.

        Raises:
            ValueError: If the name does not have 1 to 60 characters, or the URL is too long.

        """
        changes = {name: value for name, value in (("device_name", device_name), ("url", url)) if value is not None}
        return self.model_validate({**self.model_dump(), **changes})

    def with_account(self, account: Account) -> Self:
        """Return the state with an account added or replaced."""
        same = (account.issuer, account.account_id)
        others = (each for each in self.accounts if (each.issuer, each.account_id) != same)
        return self.model_copy(update={"accounts": (*others, account)})

    def with_pinned(self, issuer: str, account_id: str, key: str) -> Self:
        """Return the state with a further key pinned for an account's issuer."""

        def pinned(account: Account) -> Account:
            if (account.issuer, account.account_id) != (issuer, account_id) or key in account.keys:
                return account
            return account.model_copy(update={"keys": (*account.keys, key)})

        return self.model_copy(update={"accounts": tuple(map(pinned, self.accounts))})

    def with_phrase(self, phrase: PhraseRequest | None) -> Self:
        """Return the state with the last request for a phrase, or without one."""
        return self.model_copy(update={"phrase": phrase})

    def with_ended(self, claims: Claims, outcome: ChallengeOutcome, at: datetime) -> Self:
        """Return the state with a request's end, in place of one that was not final; a pairing uses its phrase."""
        entry = Entry(
            challenge_id=claims.jti,
            purpose=claims.purpose,
            service=claims.service,
            account_name=claims.account_name,
            browser=claims.browser,
            outcome=outcome,
            at=at,
        )
        others = tuple(each for each in self.history if each.challenge_id != claims.jti or each.outcome.final)
        recorded = self.model_copy(update={"history": _appended(others, entry)})
        return recorded.with_phrase(None) if claims.purpose is Purpose.PAIRING and outcome.final else recorded

    def with_removed(self, account: Account, at: datetime) -> Self:
        """Return the state without an account, unless the account was paired again since."""
        current = self.account(account.issuer, account.account_id)
        if current is None or current.pairing_id is None or current.pairing_id != account.pairing_id:
            return self
        entry = Entry(
            challenge_id=current.pairing_id,
            purpose=Purpose.PAIRING,
            service=current.service,
            account_name=current.account_name,
            browser=None,
            outcome=ChallengeOutcome.REMOVED,
            at=at,
        )
        left = tuple(each for each in self.accounts if each is not current)
        return self.model_copy(update={"accounts": left, "history": _appended(self.history, entry)})

    def with_clock(self, offset_seconds: float) -> Self:
        """Return the state with the clock's offset, if it differs from the stored one."""
        if abs(offset_seconds - self.clock_offset_seconds) < CLOCK_STEP_SECONDS:
            return self
        return self.model_copy(update={"clock_offset_seconds": offset_seconds})

    def is_final(self, challenge_id: str) -> bool:
        """Tell whether a request has a final outcome, so that it is not shown again."""
        return any(entry.challenge_id == challenge_id and entry.outcome.final for entry in self.history)


def new_account(claims: Claims, at: datetime) -> Account | None:
    """Return the account of an accepted pairing challenge, or None if the challenge names no issuer."""
    if claims.login_issuer is None:
        return None
    return Account(
        account_id=claims.account_id,
        account_name=claims.account_name,
        service=claims.service,
        issuer=claims.login_issuer.issuer,
        keys=_distinct(claims.login_issuer.keys),
        paired_at=at,
        pairing_id=claims.jti,
        agreement=claims.login_issuer.agreement,
    )


def _appended(history: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    return (*history, entry)[-HISTORY_LENGTH:]


def _distinct(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))


Change = Callable[[State], State]
