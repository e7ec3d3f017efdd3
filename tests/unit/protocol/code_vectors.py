"""The vectors of key agreement and codes, of number matching, and of unpaired statements."""

import json
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from protocol.agreement import AgreementPrivateKey
from protocol.challenges import ANSWER_TYPE, PinnedIssuer, challenge_digest, issue_challenge
from protocol.encoding import decode_base64url
from protocol.jose import PrivateKey, read_header
from protocol.signed_requests import sign_request
from protocol.unpaired import UNPAIRED_TYPE, Unpaired, issue_unpaired
from protocol.verification_codes import STEP_SECONDS, code_at
from schemas.base import AgreementKey, Browser
from schemas.contract import Purpose, Verdict
from tests.unit.protocol.builders import (
    DEVICE,
    ISSUER,
    NONCE,
    NOW,
    ORIGIN,
    SERVICE,
    a_challenge,
    an_answer,
    some_claims,
)
from tests.unit.protocol.vector_parts import (
    ANSWER_PATH,
    OTHER,
    SHORT,
    Case,
    altered,
    answer_case,
    challenge_case,
    second_spelling,
)

DEVICE_AGREEMENT: Final = AgreementPrivateKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "2tC2U5QiHPmwUeH-yleH0Jjf5jf8kLnvlF0MN3JYEYA",
        "y": "UnGgRhzbglLWHxxFb6PlmrH0WzOsz19YOJ4Fd7iZC7M",
        "d": "yI8B9RDZrD9wopLaojFt5UTpqriv6EBJxiqcV4YtFDM",
    }
)
"""The device's key for agreement: the initiator's of RFC 5903 section 8.1."""
ISSUER_AGREEMENT: Final = AgreementPrivateKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "0S37UonI1PgSCLcCcDmMNCKWlwoLzLdMc2_HVUSUv2M",
        "y": "VvvzyjZswj6BV4VME8WNaqwj8Eatow-DU-dPMwOYcqs",
        "d": "xu-cXXiuASoBEWSss5fOIIhoXY8Gv5vgsoOrRkdr7lM",
    }
)
"""The login service's: the responder's of the same section."""
PAIRING_ID: Final = some_claims().jti
TIMES: Final = (59, int(NOW.timestamp()), int(NOW.timestamp()) + 29, int(NOW.timestamp()) + 30)
"""Seconds since 1970: the first of RFC 6238 appendix B, and both ends of a time step."""


def agreement() -> Case:
    """Return the derivation of the codes on both sides, and the messages that exchange the keys."""
    pinned = PinnedIssuer(issuer=ISSUER, keys=(SERVICE.public.thumbprint,), agreement=ISSUER_AGREEMENT.public)
    challenge = a_challenge(Purpose.PAIRING, login_issuer=pinned)
    zero_first = AgreementPrivateKey.from_jwk(SHORT.to_jwk()), AgreementPrivateKey.from_jwk(OTHER.to_jwk())
    return {
        "derivations": [
            {"why": "the keys of the messages below", **_derivation(DEVICE_AGREEMENT, ISSUER_AGREEMENT, PAIRING_ID)},
            {"why": "another pairing of the same keys", **_derivation(DEVICE_AGREEMENT, ISSUER_AGREEMENT, "pairing-2")},
            {"why": "the shared secret begins with a zero byte", **_derivation(*zero_first, "pairing-3")},
        ],
        "refused_keys": _refused_keys(),
        "challenge": challenge_case(challenge),
        "answer": answer_case(challenge, an_answer(challenge, agreement_key=DEVICE_AGREEMENT.public)),
        "refused_challenges": [{"why": "an agreement key off the curve", "jws": _challenge_with(_off_the_curve())}],
        "refused_proofs": [
            {
                "why": "an agreement key off the curve",
                "challenge": challenge,
                "answer": an_answer(challenge, agreement_key=_off_the_curve()),
            }
        ],
    }


def numbers() -> Case:
    """Return an approval with the right number, and answers with invalid numbers."""
    browser = Browser(name="Firefox on Linux", address="192.0.2.7", place="Geneva, Switzerland", first_time=True)
    challenge = a_challenge(number_matching=True, browser=browser)
    answers = [
        {"verdict": "approve", "number": 42, **answer_case(challenge, an_answer(challenge, number=42))},
        {"verdict": "deny", "number": None, **answer_case(challenge, an_answer(challenge, Verdict.DENY))},
        {"verdict": "report", "number": None, **answer_case(challenge, an_answer(challenge, Verdict.REPORT))},
    ]
    refused = [
        ("below 10", _answer_saying(challenge, 9)),
        ("above 99", _answer_saying(challenge, 100)),
        ("as text", _answer_saying(challenge, "42")),
        ("not whole", _answer_saying(challenge, 42.5)),
        ("altered", altered(an_answer(challenge, number=42), 1)),
    ]
    return {
        "challenge": challenge_case(challenge),
        "answers": answers,
        "refused_proofs": [{"why": why, "challenge": challenge, "answer": answer} for why, answer in refused],
    }


def unpaired() -> Case:
    """Return a statement that removes an account, invalid statements, and statements about other accounts."""
    fine = _statement()
    refused = [
        ("header altered", altered(fine, 0)),
        ("payload altered", altered(fine, 1)),
        ("signature altered", altered(fine, 2)),
        ("base64url not canonical", second_spelling(fine)),
        ("a kid that is not the key's", _signed({"kid": OTHER.public.thumbprint}, _unpaired().model_dump_json())),
        ("another type", _signed({"typ": "countersign-challenge+jws"}, _unpaired().model_dump_json())),
        ("a challenge instead", a_challenge()),
        ("no pairing id", _signed({}, _unpaired().model_dump_json(exclude={"pairing_id"}))),
    ]
    ignored = [
        ("signed by another key", _statement(OTHER)),
        ("for another device", _statement(aud=OTHER.public.thumbprint)),
        ("by another issuer", _statement(iss="http://login.example.org")),
        ("of another account", _statement(account_id="another-account")),
        ("of an earlier pairing", _statement(pairing_id="an-earlier-pairing")),
    ]
    content = _unpaired()
    return {
        "account": {
            "issuer": content.iss,
            "account_id": content.account_id,
            "pairing_id": content.pairing_id,
            "keys": [SERVICE.public.thumbprint],
        },
        "statement": {"header": read_header(fine), "claims": content.model_dump(mode="json"), "jws": fine},
        "refused": [{"why": why, "jws": statement} for why, statement in refused],
        "ignored": [{"why": why, "jws": statement} for why, statement in ignored],
    }


def _derivation(device: AgreementPrivateKey, issuer: AgreementPrivateKey, pairing_id: str) -> Case:
    secret = device.code_secret(issuer.public, pairing_id)
    assert secret == issuer.code_secret(device.public, pairing_id)
    return {
        "device": device.to_jwk(),
        "issuer": issuer.to_jwk(),
        "pairing_id": pairing_id,
        "shared_hex": _shared(device, issuer).hex(),
        "secret_hex": secret.hex(),
        "codes": [{"at": at, "code": code_at(secret, at // STEP_SECONDS)} for at in TIMES],
    }


def _shared(one: AgreementPrivateKey, other: AgreementPrivateKey) -> bytes:
    d, x, y = (
        int.from_bytes(decode_base64url(text), "big") for text in (one.to_jwk()["d"], other.public.x, other.public.y)
    )
    curve = ec.SECP256R1()
    peer = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    return ec.derive_private_key(d, curve).exchange(ec.ECDH(), peer)


def _off_the_curve() -> AgreementKey:
    return AgreementKey(x=ISSUER_AGREEMENT.public.y, y=ISSUER_AGREEMENT.public.x)


def _refused_keys() -> list[Case]:
    fine = ISSUER_AGREEMENT.public.model_dump()
    p384 = "A" * 64
    cases = [
        ("not a point of the curve", _off_the_curve().model_dump()),
        ("a point of another curve", {**fine, "crv": "P-384", "x": p384, "y": p384}),
        ("a coordinate that is too short", {**fine, "x": fine["x"][:-2]}),
        ("a coordinate of the field's size or more", {**fine, "x": "_" * 42 + "8"}),
        ("no y", {name: value for name, value in fine.items() if name != "y"}),
    ]
    return [{"why": why, "jwk": jwk} for why, jwk in cases]


def _challenge_with(key: AgreementKey) -> str:
    pinned = PinnedIssuer(issuer=ISSUER, keys=(SERVICE.public.thumbprint,), agreement=key)
    return issue_challenge(SERVICE, some_claims(Purpose.PAIRING, login_issuer=pinned))


def _answer_saying(challenge: str, number: object) -> str:
    payload = {"challenge_digest": challenge_digest(challenge), "verdict": "approve", "number": number}
    return sign_request(DEVICE, url=ORIGIN + ANSWER_PATH, nonce=NONCE, at=NOW, payload=payload, typ=ANSWER_TYPE)


def _unpaired(**changes: str) -> Unpaired:
    fine = {
        "iss": ISSUER,
        "aud": DEVICE.public.thumbprint,
        "iat": int(NOW.timestamp()),
        "account_id": some_claims().account_id,
        "pairing_id": PAIRING_ID,
    }
    return Unpaired.model_validate({**fine, **changes})


def _statement(key: PrivateKey = SERVICE, /, **changes: str) -> str:
    return issue_unpaired(key, _unpaired(**changes))


def _signed(header: dict[str, str], payload: str) -> str:
    usual = {"typ": UNPAIRED_TYPE, "kid": SERVICE.public.thumbprint, "jwk": SERVICE.public.jwk}
    return SERVICE.sign({**usual, **header}, json.dumps(json.loads(payload), separators=(",", ":")).encode())
