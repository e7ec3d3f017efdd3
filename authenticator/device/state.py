"""What a device remembers beside its key: its accounts with their pinned issuers, its last phrase, a history."""

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
"""Differences of the clocks that are smaller are not worth remembering: an answer is on its way for as long."""
DEFAULT_URL: Final = "http://localhost:8300"
DeviceName = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class ChallengeOutcome(StrEnum):
    """How a request ended on this device."""

    APPROVED = "approved"
    DENIED = "denied"
    REPORTED = "reported"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ANSWERED = "answered"
    REMOVED = "removed"

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Return the outcome of a verdict that was taken."""
        return cls({Verdict.APPROVE: "approved", Verdict.DENY: "denied", Verdict.REPORT: "reported"}[verdict])

    @property
    def settled(self) -> bool:
        """Whether it is final: a request that ran out or was withdrawn is open if the service sends it again."""
        return self not in {ChallengeOutcome.EXPIRED, ChallengeOutcome.WITHDRAWN}


class Account(Model):
    """An account that this device answers for.

    Attributes:
        account_id: The account, as its issuer names it.
        account_name: Its name as its owner reads it.
        service: What the person signs in to.
        issuer: URL of the service whose login challenges are believed for this account.
        keys: Thumbprints of that service's keys, pinned.
        paired_at: When the person accepted.
        pairing_id: The pairing that made it; None if it was made before devices kept that.
        agreement: That service's public key for the secret of verification codes, as the pairing named it; None if the
            account has no codes.

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
    """That this device asked for a pairing phrase: only then is a pairing challenge believed.

    Attributes:
        asked_at: When, by the service's clock.
        expires_at: When the phrase ends.

    """

    asked_at: Moment
    expires_at: Moment


class Entry(Model):
    """A request that ended, or an account that its service removed.

    Attributes:
        challenge_id: The request; of a removed account, the pairing.
        purpose: What was asked.
        service: What the person signs in to.
        account_name: For which account.
        browser: Which browser asked, from where; None where none did.
        outcome: How it ended.
        at: When, by the service's clock.

    """

    challenge_id: Identifier
    purpose: Purpose
    service: Text
    account_name: Text
    browser: Browser | None
    outcome: ChallengeOutcome
    at: Moment


class State(Model):
    """All that a device remembers beside its key.

    Attributes:
        device_name: The device's name as its owner reads it.
        url: The push service's origin.
        accounts: The accounts, the oldest first.
        phrase: The phrase that was asked for last, until it is used.
        history: The requests that ended, the newest last.
        clock_offset_seconds: How far the push service's clock was ahead of this device's when they last met, so that
            codes are right without a network.

    """

    device_name: DeviceName
    url: Text = DEFAULT_URL
    accounts: tuple[Account, ...] = ()
    phrase: PhraseRequest | None = None
    history: tuple[Entry, ...] = ()
    clock_offset_seconds: FiniteFloat = 0.0

    def account(self, issuer: str, account_id: str) -> Account | None:
        """Return the account that was paired with an issuer under an id, or None."""
        found = (each for each in self.accounts if (each.issuer, each.account_id) == (issuer, account_id))
        return next(found, None)

    def with_names(self, *, device_name: str | None = None, url: str | None = None) -> Self:
        """Give the device another name, or another push service, where one is given.

        Raises:
            ValueError: If it is not a name of 1 to 60 characters, or too long a URL.

        """
        changes = {name: value for name, value in (("device_name", device_name), ("url", url)) if value is not None}
        return self.model_validate({**self.model_dump(), **changes})

    def with_account(self, account: Account) -> Self:
        """Add an account, or replace it where it was paired before."""
        same = (account.issuer, account.account_id)
        others = (each for each in self.accounts if (each.issuer, each.account_id) != same)
        return self.model_copy(update={"accounts": (*others, account)})

    def with_pinned(self, issuer: str, account_id: str, key: str) -> Self:
        """Pin one more key of an account's issuer."""

        def pinned(account: Account) -> Account:
            if (account.issuer, account.account_id) != (issuer, account_id) or key in account.keys:
                return account
            return account.model_copy(update={"keys": (*account.keys, key)})

        return self.model_copy(update={"accounts": tuple(map(pinned, self.accounts))})

    def with_phrase(self, phrase: PhraseRequest | None) -> Self:
        """Remember that a phrase was asked for, or that it was used."""
        return self.model_copy(update={"phrase": phrase})

    def with_ended(self, claims: Claims, outcome: ChallengeOutcome, at: datetime) -> Self:
        """Note how a request ended, in place of an end that was none. A settled pairing uses its phrase up."""
        entry = Entry(
            challenge_id=claims.jti,
            purpose=claims.purpose,
            service=claims.service,
            account_name=claims.account_name,
            browser=claims.browser,
            outcome=outcome,
            at=at,
        )
        others = tuple(each for each in self.history if each.challenge_id != claims.jti or each.outcome.settled)
        noted = self.model_copy(update={"history": _noted(others, entry)})
        return noted.with_phrase(None) if claims.purpose is Purpose.PAIRING and outcome.settled else noted

    def with_removed(self, account: Account, at: datetime) -> Self:
        """Remove an account as its service says, and note it; not if it was paired again meanwhile."""
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
        return self.model_copy(update={"accounts": left, "history": _noted(self.history, entry)})

    def with_clock(self, offset_seconds: float) -> Self:
        """Remember how far the service's clock is ahead, where that differs from what is remembered."""
        if abs(offset_seconds - self.clock_offset_seconds) < CLOCK_STEP_SECONDS:
            return self
        return self.model_copy(update={"clock_offset_seconds": offset_seconds})

    def settled(self, challenge_id: str) -> bool:
        """Tell whether a request is over for good, so that it is not shown again."""
        return any(entry.challenge_id == challenge_id and entry.outcome.settled for entry in self.history)


def new_account(claims: Claims, at: datetime) -> Account | None:
    """Return the account that an accepted pairing challenge makes, or None where it pins no issuer."""
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


def _noted(history: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    return (*history, entry)[-HISTORY_LENGTH:]


def _distinct(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))


Change = Callable[[State], State]
