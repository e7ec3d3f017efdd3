"""The second factors of an account: phones, authenticator apps, recovery codes."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from schemas.base import AgreementKey, Digest, Identifier, Moment, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A paired phone.

    Attributes:
        device_id: The phone's id, the thumbprint of its key.
        name: Its name as its owner reads it.
        pairing_id: The pairing in which it came; names it among the account's methods.
        paired_at: When.
        agreement_key: Its public key that the secret of its codes is agreed on with; None if it makes no codes.
        agreement_key_id: Which of this service's keys the secret is agreed on with.
        last_time_step: Time step of the last code that was taken from it; only later ones are.

    """

    device_id: Digest
    name: Text
    pairing_id: Identifier
    paired_at: Moment
    agreement_key: AgreementKey | None = None
    agreement_key_id: Digest | None = None
    last_time_step: int = 0

    @property
    def method_id(self) -> str:
        """Its name among the account's methods."""
        return self.pairing_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorApp:
    """An app that makes codes from a secret that was scanned.

    Attributes:
        method_id: Its name among the account's methods.
        name: As its owner reads it.
        sealed_secret: The secret, sealed under the service's key ring.
        added_at: When its first code was right.
        last_time_step: Time step of the last code that was taken from it; only later ones are.

    """

    method_id: Identifier
    name: Text
    sealed_secret: Annotated[str, Field(max_length=1000)] = field(repr=False)
    added_at: Moment
    last_time_step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCode:
    """A recovery code.

    Attributes:
        digest: Its Argon2id hash under the set's salt.
        used_at: When it was used up.

    """

    digest: Digest = field(repr=False)
    used_at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodes:
    """A set of recovery codes; a new set takes the place of the old one.

    Attributes:
        salt: The salt of their hashes, base64url.
        made_at: When they were shown.
        codes: The codes.

    """

    salt: Text = field(repr=False)
    made_at: Moment
    codes: tuple[RecoveryCode, ...]

    @property
    def left(self) -> int:
        """How many have not been used."""
        return sum(code.used_at is None for code in self.codes)
