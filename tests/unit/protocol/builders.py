"""A device, a service and their messages, the same in each run."""

from datetime import UTC, datetime

from protocol.challenges import Claims, PinnedIssuer, issue_challenge, sign_answer
from protocol.encoding import encode_base64url
from protocol.jose import PrivateKey
from protocol.signed_requests import sign_request
from schemas.base import AgreementKey, Browser
from schemas.contract import Purpose, Verdict

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ORIGIN = "http://localhost:8300"
PATH = "/phrases"
ISSUER = "http://localhost:8100"
NONCE = "AAABnL3Hgcq0zv8c1pQm8A"

DEVICE = PrivateKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    }
)
"""The device's key: that of RFC 7515 appendix A.3.1."""
SERVICE = PrivateKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    }
)
"""The issuer's key: that of RFC 7517 appendix A.2."""


def a_request(
    key: PrivateKey = DEVICE, *, url: str = ORIGIN + PATH, nonce: str = NONCE, at: datetime = NOW, **payload: object
) -> str:
    """Return a signed request for a phrase."""
    return sign_request(key, url=url, nonce=nonce, at=at, payload={"device_name": "Pixel 9", **payload})


def some_claims(purpose: Purpose = Purpose.LOGIN, **changes: object) -> Claims:
    """Return the claims of a challenge for the device."""
    issued = int(NOW.timestamp())
    pinned = PinnedIssuer(issuer=ISSUER, keys=(SERVICE.public.thumbprint,))
    usual: dict[str, object] = {
        "iss": ISSUER,
        "aud": DEVICE.public.thumbprint,
        "jti": "0198f3a0-7e1c-7c3b-9b1e-0d3f5b1f2a3c",
        "iat": issued,
        "exp": issued + 120,
        "purpose": purpose,
        "reply_key": "0198f39f-aaaa-7000-8000-000000000001",
        "service": "Account Manager",
        "account_id": "0198f39f-aaaa-7000-8000-000000000001",
        "account_name": "ann@example.com",
        "browser": Browser(name="Firefox on Linux", address="192.0.2.7"),
        "login_issuer": pinned if purpose is Purpose.PAIRING else None,
    }
    return Claims.model_validate({**usual, **changes})


def a_challenge(purpose: Purpose = Purpose.LOGIN, key: PrivateKey = SERVICE, **changes: object) -> str:
    """Return a signed challenge for the device."""
    return issue_challenge(key, some_claims(purpose, **changes))


def an_answer(
    challenge: str,
    verdict: Verdict = Verdict.APPROVE,
    key: PrivateKey = DEVICE,
    *,
    number: int | None = None,
    agreement_key: AgreementKey | None = None,
) -> str:
    """Return the device's answer."""
    url = f"{ORIGIN}/challenges/{some_claims().jti}/answer"
    return sign_answer(
        key,
        challenge=challenge,
        verdict=verdict,
        url=url,
        nonce=NONCE,
        at=NOW,
        number=number,
        agreement_key=agreement_key,
    )


def with_header(compact: str, header: bytes) -> str:
    """Replace the protected header of a JWS."""
    _, payload, signature = compact.split(".")
    return f"{encode_base64url(header)}.{payload}.{signature}"
