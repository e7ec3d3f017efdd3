"""The pairing service's rows: who asked for phrases, and what became of each phrase."""

from datetime import datetime
from enum import StrEnum

from schemas.base import Digest, Jws, Model, Moment, Text
from schemas.contract import PairingRequested
from services.common.decisions import Row
from services.common.used_nonces import UsedNonce


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


class PhraseState(StrEnum):
    """What became of a phrase."""

    ISSUED = "issued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    RETIRED = "retired"


class Claim(Model):
    """Who entered the phrase, and what the device was asked for it."""

    request: PairingRequested
    challenge: Jws


class Phrase(Row):
    """A phrase, by its digest.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase; the row's key.
        device_id: The device that shows it.
        device_name: The device's name.
        issued_at: When it was issued.
        expires_at: When it can no longer be entered.
        state: What became of it.
        claim: Who entered it.

    """

    phrase_digest: Digest
    device_id: Digest
    device_name: Text
    issued_at: Moment
    expires_at: Moment
    state: PhraseState = PhraseState.ISSUED
    claim: Claim | None = None

    @property
    def end(self) -> datetime:
        """When nothing can come of it any more."""
        return self.expires_at if self.claim is None else max(self.expires_at, self.claim.request.expires_at)
