"""The public contract: the events between the services, and what integrations may read."""

from enum import StrEnum
from typing import ClassVar

from schemas.base import AgreementKey, Browser, Digest, Identifier, Jws, Message, Moment, Text
from schemas.topics import (
    AUTH_CHALLENGE,
    AUTH_RESPONSE,
    DEVICE_PAIRED,
    DEVICE_UNPAIRED,
    PAIRING_FAILED,
    PAIRING_REQUESTED,
    PUSH_RECEIPT,
    Topic,
)


class Purpose(StrEnum):
    """What a challenge asks the person to approve."""

    PAIRING = "pairing"
    LOGIN = "login"


class Verdict(StrEnum):
    """What the person decided on the phone. ``report`` is the button "It wasn't me"."""

    APPROVE = "approve"
    DENY = "deny"
    REPORT = "report"


class PairingFailure(StrEnum):
    """Why a pairing did not come about."""

    UNKNOWN_PHRASE = "unknown_phrase"
    EXPIRED_PHRASE = "expired_phrase"
    USED_PHRASE = "used_phrase"
    DECLINED = "declined"
    REPORTED = "reported"
    NOT_ANSWERED = "not_answered"


class PairingRequested(Message):
    """A person entered a pairing phrase in a browser: whoever showed that phrase shall be paired with the account.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase; the phrase itself travels nowhere.
        pairing_id: Names this attempt; it is the id of the challenge that follows, too.
        account_id: The account to pair with.
        account_name: The account's name as its owner reads it.
        service_name: What the person signs in to.
        issuer: URL of the service that will sign this account's login challenges.
        issuer_keys: JWK thumbprints (RFC 7638) of the keys that it signs with today; the device pins them.
        issuer_agreement: Public key that the device agrees with on the secret of its verification codes.
        browser: Where the phrase was entered.
        requested_at: When it was entered.
        expires_at: When the person's answer comes too late.

    """

    topic: ClassVar[Topic] = PAIRING_REQUESTED
    type: ClassVar[str] = "countersign.pairing.requested.v1"

    phrase_digest: Digest
    pairing_id: Identifier
    account_id: Identifier
    account_name: Text
    service_name: Text
    issuer: Text
    issuer_keys: tuple[Digest, ...]
    issuer_agreement: AgreementKey | None = None
    browser: Browser
    requested_at: Moment
    expires_at: Moment

    @property
    def key(self) -> str:
        """Return the phrase digest: the phrase's owner claims it, once."""
        return self.phrase_digest


class PairingWithdrawn(Message):
    """A pairing needs no answer any more: the login in which the phrase was entered was given up, or found a phone.

    Attributes:
        phrase_digest: The phrase that was entered.
        pairing_id: The attempt.

    """

    topic: ClassVar[Topic] = PAIRING_REQUESTED
    type: ClassVar[str] = "countersign.pairing.withdrawn.v1"

    phrase_digest: Digest
    pairing_id: Identifier

    @property
    def key(self) -> str:
        """Return the phrase digest, as of the request that it follows."""
        return self.phrase_digest


class PairingFailed(Message):
    """A pairing that was asked for will not come about.

    Attributes:
        pairing_id: The attempt.
        account_id: The account that asked.
        reason: Why.

    """

    topic: ClassVar[Topic] = PAIRING_FAILED
    type: ClassVar[str] = "countersign.pairing.failed.v1"

    pairing_id: Identifier
    account_id: Identifier
    reason: PairingFailure

    @property
    def key(self) -> str:
        """Return the account id: the account's owner tells its person."""
        return self.account_id


class DevicePaired(Message):
    """The person accepted the pairing on the device.

    Attributes:
        pairing_id: The attempt.
        account_id: The account.
        device_id: JWK thumbprint (RFC 7638) of the device's public key.
        device_name: The device's name as its owner reads it.
        challenge: The pairing challenge, signed by the pairing service.
        answer: The device's answer to it, signed by the device: with the challenge, the proof of this event.
        paired_at: When the person accepted.
        seal: HMAC-SHA256 by the pairing service over what it decided (protocol.phrases); login checks it.

    """

    topic: ClassVar[Topic] = DEVICE_PAIRED
    type: ClassVar[str] = "countersign.device.paired.v1"

    pairing_id: Identifier
    account_id: Identifier
    device_id: Digest
    device_name: Text
    challenge: Jws
    answer: Jws
    paired_at: Moment
    seal: Digest

    @property
    def key(self) -> str:
        """Return the account id: the account's owner adds the device."""
        return self.account_id


class DeviceUnpaired(Message):
    """A device no longer answers for an account, or was paired too late to be taken in.

    Attributes:
        account_id: The account.
        device_id: The device.
        pairing_id: The pairing that ended.
        reason: Why, in a word: ``removed`` or ``too_late``.
        statement: The same for the device, signed by the account's service (protocol.unpaired).

    """

    topic: ClassVar[Topic] = DEVICE_UNPAIRED
    type: ClassVar[str] = "countersign.device.unpaired.v1"

    account_id: Identifier
    device_id: Digest
    pairing_id: Identifier
    reason: Text
    statement: Jws | None = None

    @property
    def key(self) -> str:
        """Return the account id, whose owner decided it."""
        return self.account_id


class ChallengeIssued(Message):
    """A device shall ask its person.

    Attributes:
        challenge_id: Names the challenge; single use.
        device_id: The device that shall ask.
        reply_key: The key of the response, so that it reaches the partition that asked.
        purpose: What is asked.
        challenge: The challenge itself, signed by its issuer; claims as in docs/protocol.md.
        issued_at: When it was issued.
        expires_at: When an answer comes too late.

    """

    topic: ClassVar[Topic] = AUTH_CHALLENGE
    type: ClassVar[str] = "countersign.auth.challenge.v1"

    challenge_id: Identifier
    device_id: Digest
    reply_key: Identifier
    purpose: Purpose
    challenge: Jws
    issued_at: Moment
    expires_at: Moment

    @property
    def key(self) -> str:
        """Return the device id: the device's channel is local to the agent that sends."""
        return self.device_id


class ChallengeWithdrawn(Message):
    """A challenge needs no answer any more: the person cancelled in the browser, or it was reported elsewhere.

    Attributes:
        challenge_id: The challenge.
        device_id: The device that was to ask.

    """

    topic: ClassVar[Topic] = AUTH_CHALLENGE
    type: ClassVar[str] = "countersign.auth.challenge.withdrawn.v1"

    challenge_id: Identifier
    device_id: Digest

    @property
    def key(self) -> str:
        """Return the device id, as of the challenge that it follows."""
        return self.device_id


class AuthResponse(Message):
    """The person answered on the device. Challenge and answer together prove it to anyone.

    Attributes:
        challenge_id: The challenge.
        device_id: The device that answered.
        reply_key: As the challenge's issuer asked.
        purpose: What was asked.
        verdict: What the person decided; the answer's signature covers it.
        challenge: The challenge as it reached the device.
        answer: The answer, a JWS by the device over the challenge's digest and the verdict.
        answered_at: When the push service took the answer.

    """

    topic: ClassVar[Topic] = AUTH_RESPONSE
    type: ClassVar[str] = "countersign.auth.response.v1"

    challenge_id: Identifier
    device_id: Digest
    reply_key: Identifier
    purpose: Purpose
    verdict: Verdict
    challenge: Jws
    answer: Jws
    answered_at: Moment

    @property
    def key(self) -> str:
        """Return the reply key: the response comes back to the partition that asked."""
        return self.reply_key


class Delivery(StrEnum):
    """How far a challenge came."""

    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


class PushReceipt(Message):
    """How far a challenge came; for the waiting page. No decision depends on it.

    Attributes:
        challenge_id: The challenge.
        reply_key: As the challenge's issuer asked.
        device_name: The device's name, empty where no such device is known.
        delivery: ``delivered``: the device shows it. ``undeliverable``: no such device is known.

    """

    topic: ClassVar[Topic] = PUSH_RECEIPT
    type: ClassVar[str] = "countersign.push.receipt.v1"

    challenge_id: Identifier
    reply_key: Identifier
    device_name: Text
    delivery: Delivery

    @property
    def key(self) -> str:
        """Return the reply key, as of the response."""
        return self.reply_key
