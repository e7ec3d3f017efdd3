"""A device's channel: the challenges that wait for an answer, and the last answers."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from protocol.challenges import challenge_digest
from protocol.signed_requests import Refusal
from schemas.base import Digest, Identifier, Jws, Moment, Text
from schemas.codec import Event
from schemas.contract import AuthResponse, ChallengeIssued, ChallengeWithdrawn, Delivery, Purpose, PushReceipt, Verdict
from schemas.push_messages import RegisterDevice, SubmitAnswer
from services.common.decisions import OK, Decision, Row
from services.common.used_nonces import MAX_NONCES, UsedNonce, is_used, recent_nonces

MOST_PENDING: Final = 10
MOST_ANSWERED: Final = 20
MOST_UNPAIRED: Final = 20
KEPT_AFTER_EXPIRY: Final = timedelta(seconds=600)
"""How long an expired challenge is kept, so that a late answer is refused as expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChallenge:
    """A challenge that waits for an answer, with the trace of its login."""

    challenge_id: Identifier
    reply_key: Identifier
    purpose: Purpose
    challenge: Jws
    expires_at: Moment
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredChallenge:
    """A challenge that was answered."""

    challenge_id: Identifier
    verdict: Verdict
    at: Moment


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
        device_name: Its name; empty until it first connects.
        pending: The challenges that wait, oldest first.
        answered: The last answers, oldest first.
        unpaired: Its last pairings that ended, oldest first. The device does not acknowledge them.
        nonces: The nonces that it used recently.

    """

    device_id: Digest
    device_name: Text = ""
    pending: tuple[PendingChallenge, ...] = ()
    answered: tuple[AnsweredChallenge, ...] = ()
    unpaired: tuple[UnpairedStatement, ...] = ()
    nonces: tuple[UsedNonce, ...] = ()

    def waiting(self, challenge_id: str) -> PendingChallenge | None:
        """Return the pending challenge with an id, or None."""
        return next((each for each in self.pending if each.challenge_id == challenge_id), None)

    def answer_to(self, challenge_id: str) -> AnsweredChallenge | None:
        """Return the answer to a challenge, or None."""
        return next((each for each in self.answered if each.challenge_id == challenge_id), None)

    def open_at(self, moment: datetime) -> tuple[PendingChallenge, ...]:
        """Return the challenges that can still be answered."""
        return tuple(each for each in self.pending if moment <= each.expires_at)


def keep_challenge(channel: Channel, event: Event[ChallengeIssued]) -> Decision[Channel]:
    """Keep a challenge for the device; a device that never connected gets an undeliverable receipt."""
    issued = event.data
    if channel.waiting(issued.challenge_id) or channel.answer_to(issued.challenge_id):
        return Decision(channel)
    pending = _pruned(channel.pending, issued.issued_at)
    undeliverable = PushReceipt(
        challenge_id=issued.challenge_id,
        reply_key=issued.reply_key,
        device_name=channel.device_name,
        delivery=Delivery.UNDELIVERABLE,
    )
    if sum(issued.issued_at <= each.expires_at for each in pending) >= MOST_PENDING:
        return Decision(replace(channel, pending=pending), (undeliverable,), Refusal.TOO_MANY)
    added = PendingChallenge(
        challenge_id=issued.challenge_id,
        reply_key=issued.reply_key,
        purpose=issued.purpose,
        challenge=issued.challenge,
        expires_at=issued.expires_at,
        traceparent=event.traceparent,
    )
    events = () if channel.device_name else (undeliverable,)
    return Decision(replace(channel, pending=(*_with_room(pending), added)), events)


def register(channel: Channel, event: Event[RegisterDevice]) -> Decision[Channel]:
    """Record the device's name."""
    return Decision(replace(channel, device_name=event.data.device_name))


def withdraw(channel: Channel, event: Event[ChallengeWithdrawn]) -> Decision[Channel]:
    """Remove a withdrawn challenge."""
    left = tuple(each for each in channel.pending if each.challenge_id != event.data.challenge_id)
    return Decision(replace(channel, pending=left))


def accept_answer(channel: Channel, event: Event[SubmitAnswer]) -> Decision[Channel]:
    """Accept the first answer to a challenge, in time and with the challenge's digest; each nonce works once."""
    answer, at = event.data, event.time
    nonces = recent_nonces(channel.nonces, at)
    if is_used(nonces, answer.nonce):
        return Decision(channel, outcome=Refusal.REPLAYED)
    if len(nonces) >= MAX_NONCES:
        return Decision(channel, outcome=Refusal.TOO_MANY)
    spent = replace(channel, nonces=(*nonces, UsedNonce(nonce=answer.nonce, at=at)))
    pending = channel.waiting(answer.challenge_id)
    outcome = _answer_outcome(channel, pending, answer, at)
    if pending is None or outcome != OK:
        return Decision(spent, outcome=outcome)
    response = AuthResponse(
        challenge_id=answer.challenge_id,
        device_id=channel.device_id,
        reply_key=pending.reply_key,
        purpose=pending.purpose,
        verdict=answer.verdict,
        challenge=pending.challenge,
        answer=answer.answer,
        answered_at=at,
    )
    answered = AnsweredChallenge(challenge_id=answer.challenge_id, verdict=answer.verdict, at=at)
    left = tuple(each for each in _pruned(channel.pending, at) if each.challenge_id != answer.challenge_id)
    taken = replace(spent, pending=left, answered=(*channel.answered, answered)[-MOST_ANSWERED:])
    return Decision(taken, (response,))


def _answer_outcome(channel: Channel, pending: PendingChallenge | None, answer: SubmitAnswer, at: datetime) -> str:
    if channel.answer_to(answer.challenge_id):
        return Refusal.ALREADY_ANSWERED
    if pending is None:
        return Refusal.UNKNOWN_CHALLENGE
    if at > pending.expires_at:
        return Refusal.EXPIRED
    if answer.challenge_digest != challenge_digest(pending.challenge):
        return Refusal.WRONG_CHALLENGE
    return OK


def _with_room(pending: tuple[PendingChallenge, ...]) -> tuple[PendingChallenge, ...]:
    """Return the challenges without the earliest to expire, so that one more fits."""
    surplus = max(0, len(pending) + 1 - MOST_PENDING)
    evicted = sorted(pending, key=lambda each: each.expires_at)[:surplus]
    return tuple(each for each in pending if each not in evicted)


def _pruned(pending: tuple[PendingChallenge, ...], at: datetime) -> tuple[PendingChallenge, ...]:
    return tuple(each for each in pending if at <= each.expires_at + KEPT_AFTER_EXPIRY)
