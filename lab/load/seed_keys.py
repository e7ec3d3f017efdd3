"""Accounts and phones that follow from a seed: it gives the phones' keys, so its holder can act as the phones."""

import hmac
import re
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from protocol.encoding import encode_base64url
from protocol.jose import PrivateKey

DEFAULT_PREFIX: Final = "seed-"
DEFAULT_SEED: Final = "countersign"
DEVICE_NAME: Final = "Seeded phone"
_DIGITS: Final = 7
_CURVE_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256's base point (SEC 2, section 2.4.2)."""
_COORDINATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Seed:
    """What names and keys follow from.

    Attributes:
        text: The seed itself.
        prefix: What stands before each name.

    """

    text: str = DEFAULT_SEED
    prefix: str = DEFAULT_PREFIX

    def name(self, number: int) -> str:
        """Return the name of an account by its number from 0; a seeded account has it as its id as well."""
        return f"{self.prefix}{number:0{_DIGITS}}"

    def made(self, account_id: str) -> bool:
        """Return whether an account has a name of this seed."""
        return re.fullmatch(rf"{re.escape(self.prefix)}\d{{{_DIGITS},}}", account_id) is not None

    def key(self, account_id: str) -> PrivateKey:
        """Return the key of an account's phone: a scalar drawn by HMAC-SHA512 from the seed, 1 to the order less 1."""
        drawn = hmac.digest(self.text.encode(), f"phone\x00{account_id}".encode(), "sha512")
        scalar = int.from_bytes(drawn, "big") % (_CURVE_ORDER - 1) + 1
        numbers = ec.derive_private_key(scalar, ec.SECP256R1()).private_numbers()
        public = numbers.public_numbers
        members = {"x": public.x, "y": public.y, "d": numbers.private_value}
        encoded = {name: encode_base64url(value.to_bytes(_COORDINATE_BYTES, "big")) for name, value in members.items()}
        return PrivateKey.from_jwk({"kty": "EC", "crv": "P-256", **encoded})
