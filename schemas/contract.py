"""The public contract: the events between the services, which integrations may read."""

from collections.abc import Mapping
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
    """Why a pairing failed."""

    UNKNOWN_PHRASE = "unknown_phrase"
    EXPIRED_PHRASE = "expired_phrase"
    USED_PHRASE = "used_phrase"
    DECLINED = "declined"
    REPORTED = "reported"
    NOT_ANSWERED = "not_answered"


class PairingRequested(Message):
    """A person entered a pairing phrase in a browser, to pair the phone that shows the phrase with the account.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase; the phrase itself is never sent.
        pairing_id: The attempt's id, also that of the resulting challenge.
        account_id: The account to pair with.
        account_name: The account's display name.
        service_name: The name of the product that the person signs in to.
        issuer: URL of the service that will sign this account's login challenges.
        issuer_keys: JWK thumbprints (RFC 7638) of the issuer's current signing keys; the device pins them.
        issuer_agreement: Public key for the agreement on the secret of the device's verification codes.
        browser: The browser in which the phrase was entered.
        requested_at: When it was entered.
        expires_at: The deadline of the person's answer.

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
        """Return the phrase digest, whose owner claims the phrase once."""
        return self.phrase_digest


class PairingWithdrawn(Message):
    """A pairing needs no answer any more: its login was cancelled, or got a phone otherwise.

    Attributes:
        phrase_digest: The digest of the phrase.
        pairing_id: The attempt's id.

    """

    topic: ClassVar[Topic] = PAIRING_REQUESTED
    type: ClassVar[str] = "countersign.pairing.withdrawn.v1"

    phrase_digest: Digest
    pairing_id: Identifier

    @property
    def key(self) -> str:
        """Return the phrase digest, like the request that it withdraws."""
        return self.phrase_digest


class PairingFailed(Message):
    """A requested pairing failed.

    Attributes:
        pairing_id: The attempt's id.
        account_id: The account that requested it.
        reason: Why it failed.

    """

    topic: ClassVar[Topic] = PAIRING_FAILED
    type: ClassVar[str] = "countersign.pairing.failed.v1"

    pairing_id: Identifier
    account_id: Identifier
    reason: PairingFailure

    @property
    def key(self) -> str:
        """Return the account id, whose owner informs the person."""
        return self.account_id


class DevicePaired(Message):
    """The person accepted the pairing on the device.

    Attributes:
        pairing_id: The attempt's id.
        account_id: The account.
        device_id: JWK thumbprint (RFC 7638) of the device's public key.
        device_name: The device's display name.
        challenge: The pairing challenge, signed by the pairing service.
        answer: The answer, signed by the device; challenge and answer prove this event.
        paired_at: When the person accepted.
        seal: HMAC-SHA256 by the pairing service over its decision (protocol.phrases); login verifies it.

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
        """Return the account id, whose owner adds the device."""
        return self.account_id


class DeviceUnpaired(Message):
    """A device was removed from an account, or was paired too late to be added.

    Attributes:
        account_id: The account.
        device_id: The device.
        pairing_id: The pairing that ended.
        reason: ``removed`` or ``too_late``.
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
    """A challenge for a device to show to its person.

    Attributes:
        challenge_id: The challenge's id; single use.
        device_id: The device that shows it.
        reply_key: The key of the response, so that it reaches the issuer's partition.
        purpose: What the person approves.
        challenge: The challenge, signed by its issuer; claims as in docs/protocol.md.
        issued_at: When it was issued.
        expires_at: The deadline of the answer.

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
        """Return the device id, whose owner has the device's channel."""
        return self.device_id


class ChallengeOutcome(StrEnum):
    """How a challenge ended.

    APPROVED, DENIED, REPORTED: by the answer that counted. WRONG_NUMBER: by an approval with another number than the
    browser shows, which denies the sign-in. ANSWERED_ELSEWHERE: the person signed in by other means, such as a code.
    WITHDRAWN: it was cancelled in the browser, or its login was ended otherwise. EXPIRED: no answer came in time.
    """

    APPROVED = "approved"
    DENIED = "denied"
    REPORTED = "reported"
    WRONG_NUMBER = "wrong_number"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ChallengeEnded(Message):
    """A challenge ended, and its issuer tells the device how. It is published again for each answer that came after.

    Of a challenge that only expired, the device is told when it answers too late.

    Attributes:
        challenge_id: The challenge.
        device_id: The device that shows it.
        outcome: How it ended.
        verdict: The verdict of the answer that counted; None if none did.
        answer_id: The id of that answer (`protocol.challenges.Answer.id_for`).

    """

    topic: ClassVar[Topic] = AUTH_CHALLENGE
    type: ClassVar[str] = "countersign.auth.challenge.ended.v1"

    challenge_id: Identifier
    device_id: Digest
    outcome: ChallengeOutcome
    verdict: Verdict | None = None
    answer_id: Digest | None = None

    @property
    def key(self) -> str:
        """Return the device id, like the challenge, so that its end cannot overtake it."""
        return self.device_id


class AuthResponse(Message):
    """The person answered on the device. Challenge and answer prove it to any verifier.

    The push service publishes it as it arrives; the issuer decides whether it counts. The event's id is the answer's
    (`protocol.challenges.Answer.id_for`), so that the same answer, sent again, is the same event.

    Attributes:
        challenge_id: The challenge.
        device_id: The device that answered.
        reply_key: The challenge's reply key.
        purpose: What the person was asked to approve.
        verdict: What the person decided; the answer's signature covers it.
        challenge: The challenge as the device received it.
        answer: The answer, a JWS by the device over the challenge's digest and the verdict.
        answered_at: When the push service received the answer.

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
        """Return the reply key, so that the response reaches the issuer's partition."""
        return self.reply_key

    @property
    def extensions(self) -> Mapping[str, str]:
        """Return the purpose: pairing and login each decide on their own responses."""
        return {"purpose": self.purpose.value}


class Delivery(StrEnum):
    """The delivery state of a challenge."""

    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


class PushReceipt(Message):
    """The delivery state of a challenge, for the waiting page. No decision depends on it.

    Attributes:
        challenge_id: The challenge.
        reply_key: The challenge's reply key.
        device_name: The device's name; empty if the device is unknown.
        delivery: ``delivered``: the device shows it. ``undeliverable``: the device is unknown.

    """

    topic: ClassVar[Topic] = PUSH_RECEIPT
    type: ClassVar[str] = "countersign.push.receipt.v1"

    challenge_id: Identifier
    reply_key: Identifier
    device_name: Text
    delivery: Delivery

    @property
    def key(self) -> str:
        """Return the reply key, like the response."""
        return self.reply_key
