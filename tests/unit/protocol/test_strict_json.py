"""JSON and keys of strangers: one reading each, or a refusal, and never another error."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol.challenges import ANSWER_TYPE, verify_challenge, verify_proof
from protocol.encoding import decode_base64url, encode_base64url
from protocol.jose import PrivateKey, PublicKey, SignatureError, read_header, thumbprints_of, verify_embedded
from protocol.signed_requests import Refusal, RequestRefusedError, verify_request
from protocol.strict_json import MOST_DEPTH, read_json
from protocol.unpaired import verify_unpaired
from schemas.base import AgreementKey
from tests.builders import T0, a_key
from tests.events import a_challenge

PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
REFUSED: Final = {
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "two members of one name": b'{"a": 1, "a": 2}',
    "two members deep inside": b'{"a": [{"b": 1, "\\u0062": 2}]}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "lone surrogate as a name": b'{"\\udc00": 1}',
    "deep nesting": b"[" * 2000,
    "too deep": b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1),
    "no UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "long number": b'{"a": ' + b"9" * 5000 + b"}",
    "nothing": b"",
}
json_values: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_two_parsers_may_read_differently_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="not strict JSON"):
        read_json(text)


@given(json_values)
def test_plain_json_is_read_as_it_is(value: object) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text: bytes | str) -> None:
    try:
        read_json(text)
    except ValueError as error:
        assert str(error) == "not strict JSON"  # noqa: PT017 - another error fails the test


def _signed(payload: bytes, header: bytes | None = None) -> str:
    """Return a request that a key signed, whatever is in it; the header may be given as text."""
    key = a_key("a device")
    members = {"typ": "countersign-request+jws", "jwk": key.public.jwk, "url": "http://x/p", "nonce": "n"}
    compact = key.sign({**members, "iat": int(T0.timestamp())}, payload)
    if header is None:
        return compact
    return ".".join([encode_base64url(header), *compact.split(".")[1:]])


@pytest.mark.parametrize("payload", REFUSED.values(), ids=REFUSED)
def test_a_request_whose_payload_is_not_strict_json_is_malformed(payload: bytes) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        verify_request(_signed(payload), path="/p", origins={"http://x"}, now=T0)
    assert refused.value.refusal is Refusal.MALFORMED


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED)
def test_a_header_that_is_not_strict_json_is_refused(header: bytes) -> None:
    with pytest.raises(SignatureError):
        read_header(_signed(b"{}", header))


@pytest.mark.parametrize("payload", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("verify", [verify_challenge, verify_unpaired], ids=["challenge", "unpaired"])
def test_a_statement_that_is_not_strict_json_is_refused(verify: Callable[[str], Any], payload: bytes) -> None:
    key = a_key("login service")
    for typ in ("countersign-challenge+jws", "countersign-unpaired+jws"):
        header = {"typ": typ, "kid": key.public.thumbprint, "jwk": key.public.jwk}
        with pytest.raises(SignatureError):
            verify(key.sign(header, payload))


@pytest.mark.parametrize("payload", REFUSED.values(), ids=REFUSED)
def test_an_answer_that_is_not_strict_json_proves_nothing(payload: bytes) -> None:
    key = a_key("a device")
    answer = key.sign({"typ": ANSWER_TYPE, "jwk": key.public.jwk, "iat": int(T0.timestamp())}, payload)
    with pytest.raises(SignatureError):
        verify_proof(a_challenge(), answer)


def _small_x() -> dict[str, str]:
    """Return the key of a point whose x is so small that x + p has 32 bytes as well."""
    for x in range(20):
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x02" + x.to_bytes(32))
        except ValueError:
            continue
        numbers = point.public_numbers()
        return _jwk(numbers.x, numbers.y)
    raise AssertionError


def _jwk(x: int, y: int) -> dict[str, str]:
    return {"kty": "EC", "crv": "P-256", "x": encode_base64url(x.to_bytes(32)), "y": encode_base64url(y.to_bytes(32))}


def test_a_key_has_one_id() -> None:
    jwk = _small_x()
    PublicKey.from_jwk(jwk)
    x = int.from_bytes(decode_base64url(jwk["x"]))
    with pytest.raises(SignatureError, match="not a P-256 public key"):
        PublicKey.from_jwk({**jwk, "x": encode_base64url((x + PRIME).to_bytes(32))})


@pytest.mark.parametrize("member", ["d", "k", "p"])
def test_a_public_key_with_private_members_is_refused(member: str) -> None:
    key = PrivateKey.generate()
    jwk = {**key.public.jwk, member: key.to_jwk()["d"]}
    with pytest.raises(SignatureError, match="private members"):
        PublicKey.from_jwk(jwk)
    with pytest.raises(SignatureError, match="private members"):
        verify_embedded(key.sign({"typ": "t", "jwk": jwk}, b"{}"), "t")
    assert thumbprints_of(json.dumps({"keys": [jwk, key.public.jwk]}).encode()) == {key.public.thumbprint}


def test_an_agreement_key_with_a_private_member_is_refused() -> None:
    with pytest.raises(ValidationError, match="private member"):
        AgreementKey.model_validate(PrivateKey.generate().to_jwk())
