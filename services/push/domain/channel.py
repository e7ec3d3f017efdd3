"""A device's channel: how the device is reached, and the challenges that wait for its person."""

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
"""A challenge is kept this long after it expired, so that a late answer hears that it is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChallenge:
    """A challenge that waits for its person.

    Attributes:
        traceparent: The trace of the login that it belongs to.

    """

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
    """What the device shall hear of a pairing that ended.

    Attributes:
        pairing_id: The pairing.
        statement: What the device checks (protocol.unpaired).

    """

    pairing_id: Identifier
    statement: Jws


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Row):
    """How a device is reached, and what waits for it.

    Attributes:
        device_id: The device; the row's key.
        device_name: Its name; empty until it connects for the first time.
        pending: The challenges that wait, oldest first.
        answered: The last answers, oldest first.
        unpaired: The last pairings of it that ended, oldest first. It may have heard of them already: it does not say.
        nonces: The nonces that it used lately.

    """

    device_id: Digest
    device_name: Text = ""
    pending: tuple[PendingChallenge, ...] = ()
    answered: tuple[AnsweredChallenge, ...] = ()
    unpaired: tuple[UnpairedStatement, ...] = ()
    nonces: tuple[UsedNonce, ...] = ()

    def waiting(self, challenge_id: str) -> PendingChallenge | None:
        """Return the challenge of this id that waits, or None."""
        return next((each for each in self.pending if each.challenge_id == challenge_id), None)

    def answer_to(self, challenge_id: str) -> AnsweredChallenge | None:
        """Return how a challenge was answered, or None."""
        return next((each for each in self.answered if each.challenge_id == challenge_id), None)

    def open_at(self, moment: datetime) -> tuple[PendingChallenge, ...]:
        """Return the challenges that can still be answered."""
        return tuple(each for each in self.pending if moment <= each.expires_at)


def keep_challenge(channel: Channel, event: Event[ChallengeIssued]) -> Decision[Channel]:
    """Keep a challenge for the device; tell the waiting page if nobody has ever seen that device."""
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
    """Know a device, or its new name; what waits for it goes on waiting."""
    return Decision(replace(channel, device_name=event.data.device_name))


def withdraw(channel: Channel, event: Event[ChallengeWithdrawn]) -> Decision[Channel]:
    """Let a challenge go."""
    left = tuple(each for each in channel.pending if each.challenge_id != event.data.challenge_id)
    return Decision(replace(channel, pending=left))


def take_answer(channel: Channel, event: Event[SubmitAnswer]) -> Decision[Channel]:
    """Take the first answer to a challenge, in time and to exactly that challenge; each nonce once."""
    answer, at = event.data, event.time
    nonces = recent_nonces(channel.nonces, at)
    if is_used(nonces, answer.nonce):
        return Decision(channel, outcome=Refusal.REPLAYED)
    if len(nonces) >= MAX_NONCES:
        return Decision(channel, outcome=Refusal.TOO_MANY)
    spent = replace(channel, nonces=(*nonces, UsedNonce(nonce=answer.nonce, at=at)))
    pending = channel.waiting(answer.challenge_id)
    outcome = _judge(channel, pending, answer, at)
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


def _judge(channel: Channel, pending: PendingChallenge | None, answer: SubmitAnswer, at: datetime) -> str:
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
    """Make room for one more challenge: those that expired first give way."""
    surplus = max(0, len(pending) + 1 - MOST_PENDING)
    leaving = sorted(pending, key=lambda each: each.expires_at)[:surplus]
    return tuple(each for each in pending if each not in leaving)


def _pruned(pending: tuple[PendingChallenge, ...], at: datetime) -> tuple[PendingChallenge, ...]:
    return tuple(each for each in pending if at <= each.expires_at + KEPT_AFTER_EXPIRY)
