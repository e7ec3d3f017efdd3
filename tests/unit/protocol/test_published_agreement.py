"""Both sides derive the secret of verification codes as the RFC and Wycheproof's cases say.

All of Wycheproof's ECDH cases for P-256 with keys as JWKs apply: the keys travel as JWKs here.
"""

from collections import Counter
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import ValidationError

from protocol.agreement import SECRET_BYTES, AgreementPrivateKey
from protocol.jose import PublicKey, SignatureError
from schemas.base import AgreementKey
from tests.unit.protocol.derivation import hkdf_sha256
from tests.unit.protocol.wycheproof import groups_of

CASES: Final[list[dict[str, Any]]] = [
    case
    for group in groups_of(
        "Protocol/wycheproof/ecdh_secp256r1_webcrypto_test.json", "ecdh_webcrypto_test_schema_v1.json"
    )
    for case in group["tests"]
]
VALID: Final = [case for case in CASES if case["result"] == "valid"]
INVALID: Final = [case for case in CASES if case["result"] == "invalid"]
RFC_5869_APPENDIX_A: Final = {
    "A.1": (
        bytes([0x0B] * 22),
        bytes(range(0x0D)),
        bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    "A.2": (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    "A.3": (
        bytes([0x0B] * 22),
        b"",
        b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
}


@pytest.mark.parametrize(
    ("key", "salt", "info", "expected"), RFC_5869_APPENDIX_A.values(), ids=RFC_5869_APPENDIX_A.keys()
)
def test_keys_are_derived_as_rfc_5869_publishes(key: bytes, salt: bytes, info: bytes, expected: str) -> None:
    length = len(expected) // 2
    assert hkdf_sha256(key, salt, info, length).hex() == expected
    assert HKDF(SHA256(), length, salt=salt or None, info=info).derive(key).hex() == expected


def test_there_are_many_cases_of_both_kinds() -> None:
    assert len(VALID) >= 330
    assert len(INVALID) >= 23
    assert Counter(case["result"] for case in CASES).keys() == {"valid", "invalid"}


def _secret(case: dict[str, Any], pairing_id: str) -> bytes:
    """Derive a case's secret as the owner of its private key does."""
    peer = AgreementKey.model_validate(case["public"])
    return AgreementPrivateKey.from_jwk(case["private"]).code_secret(peer, pairing_id)


def test_the_secret_is_derived_from_the_published_shared_secret_and_the_pairing() -> None:
    info = b"countersign verification code v1\x00pairing-1"
    for case in VALID:
        expected = hkdf_sha256(bytes.fromhex(case["shared"]), b"", info, SECRET_BYTES)
        assert _secret(case, "pairing-1") == expected, case
        assert _secret(case, "pairing-2") != expected, case


@pytest.mark.parametrize("case", INVALID, ids=[f"{case['tcId']}" for case in INVALID])
def test_a_key_off_the_curve_is_refused(case: dict[str, Any]) -> None:
    AgreementPrivateKey.from_jwk(case["private"])
    with pytest.raises((SignatureError, ValidationError)):
        _secret(case, "pairing-1")


def test_a_new_key_pair_is_named_by_the_thumbprint_of_its_public_key() -> None:
    pair = AgreementPrivateKey.generate()
    assert pair.key_id == PublicKey.from_jwk(pair.public.model_dump()).thumbprint
    assert AgreementPrivateKey.from_jwk(pair.to_jwk()) == pair
    assert AgreementPrivateKey.generate().key_id != pair.key_id
    assert pair.to_jwk()["d"] not in repr(pair)
