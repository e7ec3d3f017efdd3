"""docs/protocol-vectors.json is what the code makes, and the code decides each case as the file says."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from authenticator.device.messages import Receipt
from protocol.agreement import AgreementPrivateKey
from protocol.challenges import ANSWER_TYPE, Answer, verify_challenge, verify_proof
from protocol.encoding import decode_base64url, digest, encode_base64url
from protocol.jose import PrivateKey, SignatureError, read_header
from protocol.signed_requests import REQUEST_TYPE, RequestRefusedError, verify_request
from protocol.unpaired import verify_unpaired
from protocol.verification_codes import code_at, step_at
from schemas.base import AgreementKey
from tests.builders import present
from tests.unit.protocol import make_vectors

VECTORS: dict[str, Any] = json.loads(make_vectors.FILE.read_text(encoding="utf-8"))
NOW = datetime.fromtimestamp(VECTORS["now"], UTC)


def why(case: dict[str, Any]) -> str:
    """Return what a case is about."""
    return str(case["why"])


def test_file_is_up_to_date() -> None:
    made = make_vectors.make()
    assert make_vectors.FILE.read_text(encoding="utf-8") == made, "run: python -m tests.unit.protocol.make_vectors"


@pytest.mark.parametrize("name", VECTORS["keys"])
def test_thumbprints_hold(name: str) -> None:
    key = VECTORS["keys"][name]
    assert PrivateKey.from_jwk(key["private"]).public.thumbprint == key["thumbprint"]


def test_base64url_holds() -> None:
    for case in VECTORS["base64url"]["holds"]:
        assert encode_base64url(bytes.fromhex(case["hex"])) == case["text"]
        assert decode_base64url(case["text"]).hex() == case["hex"]
    for text in VECTORS["base64url"]["refused"]:
        with pytest.raises(ValueError):  # noqa: PT011 - the one error that it raises
            decode_base64url(text)


def test_requests_and_answers_hold() -> None:
    answers = [*VECTORS["answers"], *VECTORS["numbers"]["answers"], VECTORS["agreement"]["answer"]]
    for case, typ in [(VECTORS["request"], REQUEST_TYPE), *((case, ANSWER_TYPE) for case in answers)]:
        signed = verify_request(case["jws"], path=case["path"], origins={case["origin"]}, now=NOW, typ=typ)
        assert signed.device.thumbprint == VECTORS["keys"]["device"]["thumbprint"]
        assert signed.payload == json.loads(decode_base64url(case["payload_base64url"]))


def test_challenges_hold_and_answers_prove_their_verdicts() -> None:
    for case in VECTORS["answers"]:
        challenge = VECTORS["challenges"][case["to"]]
        claims, key = verify_challenge(challenge["jws"])
        assert claims.model_dump(mode="json", exclude_none=True) == challenge["claims"]
        assert key == VECTORS["keys"]["issuer"]["thumbprint"]
        assert verify_proof(challenge["jws"], case["jws"]).verdict == case["verdict"]


def test_answers_prove_the_number_that_was_entered() -> None:
    challenge = VECTORS["numbers"]["challenge"]
    claims, _ = verify_challenge(challenge["jws"])
    assert claims.model_dump(mode="json", exclude_none=True) == challenge["claims"]
    assert claims.number_matching
    for case in VECTORS["numbers"]["answers"]:
        proof = verify_proof(challenge["jws"], case["jws"])
        assert (proof.verdict, proof.number) == (case["verdict"], case["number"])


def test_an_answers_id_follows_from_its_device_and_its_content() -> None:
    answers = [
        *((VECTORS["challenges"][case["to"]], case) for case in VECTORS["answers"]),
        *((VECTORS["numbers"]["challenge"], case) for case in VECTORS["numbers"]["answers"]),
        (VECTORS["agreement"]["challenge"], VECTORS["agreement"]["answer"]),
    ]
    for challenge, case in answers:
        content = json.loads(decode_base64url(case["payload_base64url"]))
        device_id = VECTORS["keys"]["device"]["thumbprint"]
        assert json.loads(case["id_of"]) == {"device_id": device_id, **content}
        assert digest(case["id_of"].encode()) == case["id"]
        assert verify_proof(challenge["jws"], case["jws"]).answer_id == case["id"]
        assert Answer.model_validate(content).id_for(device_id) == case["id"]
    assert len({case["id"] for _challenge, case in answers}) == len(answers)


def test_only_an_answer_that_was_only_received_is_sent_again() -> None:
    for case in VECTORS["responses"]:
        assert Receipt.model_validate(case["body"]).decided == case["final"]


@pytest.mark.parametrize("case", VECTORS["agreement"]["derivations"], ids=why)
def test_both_sides_derive_the_same_codes(case: dict[str, Any]) -> None:
    device, issuer = (AgreementPrivateKey.from_jwk(case[side]) for side in ("device", "issuer"))
    for own, peer in ((device, issuer), (issuer, device)):
        secret = own.code_secret(peer.public, case["pairing_id"])
        assert secret.hex() == case["secret_hex"]
        for code in case["codes"]:
            assert code_at(secret, step_at(datetime.fromtimestamp(code["at"], UTC))) == code["code"]


@pytest.mark.parametrize("case", VECTORS["agreement"]["refused_keys"], ids=why)
def test_unusable_agreement_keys_are_refused(case: dict[str, Any]) -> None:
    own = AgreementPrivateKey.from_jwk(VECTORS["agreement"]["derivations"][0]["device"])
    with pytest.raises(ValueError):  # noqa: PT011 - of the form or of the curve
        own.code_secret(AgreementKey.model_validate(case["jwk"]), "pairing-1")


def test_pairing_exchanges_the_keys_of_the_derivation() -> None:
    exchange, derivation = VECTORS["agreement"], VECTORS["agreement"]["derivations"][0]
    proof = verify_proof(exchange["challenge"]["jws"], exchange["answer"]["jws"])
    assert proof.claims.jti == derivation["pairing_id"]
    assert present(proof.claims.login_issuer).agreement == AgreementPrivateKey.from_jwk(derivation["issuer"]).public
    assert proof.agreement_key == AgreementPrivateKey.from_jwk(derivation["device"]).public


def test_statement_of_an_unpaired_device_holds() -> None:
    case = VECTORS["unpaired"]["statement"]
    content, key = verify_unpaired(case["jws"])
    assert content.model_dump(mode="json") == case["claims"]
    assert key == VECTORS["keys"]["issuer"]["thumbprint"]
    assert read_header(case["jws"]) == case["header"]


@pytest.mark.parametrize("case", VECTORS["unpaired"]["refused"], ids=why)
def test_statements_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        verify_unpaired(case["jws"])


@pytest.mark.parametrize("case", VECTORS["refused_requests"], ids=why)
def test_requests_are_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        verify_request(case["jws"], path=case["path"], origins={case["origin"]}, now=NOW)
    assert refused.value.refusal == case["refusal"]


@pytest.mark.parametrize("case", [*VECTORS["refused_challenges"], *VECTORS["agreement"]["refused_challenges"]], ids=why)
def test_challenges_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        verify_challenge(case["jws"])


@pytest.mark.parametrize(
    "case",
    [*VECTORS["refused_proofs"], *VECTORS["numbers"]["refused_proofs"], *VECTORS["agreement"]["refused_proofs"]],
    ids=why,
)
def test_proofs_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        verify_proof(case["challenge"], case["answer"])
