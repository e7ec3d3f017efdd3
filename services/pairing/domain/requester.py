"""A device that asks for phrases: each request counts once, and a device gets no more phrases than it needs."""

from dataclasses import dataclass, replace

from protocol.signed_requests import Refusal
from schemas.base import Digest, Message, Moment
from schemas.codec import Event
from schemas.pairing_messages import IssuePhrase, RequestPhrase, RetirePhrase
from services.common.decisions import Decision, Row
from services.common.used_nonces import UsedNonce, is_used, recent_nonces
from services.pairing.domain.policy import PairingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester(Row):
    """A device that asks for phrases.

    Attributes:
        device_id: The device; the row's key.
        phrase_digest: The phrase that it shows now, if any.
        issued: When it got its last phrases, oldest first.
        nonces: The nonces that it used lately.

    """

    device_id: Digest
    phrase_digest: Digest | None = None
    issued: tuple[Moment, ...] = ()
    nonces: tuple[UsedNonce, ...] = ()


def decide_requester(row: Requester | None, event: Event[Message], policy: PairingPolicy) -> Decision[Requester]:
    """Decide whether a device gets a phrase.

    Args:
        row: What is known of the device, or None.
        event: The event; only a RequestPhrase concerns a requester.
        policy: Its limits count.

    Returns:
        The decision; it issues the phrase and retires the one before, or its outcome is the refusal's name.

    """
    if not isinstance(event.data, RequestPhrase):
        return Decision(row)
    asked, at, window = event.data, event.time, policy.limits.phrases
    requester = row or Requester(device_id=asked.device_id)
    nonces = recent_nonces(requester.nonces, at)
    if is_used(nonces, asked.nonce):
        return Decision(requester, outcome=Refusal.REPLAYED)
    if window.next_at(requester.issued, at) is not None:
        return Decision(requester, outcome=Refusal.TOO_MANY)
    granted = replace(
        requester,
        phrase_digest=asked.phrase_digest,
        issued=(*window.recent(requester.issued, at), at),
        nonces=(*nonces, UsedNonce(nonce=asked.nonce, at=at)),
    )
    return Decision(granted, (*_retire_previous(requester, asked), _issue(asked)))


def _issue(asked: RequestPhrase) -> IssuePhrase:
    return IssuePhrase(
        phrase_digest=asked.phrase_digest,
        device_id=asked.device_id,
        device_name=asked.device_name,
        at=asked.at,
        expires_at=asked.expires_at,
    )


def _retire_previous(requester: Requester, asked: RequestPhrase) -> tuple[Message, ...]:
    previous = requester.phrase_digest
    if previous is None or previous == asked.phrase_digest:
        return ()
    return (RetirePhrase(phrase_digest=previous, device_id=asked.device_id, at=asked.at),)
