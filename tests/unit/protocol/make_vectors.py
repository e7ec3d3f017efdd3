"""Makes docs/protocol-vectors.json: run `python -m tests.unit.protocol.make_vectors`. The same bytes each time."""

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from protocol.challenges import ANSWER_TYPE, challenge_digest
from protocol.encoding import encode_base64url
from protocol.jose import PrivateKey, read_header
from protocol.requests import REQUEST_TYPE, sign_request
from schemas.contract import Purpose, Verdict
from tests.unit.protocol.builders import (
    DEVICE,
    NONCE,
    NOW,
    ORIGIN,
    PATH,
    SERVICE,
    a_challenge,
    a_request,
    an_answer,
    some_claims,
    with_header,
)

FILE: Final = Path(__file__).parents[3] / "docs" / "protocol-vectors.json"
OTHER: Final = PrivateKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y",
        "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk",
        "d": "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE",
    }
)
"""Somebody else's key: that of RFC 6979 appendix A.2.5."""
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


def make() -> str:
    """Return the file's text."""
    vectors = {
        "about": (
            "Examples of docs/protocol.md. Signatures are made as RFC 6979 says, so each text can be made again from "
            "its key, header and payload; a device may sign otherwise. 'refusal' is the name of the problem."
        ),
        "now": int(NOW.timestamp()),
        "keys": {"device": _key(DEVICE), "issuer": _key(SERVICE), "other": _key(OTHER), "short": _key(SHORT)},
        "base64url": _base64url(),
        "request": _request(a_request(), PATH),
        "challenges": {purpose.value: _challenge(purpose) for purpose in Purpose},
        "answers": [
            {"to": purpose.value, "verdict": verdict.value, **_request(_answer_to(purpose, verdict), ANSWER_PATH)}
            for purpose in Purpose
            for verdict in Verdict
        ],
        "refused_requests": _refused_requests(),
        "refused_challenges": _refused_challenges(),
        "refused_proofs": _refused_proofs(),
    }
    return json.dumps(vectors, indent=2) + "\n"


def _key(key: PrivateKey) -> Case:
    jwk = key.to_jwk()
    text = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    assert key.public.thumbprint == encode_base64url(hashlib.sha256(text.encode()).digest())
    return {"private": jwk, "thumbprint_of": text, "thumbprint": key.public.thumbprint}


def _base64url() -> Case:
    texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"]
    return {
        "holds": [{"hex": text.encode().hex(), "text": encode_base64url(text.encode())} for text in texts]
        + [{"hex": "fbff", "text": "-_8"}],
        "refused": ["Zg==", "Zh", "Zm9", "Zm9v Yg", "Zm9vYg\n", "+/8", "Z"],
    }


def _request(compact: str, path: str) -> Case:
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


def _challenge(purpose: Purpose) -> Case:
    compact = a_challenge(purpose)
    claims = some_claims(purpose).model_dump(mode="json", exclude_none=True)
    return {"header": read_header(compact), "claims": claims, "jws": compact, "digest": challenge_digest(compact)}


def _answer_to(purpose: Purpose, verdict: Verdict) -> str:
    return an_answer(a_challenge(purpose), verdict)


def _altered(compact: str, part: int) -> str:
    """Return a JWS with one character changed, in the middle of one part."""
    parts = compact.split(".")
    middle = len(parts[part]) // 2
    letter = "B" if parts[part][middle] == "A" else "A"
    parts[part] = parts[part][:middle] + letter + parts[part][middle + 1 :]
    return ".".join(parts)


def _second_spelling(compact: str) -> str:
    """Return a JWS whose last character decodes to the same bytes but is another one."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return compact[:-1] + letters[letters.index(compact[-1]) + 1]


def _signed(url: str = ORIGIN + PATH, at: datetime = NOW, typ: str = REQUEST_TYPE) -> str:
    return sign_request(DEVICE, url=url, nonce=NONCE, at=at, payload={"device_name": "Pixel 9"}, typ=typ)


def _refused_requests() -> list[Case]:
    fine = a_request()
    header = read_header(fine)
    foreign = json.dumps({**header, "jwk": OTHER.public.jwk}, separators=(",", ":")).encode()
    unsigned = json.dumps({**header, "alg": "none"}, separators=(",", ":")).encode()
    symmetric = json.dumps({**header, "alg": "HS256"}, separators=(",", ":")).encode()
    bare = {name: value for name, value in header.items() if name not in {"alg", "nonce"}}
    cases = [
        ("header altered", _altered(fine, 0), "bad-signature"),
        ("payload altered", _altered(fine, 1), "bad-signature"),
        ("signature altered", _altered(fine, 2), "bad-signature"),
        ("base64url not canonical", _second_spelling(fine), "bad-signature"),
        ("a part too few", fine.rpartition(".")[0], "bad-signature"),
        ("under another key", with_header(fine, foreign), "bad-signature"),
        ("alg none", with_header(fine, unsigned).rpartition(".")[0] + ".", "bad-signature"),
        ("alg HS256", with_header(fine, symmetric), "bad-signature"),
        ("another type", _signed(typ=ANSWER_TYPE), "bad-signature"),
        ("another path", _signed(url=f"{ORIGIN}/nonce"), "wrong-url"),
        ("another origin", _signed(url=f"http://localhost:8301{PATH}"), "wrong-url"),
        ("too old", _signed(at=NOW - timedelta(seconds=301)), "stale"),
        ("too new", _signed(at=NOW + timedelta(seconds=301)), "stale"),
        ("no nonce", DEVICE.sign(bare, b'{"device_name":"Pixel 9"}'), "malformed"),
        ("payload no object", DEVICE.sign({**header, "alg": "ES256"}, b'["Pixel 9"]'), "malformed"),
    ]
    return [
        {"why": why, "path": PATH, "origin": ORIGIN, "jws": compact, "refusal": refusal}
        for why, compact, refusal in cases
    ]


def _refused_challenges() -> list[Case]:
    fine = a_challenge()
    other_kid = {"typ": "countersign-challenge+jws", "kid": OTHER.public.thumbprint, "jwk": SERVICE.public.jwk}
    claims = some_claims().model_dump_json(exclude_none=True).encode()
    cases = [
        ("header altered", _altered(fine, 0)),
        ("payload altered", _altered(fine, 1)),
        ("signature altered", _altered(fine, 2)),
        ("base64url not canonical", _second_spelling(fine)),
        ("a kid that is not the key's", SERVICE.sign(other_kid, claims)),
        ("a signed request instead", a_request()),
    ]
    return [{"why": why, "jws": compact} for why, compact in cases]


def _refused_proofs() -> list[Case]:
    login, pairing = a_challenge(), a_challenge(Purpose.PAIRING)
    cases = [
        ("answer altered", login, _altered(an_answer(login), 1)),
        ("challenge altered", _altered(login, 1), an_answer(login)),
        ("answer to another challenge", login, an_answer(pairing)),
        ("another device answered", login, an_answer(login, key=OTHER)),
        ("another issuer asked", a_challenge(key=OTHER), an_answer(login)),
    ]
    return [{"why": why, "challenge": challenge, "answer": answer} for why, challenge, answer in cases]


if __name__ == "__main__":
    FILE.write_text(make(), encoding="utf-8")
