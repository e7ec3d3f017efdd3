"""Wycheproof's ECDSA cases for P-256 with SHA-256 and signatures R || S: those are ES256's (RFC 7518 section 3.4).

All groups of the file apply. A JWS cannot hold a case's message, which is not two parts in base64url; so a case is
checked with the key as we read it and the algorithm object that each JWS is verified with. That its signature says
nothing about another message is checked over a whole JWS.
"""

from collections import Counter
from typing import Any, Final

from joserfc.jwk import ECKey

from protocol.encoding import encode_base64url
from protocol.jose import _REGISTRY, ALGORITHM, PublicKey, SignatureError
from tests.unit.protocol.builders import a_challenge
from tests.unit.protocol.wycheproof import groups_of


def _jwk(uncompressed: str) -> dict[str, str]:
    """Return a point's JWK; its uncompressed form is 4, x, y (SEC 1 section 2.3.3)."""
    point = bytes.fromhex(uncompressed)
    assert (point[0], len(point)) == (4, 65)
    return {"kty": "EC", "crv": "P-256", "x": encode_base64url(point[1:33]), "y": encode_base64url(point[33:])}


CASES: Final[list[tuple[dict[str, str], dict[str, Any]]]] = [
    (_jwk(group["publicKey"]["uncompressed"]), case)
    for group in groups_of(
        "Signature/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", "ecdsa_p1363_verify_schema_v1.json"
    )
    for case in group["tests"]
]


def test_there_are_many_cases_of_both_kinds() -> None:
    results = Counter(case["result"] for _, case in CASES)
    assert results["valid"] >= 170
    assert results["invalid"] >= 85
    assert results.keys() == {"valid", "invalid"}


def test_a_signature_holds_exactly_if_it_is_valid() -> None:
    wrong = [case for jwk, case in CASES if _holds(jwk, case) != (case["result"] == "valid")]
    assert wrong == []


def test_a_signature_is_invalid_for_another_message() -> None:
    signed, _, _ = a_challenge().rpartition(".")
    taken = [case for jwk, case in CASES if _is_taken(jwk, f"{signed}.{encode_base64url(bytes.fromhex(case['sig']))}")]
    assert taken == []


def _is_taken(jwk: dict[str, str], jws: str) -> bool:
    try:
        PublicKey.from_jwk(jwk).verify(jws)
    except SignatureError:
        return False
    return True


def _holds(jwk: dict[str, str], case: dict[str, Any]) -> bool:
    key = ECKey.import_key({**PublicKey.from_jwk(jwk).jwk})
    return _REGISTRY.get_alg(ALGORITHM).verify(bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]), key)
