"""Which device gets a phrase: each request once, and not more than a device needs."""

from datetime import timedelta
from typing import Final

from protocol.signed_requests import Refusal
from schemas.base import Message
from schemas.codec import Event
from schemas.pairing_commands import IssuePhrase, RequestPhrase, RetirePhrase
from services.common.decisions import Decision
from services.common.used_nonces import UsedNonce, is_used, recent_nonces
from services.pairing.domain.rows import Requester

MOST_PHRASES: Final = 20
WINDOW: Final = timedelta(minutes=10)


def decide_requester(row: Requester | None, event: Event[Message]) -> Decision[Requester]:
    """Decide whether a device gets a phrase.

    Args:
        row: What is known of the device, or None.
        event: The event; only a RequestPhrase concerns a requester.

    Returns:
        The decision; it issues the phrase and retires the one before, or its outcome is the refusal's name.

    """
    if not isinstance(event.data, RequestPhrase):
        return Decision(row)
    asked = event.data
    requester = row or Requester(device_id=asked.device_id)
    nonces = recent_nonces(requester.nonces, asked.at)
    if is_used(nonces, asked.nonce):
        return Decision(requester, outcome=Refusal.REPLAYED)
    issued = tuple(moment for moment in requester.issued if moment >= asked.at - WINDOW)
    if len(issued) >= MOST_PHRASES:
        return Decision(requester, outcome=Refusal.TOO_MANY)
    changes = {
        "phrase_digest": asked.phrase_digest,
        "issued": (*issued, asked.at),
        "nonces": (*nonces, UsedNonce(nonce=asked.nonce, at=asked.at)),
    }
    return Decision(requester.model_copy(update=changes), (*_retire_previous(requester, asked), _issue(asked)))


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
