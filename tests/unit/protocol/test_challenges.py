"""A challenge states its issuer, device and purpose; with its answer, it proves the verdict."""

import json
from datetime import timedelta

import pytest

from protocol.challenges import ANSWER_TYPE, challenge_digest, issue_challenge, verify_challenge, verify_proof
from protocol.jose import PrivateKey, SignatureError
from protocol.signed_requests import sign_request, verify_request
from schemas.contract import Purpose, Verdict
from tests.unit.protocol.builders import DEVICE, NONCE, NOW, ORIGIN, SERVICE, a_challenge, an_answer, some_claims


@pytest.mark.parametrize("purpose", list(Purpose))
def test_challenge_has_its_claims_and_its_issuers_key(purpose: Purpose) -> None:
    claims, key = verify_challenge(a_challenge(purpose))
    assert claims == some_claims(purpose)
    assert key == SERVICE.public.thumbprint
    assert claims.expires_at == NOW + timedelta(seconds=120)


def test_signature_of_a_challenge_is_deterministic() -> None:
    assert issue_challenge(SERVICE, some_claims()) == a_challenge()


def test_challenge_under_another_kid_is_refused() -> None:
    header = {"typ": "countersign-challenge+jws", "kid": DEVICE.public.thumbprint, "jwk": SERVICE.public.jwk}
    with pytest.raises(SignatureError, match="kid"):
        verify_challenge(SERVICE.sign(header, some_claims().model_dump_json().encode()))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "me"},
        {"jti": ""},
        {"jti": "../secrets"},
        {"iat": -1},
        {"exp": 10**20},
        {"exp": "1795680000"},
        {"purpose": "payment"},
        {"reply_key": "a b"},
        {"service": "S" * 201},
        {"browser": "Firefox"},
        {"account_name": None},
    ],
)
def test_malformed_claims_are_refused(changes: dict[str, object]) -> None:
    claims = {**json.loads(some_claims().model_dump_json()), **changes}
    header = {"typ": "countersign-challenge+jws", "kid": SERVICE.public.thumbprint, "jwk": SERVICE.public.jwk}
    with pytest.raises(SignatureError):
        verify_challenge(SERVICE.sign(header, json.dumps(claims).encode()))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_answer_proves_its_verdict(verdict: Verdict) -> None:
    challenge = a_challenge()
    proof = verify_proof(challenge, an_answer(challenge, verdict))
    assert (proof.verdict, proof.device_id, proof.issuer_key, proof.signed_at) == (
        verdict,
        DEVICE.public.thumbprint,
        SERVICE.public.thumbprint,
        NOW,
    )
    assert proof.claims == some_claims()


def test_answer_is_a_signed_request_over_the_challenge() -> None:
    challenge = a_challenge()
    path = f"/challenges/{some_claims().jti}/answer"
    signed = verify_request(an_answer(challenge), path=path, origins={ORIGIN}, now=NOW, typ=ANSWER_TYPE)
    assert signed.payload == {"challenge_digest": challenge_digest(challenge), "verdict": "approve"}


def test_answer_of_another_device_proves_nothing() -> None:
    challenge = a_challenge()
    with pytest.raises(SignatureError, match="another device"):
        verify_proof(challenge, an_answer(challenge, key=PrivateKey.generate()))


def test_answer_to_another_challenge_proves_nothing() -> None:
    with pytest.raises(SignatureError, match="another challenge"):
        verify_proof(a_challenge(), an_answer(a_challenge(account_name="eve@example.com")))


def test_same_claims_by_another_issuer_are_another_challenge() -> None:
    answer = an_answer(a_challenge())
    with pytest.raises(SignatureError, match="another challenge"):
        verify_proof(a_challenge(key=PrivateKey.generate()), answer)


@pytest.mark.parametrize("verdict", ["", "yes", "APPROVE", None, 1, ["approve"]])
def test_unknown_verdicts_prove_nothing(verdict: object) -> None:
    challenge = a_challenge()
    payload = {"challenge_digest": challenge_digest(challenge), "verdict": verdict}
    url = f"{ORIGIN}/challenges/{some_claims().jti}/answer"
    answer = sign_request(DEVICE, url=url, nonce=NONCE, at=NOW, payload=payload, typ=ANSWER_TYPE)
    with pytest.raises(SignatureError):
        verify_proof(challenge, answer)


def test_request_is_no_answer_and_challenge_is_no_request() -> None:
    challenge = a_challenge()
    with pytest.raises(SignatureError):
        verify_proof(challenge, challenge)
    with pytest.raises(SignatureError):
        verify_proof(an_answer(challenge), an_answer(challenge))
