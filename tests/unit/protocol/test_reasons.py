"""Each refusal has a reason for the device's developer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from protocol.agreement import AgreementPrivateKey
from protocol.challenges import ANSWER_TYPE, CHALLENGE_TYPE, challenge_digest, verify_challenge, verify_proof
from protocol.encoding import decode_base64url
from protocol.jose import PrivateKey, PublicKey, SignatureError, read_header, thumbprints_of, verify_embedded
from protocol.signed_requests import REQUEST_TYPE, RequestRefusedError, sign_request, verify_request
from protocol.unpaired import UNPAIRED_TYPE, verify_unpaired
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
    with_header,
)

JWK = DEVICE.public.jwk
CHALLENGE = a_challenge()


def issued(typ: str, payload: bytes, **changes: object) -> str:
    """Return what the service signed."""
    return SERVICE.sign({"typ": typ, "kid": SERVICE.public.thumbprint, "jwk": SERVICE.public.jwk, **changes}, payload)


def request(payload: bytes = b"{}", **changes: object) -> str:
    """Return what the device signed; members of the header that are None are left out."""
    usual = {"typ": REQUEST_TYPE, "jwk": JWK, "url": ORIGIN + PATH, "nonce": NONCE, "iat": int(NOW.timestamp())}
    return DEVICE.sign({name: each for name, each in {**usual, **changes}.items() if each is not None}, payload)


def answered(**payload: object) -> str:
    """Return what the device signed as an answer to a challenge."""
    return sign_request(DEVICE, url=f"{ORIGIN}/any", nonce=NONCE, at=NOW, payload=payload, typ=ANSWER_TYPE)


def header_of(algorithm: object) -> str:
    """Return a JWS by another algorithm."""
    return with_header(a_request(), json.dumps({"alg": algorithm, "typ": REQUEST_TYPE, "jwk": JWK}).encode())


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (lambda: read_header(""), "not a compact JWS: DecodeError"),
        (lambda: read_header(header_of("ES384")), "the algorithm is not ES256"),
        (lambda: verify_embedded(a_request(), "other"), "the type is not other"),
        (
            lambda: verify_embedded(request(jwk=SERVICE.public.jwk), REQUEST_TYPE),
            "the signature is invalid: BadSignatureError",
        ),
        (lambda: verify_embedded(request(jwk=None), REQUEST_TYPE), "not a P-256 public key: KeyError"),
        (lambda: PublicKey.from_jwk({**JWK, "x": "A"}), "not a P-256 public key: Error"),
        (lambda: PublicKey.from_jwk({**JWK, "x": JWK["y"]}), "not a P-256 public key: ValueError"),
        (lambda: PublicKey.from_jwk({**JWK, "crv": "P-384"}), "not a P-256 public key: SignatureError"),
        (lambda: PrivateKey.from_jwk(JWK), "not a private key: the member d is missing"),
        (lambda: PrivateKey.from_jwk({**JWK, "d": 7}), "not a private key: the member d is missing"),
        (lambda: PrivateKey.from_jwk({**JWK, "d": "A"}), "not a private key: Error"),
        (lambda: AgreementPrivateKey.from_jwk(JWK), "not a private key: the member d is missing"),
        (lambda: verify_challenge(issued(CHALLENGE_TYPE, b"{}")), "the claims are not a challenge's"),
        (lambda: verify_challenge(issued(CHALLENGE_TYPE, b"{}", kid="1")), "the kid is not the thumbprint of the key"),
        (lambda: verify_unpaired(issued(UNPAIRED_TYPE, b"{}")), "the claims are not an unpaired statement's"),
        (lambda: verify_proof(CHALLENGE, answered(verdict="approve")), "the payload is not an answer's"),
        (lambda: verify_proof(CHALLENGE, an_answer(a_challenge(jti="2"))), "the answer is to another challenge"),
        (lambda: verify_proof(CHALLENGE, an_answer(CHALLENGE, key=SERVICE)), "another device answered"),
    ],
)
def test_an_invalid_signature_has_a_reason(check: Callable[[], Any], reason: str) -> None:
    with pytest.raises(SignatureError) as refused:
        check()
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"kty": "OKP"}, "the key is not on the curve P-256"),
        ({"crv": "P-384"}, "the key is not on the curve P-256"),
        ({"x": JWK["x"][4:]}, "the key's coordinates are not 32 bytes each"),
        ({"y": "AAAA" + JWK["y"]}, "the key's coordinates are not 32 bytes each"),
    ],
)
def test_a_refused_key_has_its_flaw_as_the_cause(changes: dict[str, str], cause: str) -> None:
    with pytest.raises(SignatureError) as refused:
        PublicKey.from_jwk({**JWK, **changes})
    assert str(refused.value.__cause__) == cause


@pytest.mark.parametrize(
    ("compact", "detail"),
    [
        (a_request()[:-1], "the signature is invalid: Error"),
        (request(kid="1"), "The header must have exactly alg, iat, jwk, nonce, typ, url."),
        (request(iat="1795680000"), "The header needs url (text), nonce (text) and iat (whole seconds)."),
        (request(url=f"{ORIGIN}/other"), "The request was signed for another URL."),
        (request(iat=0), f"iat is more than 300 s away from this service's time, {int(NOW.timestamp())}."),
        (request(b"{"), "The payload is not JSON."),
        (request(b"[]"), "The payload is not a JSON object."),
    ],
)
def test_a_refused_request_has_a_reason(compact: str, detail: str) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        verify_request(compact, path=PATH, origins={ORIGIN}, now=NOW)
    assert str(refused.value) == detail


def test_another_spelling_of_base64url_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^the base64url is not canonical$"):
        decode_base64url("AB")


def test_bytes_that_are_not_a_key_set_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"^not a JWK set$"):
        thumbprints_of(b"[]")


def test_an_answer_without_its_time_is_invalid() -> None:
    header = {"typ": ANSWER_TYPE, "jwk": JWK, "url": f"{ORIGIN}/any", "nonce": NONCE}
    payload = {"challenge_digest": challenge_digest(CHALLENGE), "verdict": "approve"}
    with pytest.raises(SignatureError, match="the payload is not an answer's"):
        verify_proof(CHALLENGE, DEVICE.sign(header, json.dumps(payload).encode()))
