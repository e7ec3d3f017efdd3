"""Devices that request phrases: each request counts once, within a limit per device."""

from dataclasses import dataclass, replace
from datetime import datetime

from protocol.signed_requests import Refusal
from schemas.base import Digest, Message, Moment
from schemas.codec import Event
from schemas.pairing_messages import ForgetRequester, IssuePhrase, RequestPhrase, RetirePhrase
from services.common.decisions import Decision, Row
from services.common.used_nonces import UsedNonce, is_used, recent_nonces
from services.pairing.domain.limits import PairingLimits
from services.pairing.domain.policy import PairingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester(Row):
    """A device that requests phrases.

    Attributes:
        device_id: The device; the row's key.
        phrase_digest: The phrase that it shows, if any.
        issued: The times of its last phrases, oldest first.
        nonces: The nonces that it used recently.

    """

    device_id: Digest
    phrase_digest: Digest | None = None
    issued: tuple[Moment, ...] = ()
    nonces: tuple[UsedNonce, ...] = ()


def decide_requester(row: Requester | None, event: Event[Message], policy: PairingPolicy) -> Decision[Requester]:
    """Decide on a RequestPhrase: issue the phrase and retire the previous one, or return a refusal's name.

    A ForgetRequester deletes the row, if nothing of it counts any longer.
    """
    if isinstance(event.data, ForgetRequester):
        return Decision(None if row is None or is_quiet(row, event.time, policy.limits) else row)
    if not isinstance(event.data, RequestPhrase):
        return Decision(row)
    request, at, window = event.data, event.time, policy.limits.phrases
    requester = row or Requester(device_id=request.device_id)
    nonces = recent_nonces(requester.nonces, at)
    if is_used(nonces, request.nonce):
        return Decision(requester, outcome=Refusal.REPLAYED)
    if window.next_at(requester.issued, at) is not None:
        return Decision(requester, outcome=Refusal.TOO_MANY)
    granted = replace(
        requester,
        phrase_digest=request.phrase_digest,
        issued=(*window.recent(requester.issued, at), at),
        nonces=(*nonces, UsedNonce(nonce=request.nonce, at=at)),
    )
    return Decision(granted, (*_retire_previous(requester, request), _issue(request)))


def is_quiet(row: Requester, at: datetime, limits: PairingLimits) -> bool:
    """Return whether a device's requests no longer count: no nonce can be replayed, and its phrase has expired."""
    last = max(row.issued, default=None)
    expired = last is None or at > last + limits.phrase_lifetime
    return expired and not limits.phrases.recent(row.issued, at) and not recent_nonces(row.nonces, at)


def _issue(request: RequestPhrase) -> IssuePhrase:
    return IssuePhrase(
        phrase_digest=request.phrase_digest,
        device_id=request.device_id,
        device_name=request.device_name,
        at=request.at,
        expires_at=request.expires_at,
    )


def _retire_previous(requester: Requester, request: RequestPhrase) -> tuple[Message, ...]:
    previous = requester.phrase_digest
    if previous is None or previous == request.phrase_digest:
        return ()
    return (RetirePhrase(phrase_digest=previous, device_id=request.device_id, at=request.at),)
