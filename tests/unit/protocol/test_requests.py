"""A signed request holds for one device, one URL and one time."""

import json
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.challenges import ANSWER_TYPE
from protocol.jose import PrivateKey, SignatureError
from protocol.signed_requests import TOLERANCE_SECONDS, Refusal, RequestRefusedError, sign_request, verify_request
from tests.unit.protocol.builders import DEVICE, NONCE, NOW, ORIGIN, PATH, a_request, with_header

NESTED = b"[" * 3000


def refusal_of(compact: str, *, path: str = PATH, typ: str = "countersign-request+jws") -> Refusal:
    """Return why a request is refused that came to an origin of the service."""
    with pytest.raises(RequestRefusedError) as refused:
        verify_request(compact, path=path, origins={ORIGIN, "https://auth.example.com"}, now=NOW, typ=typ)
    assert refused.value.args[0]
    return refused.value.refusal


def signed_with(**changes: object) -> str:
    """Return a request that is truly signed, with members of its header changed, or left out where None."""
    header: dict[str, object] = {
        "typ": "countersign-request+jws",
        "jwk": DEVICE.public.jwk,
        "url": ORIGIN + PATH,
        "nonce": NONCE,
        "iat": int(NOW.timestamp()),
        **changes,
    }
    return DEVICE.sign({name: value for name, value in header.items() if value is not None}, b"{}")


def test_request_has_its_device_payload_and_time() -> None:
    signed = verify_request(a_request(), path=PATH, origins={ORIGIN}, now=NOW)
    assert signed.device.thumbprint == DEVICE.public.thumbprint
    assert (signed.nonce, signed.issued_at, signed.payload) == (NONCE, NOW, {"device_name": "Pixel 9"})
    assert signed.compact == a_request()


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8301/phrases",
        "https://localhost:8300/phrases",
        "http://localhost:8300/phrases/",
        "http://localhost:8300/phrases?a=1",
        "http://localhost:8300//phrases",
        "http://localhost:8300/other/phrases",
        "http://eve@localhost:8300/phrases",
        "http://localhost:8300.example.com/phrases",
        "/phrases",
        "",
        "http://[/phrases",
    ],
)
def test_request_for_another_url_is_refused(url: str) -> None:
    assert refusal_of(a_request(url=url)) is Refusal.WRONG_URL


def test_request_is_valid_at_each_origin_of_the_service() -> None:
    compact = a_request(url="https://auth.example.com/phrases")
    origins = {ORIGIN, "https://auth.example.com"}
    assert verify_request(compact, path=PATH, origins=origins, now=NOW).nonce == NONCE


def test_request_that_came_to_another_path_is_refused() -> None:
    assert refusal_of(a_request(), path="/challenges/1/answer") is Refusal.WRONG_URL


@given(st.integers(-(10**6), 10**6))
@example(TOLERANCE_SECONDS)
@example(-TOLERANCE_SECONDS)
@example(TOLERANCE_SECONDS + 1)
@example(-TOLERANCE_SECONDS - 1)
def test_request_is_valid_for_five_minutes_either_way(seconds: int) -> None:
    compact = a_request(at=NOW + timedelta(seconds=seconds))
    if abs(seconds) <= TOLERANCE_SECONDS:
        assert verify_request(compact, path=PATH, origins={ORIGIN}, now=NOW).issued_at == NOW + timedelta(
            seconds=seconds
        )
    else:
        assert refusal_of(compact) is Refusal.STALE


@pytest.mark.parametrize("issued", [10**400, -(10**400), 2**63])
def test_absurd_times_are_stale(issued: int) -> None:
    assert refusal_of(signed_with(iat=issued)) is Refusal.STALE


@pytest.mark.parametrize(
    "changes",
    [
        {"url": None},
        {"url": 7},
        {"nonce": None},
        {"nonce": ["a"]},
        {"iat": None},
        {"iat": "1795680000"},
        {"iat": 1795680000.5},
        {"iat": True},
        {"kid": "more-than-there-should-be"},
    ],
)
def test_header_has_exactly_its_members(changes: dict[str, object]) -> None:
    assert refusal_of(signed_with(**changes)) is Refusal.MALFORMED


@pytest.mark.parametrize("typ", [None, "JWT", "countersign-answer+jws", "countersign-challenge+jws", ""])
def test_signed_text_of_another_type_is_refused(typ: object) -> None:
    assert refusal_of(signed_with(typ=typ)) is Refusal.BAD_SIGNATURE


def test_request_is_no_answer() -> None:
    assert refusal_of(a_request(), typ=ANSWER_TYPE) is Refusal.BAD_SIGNATURE


def test_request_under_the_key_of_another_is_refused() -> None:
    other = PrivateKey.generate()
    assert refusal_of(signed_with(jwk=other.public.jwk)) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("jwk", [None, "key", [], {}, 7, {"kty": "oct", "k": "AAAA"}, {"kty": ["EC"]}])
def test_request_without_a_key_is_refused(jwk: object) -> None:
    header = {"alg": "ES256", "typ": "countersign-request+jws", "jwk": jwk, "url": ORIGIN + PATH}
    assert refusal_of(with_header(a_request(), json.dumps(header).encode())) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES384", "RS256", "ES256K", "", None, 256, ["ES256"]])
def test_only_es256_is_accepted(algorithm: object) -> None:
    header = {"alg": algorithm, "typ": "countersign-request+jws", "jwk": DEVICE.public.jwk, "url": ORIGIN + PATH}
    compact = with_header(a_request(), json.dumps(header).encode())
    assert refusal_of(compact) is Refusal.BAD_SIGNATURE
    assert refusal_of(compact.rpartition(".")[0] + ".") is Refusal.BAD_SIGNATURE


def test_critical_extensions_are_refused() -> None:
    header = {"alg": "ES256", "typ": "countersign-request+jws", "jwk": DEVICE.public.jwk, "crit": ["b64"], "b64": False}
    assert refusal_of(with_header(a_request(), json.dumps(header).encode())) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("header", [b"[]", b"7", b"null", b'"text"', b"", b"{", b"\xff", NESTED[:1500]])
def test_header_that_is_not_an_object_is_refused(header: bytes) -> None:
    assert refusal_of(with_header(a_request(), header)) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"null", b'"text"', b"{", b"\xff", NESTED])
def test_payload_that_is_not_an_object_is_refused(payload: bytes) -> None:
    header = {"typ": "countersign-request+jws", "jwk": DEVICE.public.jwk, "url": ORIGIN + PATH, "nonce": NONCE}
    assert refusal_of(DEVICE.sign({**header, "iat": int(NOW.timestamp())}, payload)) is Refusal.MALFORMED


def test_huge_requests_are_refused() -> None:
    assert refusal_of(a_request(more="A" * 20_000)) is Refusal.BAD_SIGNATURE
    assert refusal_of(a_request(nonce="A" * 4_000)) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("coordinate", ["x", "y"])
def test_key_has_one_spelling(coordinate: str) -> None:
    jwk = DEVICE.public.jwk
    short = {**jwk, coordinate: jwk[coordinate][:-4]}
    padded = {**jwk, coordinate: "AAAA" + jwk[coordinate]}
    loose = {**jwk, coordinate: jwk[coordinate][:-1] + chr(ord(jwk[coordinate][-1]) + 1)}
    for other in (short, padded, loose):
        assert refusal_of(signed_with(jwk=other)) is Refusal.BAD_SIGNATURE


def test_private_key_must_fit_its_public_half() -> None:
    with pytest.raises(SignatureError):
        PrivateKey.from_jwk({**DEVICE.to_jwk(), "d": PrivateKey.generate().to_jwk()["d"]})
    with pytest.raises(SignatureError):
        PrivateKey.from_jwk(DEVICE.public.jwk)


def test_private_key_is_not_in_its_repr() -> None:
    assert DEVICE.to_jwk()["d"] not in repr(DEVICE)


def test_signature_of_a_request_is_deterministic() -> None:
    again = sign_request(DEVICE, url=ORIGIN + PATH, nonce=NONCE, at=NOW, payload={"device_name": "Pixel 9"})
    assert again == a_request()
