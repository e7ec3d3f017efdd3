"""A device's channel: the challenges that wait for an answer, and how the last ones ended."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from protocol.signed_requests import Refusal
from schemas.base import Digest, Identifier, Jws, Moment, Text
from schemas.codec import Event
from schemas.contract import ChallengeEnded, ChallengeIssued, ChallengeOutcome, Delivery, Purpose, PushReceipt, Verdict
from schemas.push_messages import ForgetDevice, RegisterDevice
from services.common.decisions import Decision, Row

MOST_PENDING: Final = 10
MOST_ENDED: Final = 20
MOST_UNPAIRED: Final = 20
KEPT_AFTER_EXPIRY: Final = timedelta(seconds=600)
"""How long an expired challenge is kept: as long as the device asks what became of its answer."""
KEPT_UNPAIRED: Final = timedelta(hours=1)
"""How long the channel of a device is kept that no pairing was completed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChallenge:
    """A challenge that waits for an answer, with the trace of its login."""

    challenge_id: Identifier
    reply_key: Identifier
    purpose: Purpose
    challenge: Jws
    issued_at: Moment
    expires_at: Moment
    traceparent: str = ""

    @classmethod
    def of(cls, issued: ChallengeIssued, traceparent: str) -> Self:
        """Return the challenge of a message."""
        return cls(
            challenge_id=issued.challenge_id,
            reply_key=issued.reply_key,
            purpose=issued.purpose,
            challenge=issued.challenge,
            issued_at=issued.issued_at,
            expires_at=issued.expires_at,
            traceparent=traceparent,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedChallenge:
    """A challenge that ended, and how; see `schemas.contract.ChallengeEnded`."""

    challenge_id: Identifier
    outcome: ChallengeOutcome
    verdict: Verdict | None = None
    answer_id: Digest | None = None

    @classmethod
    def of(cls, message: ChallengeEnded) -> Self:
        """Return what a message tells."""
        return cls(
            challenge_id=message.challenge_id,
            outcome=message.outcome,
            verdict=message.verdict,
            answer_id=message.answer_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpairedStatement:
    """The signed statement that a pairing ended (protocol.unpaired)."""

    pairing_id: Identifier
    statement: Jws


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Row):
    """The row of a device.

    Attributes:
        device_id: The device; the row's key.
        device_name: Its name; empty until it connects.
        paired: True once a pairing of the device was approved, or a login challenged it.
        pending: The challenges that wait, oldest first.
        ended: The last challenges that ended, oldest first.
        unpaired: Its last pairings that ended, oldest first. The device does not acknowledge them.

    """

    device_id: Digest
    device_name: Text = ""
    paired: bool = False
    pending: tuple[PendingChallenge, ...] = ()
    ended: tuple[EndedChallenge, ...] = ()
    unpaired: tuple[UnpairedStatement, ...] = ()

    def waiting(self, challenge_id: str) -> PendingChallenge | None:
        """Return the pending challenge with an id, or None."""
        return next((each for each in self.pending if each.challenge_id == challenge_id), None)

    def open_at(self, moment: datetime) -> tuple[PendingChallenge, ...]:
        """Return the challenges that can still be answered."""
        return tuple(each for each in self.pending if moment <= each.expires_at)

    def end_of(self, challenge_id: str) -> EndedChallenge | None:
        """Return how a challenge ended, or None."""
        return next((each for each in self.ended if each.challenge_id == challenge_id), None)

    def is_forgettable(self, at: datetime) -> bool:
        """Return whether the device was never paired, and nothing has happened to it for long."""
        moments = (*(each.expires_at for each in self.pending), *(each.at for each in self.processed))
        return not (self.paired or self.unpaired) and all(at > each + KEPT_UNPAIRED for each in moments)

    def with_pending(self, added: PendingChallenge) -> Self | None:
        """Return the channel with one more challenge in place of the first to expire; None if too many are open."""
        if sum(added.issued_at <= each.expires_at for each in self.pending) >= MOST_PENDING:
            return None
        surplus = max(0, len(self.pending) + 1 - MOST_PENDING)
        evicted = sorted(self.pending, key=lambda each: each.expires_at)[:surplus]
        return replace(self, pending=(*(each for each in self.pending if each not in evicted), added))


def keep_challenge(channel: Channel, event: Event[ChallengeIssued]) -> Decision[Channel]:
    """Keep a challenge for the device.

    The challenge of a login gets an undeliverable receipt if the device never connected. A device is not known before
    its first pairing, so nothing tells whether the challenge of that reaches it.
    """
    issued = event.data
    by_login = issued.purpose is Purpose.LOGIN
    if channel.waiting(issued.challenge_id) or channel.end_of(issued.challenge_id):
        return Decision(channel)
    undeliverable = PushReceipt(
        challenge_id=issued.challenge_id,
        reply_key=issued.reply_key,
        device_name=channel.device_name,
        delivery=Delivery.UNDELIVERABLE,
    )
    kept = replace(channel, paired=channel.paired or by_login, pending=_pruned(channel.pending, issued.issued_at))
    added = kept.with_pending(PendingChallenge.of(issued, event.traceparent))
    if added is None:
        return Decision(kept, (undeliverable,), Refusal.TOO_MANY)
    return Decision(added, (undeliverable,) if by_login and not channel.device_name else ())


def register(channel: Channel, event: Event[RegisterDevice]) -> Decision[Channel]:
    """Record the device's name."""
    return Decision(replace(channel, device_name=event.data.device_name))


def forget(channel: Channel, event: Event[ForgetDevice]) -> Decision[Channel]:
    """Delete the row of a device that was never paired."""
    return Decision(None if channel.is_forgettable(event.time) else channel)


def end(channel: Channel, event: Event[ChallengeEnded]) -> Decision[Channel]:
    """Remove a challenge that ended, and keep how."""
    message = event.data
    ended = channel.waiting(message.challenge_id)
    approved = ended is not None and message.outcome is ChallengeOutcome.APPROVED
    pending = tuple(each for each in channel.pending if each.challenge_id != message.challenge_id)
    others = tuple(each for each in channel.ended if each.challenge_id != message.challenge_id)
    kept = (*others, EndedChallenge.of(message))[-MOST_ENDED:]
    return Decision(replace(channel, paired=channel.paired or approved, pending=pending, ended=kept))


def _pruned(pending: tuple[PendingChallenge, ...], at: datetime) -> tuple[PendingChallenge, ...]:
    return tuple(each for each in pending if at <= each.expires_at + KEPT_AFTER_EXPIRY)
