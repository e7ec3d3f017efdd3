"""The pairing service's private commands, from its web side and its own tables to its tables' owners."""

from typing import ClassVar

from schemas.base import Command, Digest, Identifier, Moment, Text
from schemas.topics import PAIRING_COMMANDS, PAIRING_PHRASES, Topic


class RequestPhrase(Command):
    """A device requests a pairing phrase. Its owner rejects replays and limits the rate.

    Attributes:
        device_id: The device.
        device_name: Its display name.
        nonce: The request's single-use nonce.
        phrase_digest: HMAC-SHA256 of the phrase that the web side drew for it.
        expires_at: When the phrase expires.

    """

    topic: ClassVar[Topic] = PAIRING_COMMANDS
    type: ClassVar[str] = "countersign.pairing.request_phrase.v1"

    device_id: Digest
    device_name: Text
    nonce: Identifier
    phrase_digest: Digest
    expires_at: Moment

    @property
    def key(self) -> str:
        """Return the device id, whose owner counts its requests."""
        return self.device_id


class ForgetRequester(Command):
    """Delete a device whose requests no longer count.

    Attributes:
        device_id: The device.

    """

    topic: ClassVar[Topic] = PAIRING_COMMANDS
    type: ClassVar[str] = "countersign.pairing.forget_requester.v1"

    device_id: Digest

    @property
    def key(self) -> str:
        """Return the device id, whose owner counts its requests."""
        return self.device_id


class IssuePhrase(Command):
    """Assign a phrase to a device if it is free.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase.
        device_id: The device that shows it.
        device_name: The device's name.
        expires_at: When the phrase expires.

    """

    topic: ClassVar[Topic] = PAIRING_PHRASES
    type: ClassVar[str] = "countersign.pairing.issue_phrase.v1"

    phrase_digest: Digest
    device_id: Digest
    device_name: Text
    expires_at: Moment

    @property
    def key(self) -> str:
        """Return the phrase digest, whose owner issues the phrase once."""
        return self.phrase_digest


class RetirePhrase(Command):
    """Retire a phrase: its device requested another one, or it has long expired.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase.
        device_id: The device that shows it.

    """

    topic: ClassVar[Topic] = PAIRING_PHRASES
    type: ClassVar[str] = "countersign.pairing.retire_phrase.v1"

    phrase_digest: Digest
    device_id: Digest

    @property
    def key(self) -> str:
        """Return the phrase digest, whose owner issued the phrase."""
        return self.phrase_digest
