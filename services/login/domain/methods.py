"""An account's methods: phones, authenticator apps, recovery codes."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from schemas.base import AgreementKey, Digest, Identifier, Moment, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A paired phone.

    Attributes:
        device_id: The thumbprint of the phone's key.
        name: Its name, for its owner.
        pairing_id: The pairing that added it; its method id.
        agreement_key: Its public agreement key; None if it makes no codes.
        agreement_key_id: The thumbprint of this service's agreement key.
        last_time_step: The time step of its last accepted code; only codes of later steps are accepted.

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
        """The phone's id among the account's methods."""
        return self.pairing_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorApp:
    """An authenticator app.

    Attributes:
        method_id: Its id among the account's methods.
        name: Its name, for its owner.
        sealed_secret: The secret, sealed under the service's key ring.
        last_time_step: The time step of its last accepted code; only codes of later steps are accepted.

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
        used_at: When it was used; None if it was not.

    """

    digest: Digest = field(repr=False)
    used_at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodes:
    """A set of recovery codes.

    Attributes:
        salt: The salt of the hashes, base64url.
        pepper_id: The id of the key of the hashes.
        made_at: When the codes were shown.
        codes: The codes.

    """

    salt: Text = field(repr=False)
    pepper_id: Identifier
    made_at: Moment
    codes: tuple[RecoveryCode, ...]

    @property
    def left(self) -> int:
        """The number of unused codes."""
        return sum(code.used_at is None for code in self.codes)
