"""What the pairing service's web side and its own agents ask of its tables' owners. Private to the pairing service."""

from typing import ClassVar

from schemas.base import Command, Digest, Identifier, Moment, Text
from schemas.topics import PAIRING_COMMANDS, PAIRING_PHRASES, Topic


class RequestPhrase(Command):
    """A device wants a pairing phrase. Its owner checks that the request is new and not one too many.

    Attributes:
        device_id: The device.
        device_name: Its name as its owner reads it.
        nonce: The request's single-use nonce.
        phrase_digest: HMAC-SHA256 of the phrase that the web side drew for it.
        expires_at: When the phrase ends.

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


class IssuePhrase(Command):
    """A device was granted a phrase: its digest is to be taken, if it is free.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase.
        device_id: The device that shows it.
        device_name: The device's name.
        expires_at: When the phrase ends.

    """

    topic: ClassVar[Topic] = PAIRING_PHRASES
    type: ClassVar[str] = "countersign.pairing.issue_phrase.v1"

    phrase_digest: Digest
    device_id: Digest
    device_name: Text
    expires_at: Moment

    @property
    def key(self) -> str:
        """Return the phrase digest, whose owner hands the phrase out once."""
        return self.phrase_digest


class RetirePhrase(Command):
    """A phrase is not to be taken any more: its device asked for another, or its time is long over.

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
        """Return the phrase digest, whose owner handed the phrase out."""
        return self.phrase_digest
