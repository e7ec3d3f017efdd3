"""Secrets for third-party authenticator apps: as a QR code, as a URI and as text.

Sources: RFC 6238; the "Key URI Format" of Google Authenticator (otpauth://); ISO/IEC 18004 for the QR code, by segno.
"""

import base64
import secrets
from typing import Final

import pyotp
import segno

from protocol.verification_codes import DIGITS, STEP_SECONDS

SECRET_BYTES: Final = 20
"""160 bits, as RFC 4226 section 4, requirement R6, recommends."""
_GROUP_CHARACTERS: Final = 4
_QUIET_ZONE_MODULES: Final = 4


def new_secret() -> bytes:
    """Return a new random secret, 20 bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Return a secret of 20 bytes for typing: 32 characters of base32 (RFC 4648 section 6) in groups of four."""
    text = _base32(secret)
    return " ".join(text[start : start + _GROUP_CHARACTERS] for start in range(0, len(text), _GROUP_CHARACTERS))


def otpauth_uri(secret: bytes, *, issuer: str, account_name: str) -> str:
    """Return the otpauth URI of a secret of 20 bytes; the names lose colons, which would divide the label."""
    generator = pyotp.TOTP(_base32(secret), digits=DIGITS, interval=STEP_SECONDS)
    return generator.provisioning_uri(name=account_name.replace(":", ""), issuer_name=issuer.replace(":", ""))


def qr_code(uri: str) -> str:
    """Return a URI's QR code as an inline SVG element of class ``qr-code``.

    The element has no style, which the pages' content security policy forbids. It is black on white in any colour
    scheme, because some scanners cannot read an inverted code.
    """
    code = segno.make(uri, error="m", micro=False)
    return code.svg_inline(
        border=_QUIET_ZONE_MODULES, dark="#000", light="#fff", omitsize=True, svgclass="qr-code", lineclass=None
    )


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode("ascii")
