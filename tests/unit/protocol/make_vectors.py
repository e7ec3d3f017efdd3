"""Writes docs/protocol-vectors.json deterministically: `python -m tests.unit.protocol.make_vectors`."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from protocol.challenges import ANSWER_TYPE
from protocol.encoding import encode_base64url
from protocol.jose import read_header
from protocol.signed_requests import REQUEST_TYPE, sign_request
from schemas.contract import ChallengeOutcome, Purpose, Verdict
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
from tests.unit.protocol.code_vectors import agreement, numbers, unpaired
from tests.unit.protocol.vector_parts import (
    OTHER,
    SHORT,
    Case,
    altered,
    answer_case,
    challenge_case,
    key_case,
    request_case,
    response_case,
    second_spelling,
)

FILE: Final = Path(__file__).parents[3] / "docs" / "protocol-vectors.json"


def make() -> str:
    """Return the file's text."""
    vectors = {
        "about": (
            "Examples of docs/protocol.md. Signatures are made as RFC 6979 says, so each text can be made again from "
            "its key, header and payload; a device may sign otherwise. 'refusal' is the name of the problem."
        ),
        "now": int(NOW.timestamp()),
        "keys": {
            name: key_case(key)
            for name, key in (("device", DEVICE), ("issuer", SERVICE), ("other", OTHER), ("short", SHORT))
        },
        "base64url": _base64url(),
        "request": request_case(a_request(), PATH),
        "challenges": {purpose.value: challenge_case(a_challenge(purpose)) for purpose in Purpose},
        "answers": [
            {"to": purpose.value, "verdict": verdict.value, **_answer_to(purpose, verdict)}
            for purpose in Purpose
            for verdict in Verdict
        ],
        "responses": _responses(),
        "refused_requests": _refused_requests(),
        "refused_challenges": _refused_challenges(),
        "refused_proofs": _refused_proofs(),
        "agreement": agreement(),
        "numbers": numbers(),
        "unpaired": unpaired(),
    }
    return json.dumps(vectors, indent=2) + "\n"


def _base64url() -> Case:
    texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"]
    return {
        "holds": [{"hex": text.encode().hex(), "text": encode_base64url(text.encode())} for text in texts]
        + [{"hex": "fbff", "text": "-_8"}],
        "refused": ["Zg==", "Zh", "Zm9", "Zm9v Yg", "Zm9vYg\n", "+/8", "Z"],
    }


def _answer_to(purpose: Purpose, verdict: Verdict) -> Case:
    challenge = a_challenge(purpose)
    return answer_case(challenge, an_answer(challenge, verdict))


def _responses() -> list[Case]:
    counted = [
        (Verdict.APPROVE, ChallengeOutcome.APPROVED),
        (Verdict.DENY, ChallengeOutcome.DENIED),
        (Verdict.REPORT, ChallengeOutcome.REPORTED),
        (Verdict.APPROVE, ChallengeOutcome.WRONG_NUMBER),
    ]
    cases = [response_case(verdict, outcome.value) for verdict, outcome in counted]
    return [*cases, response_case(Verdict.APPROVE, "received")]


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
        ("header altered", altered(fine, 0), "bad-signature"),
        ("payload altered", altered(fine, 1), "bad-signature"),
        ("signature altered", altered(fine, 2), "bad-signature"),
        ("base64url not canonical", second_spelling(fine), "bad-signature"),
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
        ("header altered", altered(fine, 0)),
        ("payload altered", altered(fine, 1)),
        ("signature altered", altered(fine, 2)),
        ("base64url not canonical", second_spelling(fine)),
        ("a kid that is not the key's", SERVICE.sign(other_kid, claims)),
        ("a signed request instead", a_request()),
    ]
    return [{"why": why, "jws": compact} for why, compact in cases]


def _refused_proofs() -> list[Case]:
    login, pairing = a_challenge(), a_challenge(Purpose.PAIRING)
    cases = [
        ("answer altered", login, altered(an_answer(login), 1)),
        ("challenge altered", altered(login, 1), an_answer(login)),
        ("answer to another challenge", login, an_answer(pairing)),
        ("another device answered", login, an_answer(login, key=OTHER)),
        ("another issuer asked", a_challenge(key=OTHER), an_answer(login)),
    ]
    return [{"why": why, "challenge": challenge, "answer": answer} for why, challenge, answer in cases]


if __name__ == "__main__":
    FILE.write_text(make(), encoding="utf-8")
