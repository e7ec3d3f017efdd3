"""Devices' answers: checked as they arrive, published to the challenge's issuer, and told what became of them.

Any instance takes an answer, without a row of its own: the issuer decides, once and in order. What is checked here
keeps strangers from writing records: a challenge that one of the issuers signed for this device, and the device's
answer to exactly that. The issuer verifies both again: its decision rests on them (docs/protocol.md, section 7).
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from protocol.agreement import check_agreement_key
from protocol.challenges import Answer, Claims, challenge_digest, verify_challenge
from protocol.jose import SignatureError
from protocol.signed_requests import Refusal, RequestRefusedError, SignedRequest
from schemas.contract import AuthResponse, Purpose, Verdict
from services.common.clock import now
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.telemetry.tracing import join_trace
from services.common.used_nonces import MAX_NONCES, UsedNonce, is_used, recent_nonces
from services.push.domain.channel import Channel, EndedChallenge
from services.push.feed import ChallengeFeed
from services.push.issuers import IssuerKeys

OUTCOME_SECONDS: Final = 2.0
"""How long a device waits for the issuer's decision, before it is told that its answer was received."""
CHALLENGE_SECONDS: Final = 1.0
"""How long a challenge is waited for that this instance has not read yet."""
GRACE: Final = timedelta(seconds=60)
"""How long after a challenge's end by this instance's clock an answer is still passed on; the issuer decides."""
MOST_DEVICES: Final = 10_000
DETAILS: Final[dict[str, str]] = {
    Refusal.REPLAYED: "This request was already sent; the first one counted.",
    Refusal.TOO_MANY: "This device sent too many requests. Wait a moment.",
    Refusal.UNKNOWN_DEVICE: "This device is unknown. Open the socket first.",
    Refusal.UNKNOWN_CHALLENGE: "This request is not waiting for this device. It may have been canceled.",
    Refusal.EXPIRED: "The request expired before the answer arrived.",
    Refusal.WRONG_CHALLENGE: "The answer is for another challenge than the one that was sent.",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a device was asked: the parts of a challenge that its answer needs."""

    challenge: str
    reply_key: str
    purpose: Purpose
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """An answer that was passed on, or that came after its challenge had ended.

    Attributes:
        at: When it arrived.
        answer_id: What identifies it (`protocol.challenges.Answer.id_for`).
        ended: How the challenge ended; None if the issuer has not decided yet.

    """

    at: datetime
    answer_id: str
    ended: EndedChallenge | None

    @property
    def counted(self) -> bool:
        """Whether this answer ended the challenge."""
        return self.ended is not None and self.ended.answer_id == self.answer_id


class Answers:
    """Takes the answers that reach one instance."""

    def __init__(self, feed: ChallengeFeed, issuers: IssuerKeys, publisher: Publisher) -> None:
        self._feed = feed
        self._issuers = issuers
        self._publisher = publisher
        self._requests = RequestMemory()

    async def submit(
        self, signed: SignedRequest, answer: Answer, challenge_id: str, challenge: str | None
    ) -> Submission:
        """Pass an answer on to the issuer, and wait a moment for its decision.

        Args:
            signed: The verified request.
            answer: Its payload.
            challenge_id: The challenge that the URL names.
            challenge: The challenge as the device has it, if it sent that along.

        Raises:
            RequestRefusedError: With the refusal.
            UnavailableError: If Kafka does not take the answer, the instance still reads the channels, or it does not
                know the challenge and cannot fetch its issuer's keys.

        """
        at, device_id = now(), signed.device.thumbprint
        known = self._feed.channel(device_id)
        if known is None and challenge is None:
            raise _refused(Refusal.UNKNOWN_DEVICE)
        channel = known or Channel(device_id=device_id)
        self._requests.note(device_id, signed.nonce, at)
        before, answer_id = channel.end_of(challenge_id), answer.id_for(device_id)
        if before is not None and (challenge is None or not _may_still_count(answer, before)):
            return Submission(at, answer_id, before)
        asked = await self._asked(channel, challenge_id, challenge)
        if answer.challenge_digest != challenge_digest(asked.challenge):
            raise _refused(Refusal.WRONG_CHALLENGE)
        if at > asked.expires_at + GRACE:
            raise _refused(Refusal.EXPIRED)
        response = AuthResponse(
            challenge_id=challenge_id,
            device_id=device_id,
            reply_key=asked.reply_key,
            purpose=asked.purpose,
            verdict=answer.verdict,
            challenge=asked.challenge,
            answer=signed.compact,
            answered_at=at,
        )
        told = self._feed.ends_told(device_id, challenge_id)
        await self._publisher.publish_command(response, answer_id)
        return Submission(at, answer_id, await self._ended(device_id, challenge_id, answer, told, before))

    async def _ended(
        self, device_id: str, challenge_id: str, answer: Answer, told: int, before: EndedChallenge | None
    ) -> EndedChallenge | None:
        """Wait until the issuer has decided on an answer, and return how its challenge ended.

        What is told first may be of another answer. For all but a report that is the decision on this one too.

        Args:
            device_id: The device.
            challenge_id: The challenge.
            answer: The answer.
            told: How often its end had been told before the answer was published.
            before: How it had ended by then.

        """

        def is_decided(channel: Channel) -> bool:
            ended = channel.end_of(challenge_id)
            return ended is not None and not _may_still_count(answer, ended)

        await self._feed.wait_until(device_id, is_decided, OUTCOME_SECONDS)
        channel = self._feed.channel(device_id)
        ended = None if channel is None else channel.end_of(challenge_id)
        is_news = ended != before or self._feed.ends_told(device_id, challenge_id) > told
        return ended if is_news else None

    async def _asked(self, channel: Channel, challenge_id: str, sent: str | None) -> _Asked:
        """Return the challenge as Kafka brought it, or as the device sent it along if an issuer signed it."""
        waiting = channel.waiting(challenge_id)
        trusted: bool | None = False
        if waiting is None:
            signed = _signed_for(channel.device_id, challenge_id, sent)
            if signed is not None:
                claims, key = signed
                trusted = await self._issuers.trusts(claims.iss, key)
                if sent is not None and trusted:
                    return _Asked(sent, claims.reply_key, claims.purpose, claims.expires_at)
            found = await self._feed.wait_until(
                channel.device_id, lambda each: each.waiting(challenge_id) is not None, CHALLENGE_SECONDS
            )
            waiting = None if found is None else found.waiting(challenge_id)
        if waiting is None and trusted is None:
            raise UnavailableError
        if waiting is None:
            raise _refused(Refusal.UNKNOWN_CHALLENGE)
        join_trace(waiting.traceparent)
        return _Asked(waiting.challenge, waiting.reply_key, waiting.purpose, waiting.expires_at)


class RequestMemory:
    """The nonces that devices used at this instance lately, bounded for each device and in all.

    A device may so send `MAX_NONCES` answers in ten minutes to each instance.
    """

    def __init__(self, most_devices: int = MOST_DEVICES) -> None:
        self._most_devices = most_devices
        self._used: OrderedDict[str, tuple[UsedNonce, ...]] = OrderedDict()

    def note(self, device_id: str, nonce: str, at: datetime) -> None:
        """Note a request.

        Raises:
            RequestRefusedError: If its nonce was used before, or the device sent too many.

        """
        used = recent_nonces(self._used.pop(device_id, ()), at)
        self._used[device_id] = used
        if is_used(used, nonce):
            raise _refused(Refusal.REPLAYED)
        if len(used) >= MAX_NONCES:
            raise _refused(Refusal.TOO_MANY)
        self._used[device_id] = (*used, UsedNonce(nonce=nonce, at=at))
        if len(self._used) > self._most_devices:
            self._used.popitem(last=False)


def _signed_for(device_id: str, challenge_id: str, challenge: str | None) -> tuple[Claims, str] | None:
    """Return a challenge's claims and the thumbprint of its key; None unless it is this one, for this device."""
    try:
        claims, key = verify_challenge(challenge or "")
    except SignatureError:
        return None
    return (claims, key) if (claims.aud, claims.jti) == (device_id, challenge_id) else None


def read_answer(signed: SignedRequest) -> Answer:
    """Return a verified request's payload as an answer.

    Raises:
        RequestRefusedError: If it is none, or its agreement key is not on the curve: no issuer could read it.

    """
    try:
        answer = Answer.model_validate(signed.payload)
        if answer.agreement_key is not None:
            check_agreement_key(answer.agreement_key)
    except (ValidationError, SignatureError) as error:
        raise RequestRefusedError(Refusal.MALFORMED, "The payload needs challenge_digest and verdict.") from error
    return answer


def _may_still_count(answer: Answer, ended: EndedChallenge) -> bool:
    """Tell whether the issuer takes an answer to a challenge that has ended: a report, once."""
    return answer.verdict is Verdict.REPORT and ended.verdict is not Verdict.REPORT


def _refused(refusal: Refusal) -> RequestRefusedError:
    return RequestRefusedError(refusal, DETAILS[refusal])
