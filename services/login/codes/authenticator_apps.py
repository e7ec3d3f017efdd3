"""Authenticator apps of others: their secret, as a QR code and as text, in the form that all of them read.

Sources: RFC 6238; the "Key URI Format" of Google Authenticator (otpauth://); ISO/IEC 18004 for the QR code, by segno.
"""

import base64
import secrets
from typing import Final

import pyotp
import segno

from protocol.verification_codes import DIGITS, STEP_SECONDS

SECRET_BYTES: Final = 20
"""As RFC 4226 section 4, requirement R6, recommends: 160 bits."""
_GROUP_CHARACTERS: Final = 4
_QUIET_ZONE_MODULES: Final = 4


def new_secret() -> bytes:
    """Return a new random secret, 20 bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Return a secret as a person types it into an app: base32 (RFC 4648 section 6) in groups of four.

    Args:
        secret: 20 bytes.

    Returns:
        32 characters and the blanks between them.

    """
    text = _base32(secret)
    return " ".join(text[start : start + _GROUP_CHARACTERS] for start in range(0, len(text), _GROUP_CHARACTERS))


def otpauth_uri(secret: bytes, *, issuer: str, account_name: str) -> str:
    """Return the URI that tells an app all it needs.

    Args:
        secret: 20 bytes.
        issuer: What is signed in to, as the app shows it. A colon in it would divide the label and is left out.
        account_name: The account, as the app shows it.

    """
    generator = pyotp.TOTP(_base32(secret), digits=DIGITS, interval=STEP_SECONDS)
    return generator.provisioning_uri(name=account_name.replace(":", ""), issuer_name=issuer.replace(":", ""))


def qr_code(uri: str) -> str:
    """Return a QR code as an SVG element to stand in a page.

    It holds no style of its own, which the pages' content security policy forbids, and no size: class ``qr-code`` sets
    it. It is black on white in any colour scheme, because not every reader takes an inverted one.

    Args:
        uri: What the code says.

    """
    code = segno.make(uri, error="m", micro=False)
    return code.svg_inline(
        border=_QUIET_ZONE_MODULES, dark="#000", light="#fff", omitsize=True, svgclass="qr-code", lineclass=None
    )


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode("ascii")
