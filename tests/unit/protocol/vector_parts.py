"""The parts of which docs/protocol-vectors.json is made."""

import hashlib
import json
from typing import Any, Final

from protocol.challenges import challenge_digest, verify_challenge, verify_proof
from protocol.encoding import decode_base64url, encode_base64url
from protocol.jose import PrivateKey, read_header
from schemas.contract import Verdict
from tests.unit.protocol.builders import NOW, ORIGIN, some_claims

OTHER: Final = PrivateKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y",
        "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk",
        "d": "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE",
    }
)
"""Another signer's key: that of RFC 6979 appendix A.2.5."""
SHORT: Final = PrivateKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo",
        "y": "u0yFo9jqKe-q-iRAaRLdhNWxTcMr9lbvbGvVil2UP5I",
        "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXs",
    }
)
"""A key whose x begins with a zero byte, which must not be dropped."""
ANSWER_PATH: Final = f"/challenges/{some_claims().jti}/answer"
Case = dict[str, Any]


def key_case(key: PrivateKey) -> Case:
    """Return a key pair and its thumbprint."""
    jwk = key.to_jwk()
    text = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    assert key.public.thumbprint == encode_base64url(hashlib.sha256(text.encode()).digest())
    return {"private": jwk, "thumbprint_of": text, "thumbprint": key.public.thumbprint}


def request_case(compact: str, path: str) -> Case:
    """Return a signed request, in its parts."""
    payload, signature = compact.split(".")[1:]
    return {
        "method": "POST",
        "path": path,
        "origin": ORIGIN,
        "header": read_header(compact),
        "payload_base64url": payload,
        "signature_base64url": signature,
        "jws": compact,
    }


def answer_case(challenge: str, compact: str) -> Case:
    """Return an answer, in its parts, with its id and the text that the id is the digest of."""
    proof = verify_proof(challenge, compact)
    text = json.dumps(
        {"device_id": proof.device_id, **json.loads(decode_base64url(compact.split(".")[1]))},
        sort_keys=True,
        separators=(",", ":"),
    )
    assert proof.answer_id == encode_base64url(hashlib.sha256(text.encode()).digest())
    return {**request_case(compact, ANSWER_PATH), "id_of": text, "id": proof.answer_id}


def response_case(verdict: Verdict, outcome: str) -> Case:
    """Return a response to an answer, and whether it is the last word."""
    body = {"verdict": verdict.value, "answered_at": NOW.isoformat(), "outcome": outcome}
    return {"status": 200, "body": body, "final": outcome != "received"}


def challenge_case(compact: str) -> Case:
    """Return a challenge, in its parts."""
    claims, _ = verify_challenge(compact)
    content = claims.model_dump(mode="json", exclude_none=True)
    return {"header": read_header(compact), "claims": content, "jws": compact, "digest": challenge_digest(compact)}


def altered(compact: str, part: int) -> str:
    """Return a JWS with one character changed, in the middle of one part."""
    parts = compact.split(".")
    middle = len(parts[part]) // 2
    letter = "B" if parts[part][middle] == "A" else "A"
    parts[part] = parts[part][:middle] + letter + parts[part][middle + 1 :]
    return ".".join(parts)


def second_spelling(compact: str) -> str:
    """Return a JWS whose last character decodes to the same bytes but is another one."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return compact[:-1] + letters[letters.index(compact[-1]) + 1]
