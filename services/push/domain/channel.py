"""What a challenge, its withdrawal, a device's registration and an answer do to a channel."""

from datetime import datetime

from protocol.challenges import challenge_digest
from protocol.signed_requests import Refusal
from schemas.base import Message
from schemas.codec import Event
from schemas.contract import AuthResponse, ChallengeIssued, ChallengeWithdrawn, Delivery, PushReceipt
from schemas.push_commands import RegisterDevice, SubmitAnswer, TellUnpaired
from services.common.decisions import OK, Decision
from services.common.used_nonces import MOST_KEPT, UsedNonce, is_used, recent_nonces
from services.push.domain.rows import (
    KEPT_AFTER_EXPIRY,
    MOST_ANSWERED,
    MOST_PENDING,
    AnsweredChallenge,
    Channel,
    PendingChallenge,
)
from services.push.domain.unpaired import decide_unpaired


def decide(row: Channel | None, event: Event[Message]) -> Decision[Channel]:
    """Decide any event that concerns a channel.

    Args:
        row: The device's channel, or None if it was never heard of.
        event: The event.

    Returns:
        The decision; its outcome is ``ok`` or a refusal's name.

    """
    match event.data:
        case ChallengeIssued() as issued:
            return decide_challenge(row or Channel(device_id=issued.device_id), issued, event.traceparent)
        case ChallengeWithdrawn() as withdrawn:
            return decide_withdrawal(row, withdrawn)
        case RegisterDevice() as registration:
            return decide_registration(row or Channel(device_id=registration.device_id), registration)
        case SubmitAnswer() as answer:
            return decide_answer(row or Channel(device_id=answer.device_id), answer)
        case TellUnpaired() as ended:
            return decide_unpaired(row or Channel(device_id=ended.device_id), ended)
        case _:
            return Decision(row)


def decide_challenge(channel: Channel, issued: ChallengeIssued, traceparent: str) -> Decision[Channel]:
    """Keep a challenge for the device; tell the waiting page if nobody has ever seen that device."""
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
        return Decision(channel.model_copy(update={"pending": pending}), (undeliverable,), Refusal.TOO_MANY)
    added = PendingChallenge(
        challenge_id=issued.challenge_id,
        reply_key=issued.reply_key,
        purpose=issued.purpose,
        challenge=issued.challenge,
        expires_at=issued.expires_at,
        traceparent=traceparent,
    )
    events = () if channel.device_name else (undeliverable,)
    return Decision(channel.model_copy(update={"pending": (*_with_room(pending), added)}), events)


def decide_registration(channel: Channel, registration: RegisterDevice) -> Decision[Channel]:
    """Know a device, or its new name; what waits for it goes on waiting."""
    return Decision(channel.model_copy(update={"device_name": registration.device_name}))


def decide_withdrawal(channel: Channel | None, withdrawn: ChallengeWithdrawn) -> Decision[Channel]:
    """Let a challenge go."""
    if channel is None:
        return Decision(None)
    left = tuple(each for each in channel.pending if each.challenge_id != withdrawn.challenge_id)
    return Decision(channel.model_copy(update={"pending": left}))


def decide_answer(channel: Channel, answer: SubmitAnswer) -> Decision[Channel]:
    """Take the first answer to a challenge, in time and to exactly that challenge; each nonce once."""
    nonces = recent_nonces(channel.nonces, answer.at)
    if is_used(nonces, answer.nonce):
        return Decision(channel, outcome=Refusal.REPLAYED)
    if len(nonces) >= MOST_KEPT:
        return Decision(channel, outcome=Refusal.TOO_MANY)
    spent = channel.model_copy(update={"nonces": (*nonces, UsedNonce(nonce=answer.nonce, at=answer.at))})
    pending = channel.waiting(answer.challenge_id)
    outcome = _judge(channel, pending, answer)
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
        answered_at=answer.at,
    )
    answered = AnsweredChallenge(challenge_id=answer.challenge_id, verdict=answer.verdict, at=answer.at)
    left = tuple(each for each in _pruned(channel.pending, answer.at) if each.challenge_id != answer.challenge_id)
    changes = {"pending": left, "answered": (*channel.answered, answered)[-MOST_ANSWERED:]}
    return Decision(spent.model_copy(update=changes), (response,))


def _judge(channel: Channel, pending: PendingChallenge | None, answer: SubmitAnswer) -> str:
    if channel.answer_to(answer.challenge_id):
        return Refusal.ALREADY_ANSWERED
    if pending is None:
        return Refusal.UNKNOWN_CHALLENGE
    if answer.at > pending.expires_at:
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
