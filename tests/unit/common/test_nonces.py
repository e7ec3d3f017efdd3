"""Nonces: all instances of a service recognise each other's nonces for five minutes; no one else can issue them."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import decode_base64url, encode_base64url
from protocol.signed_requests import TOLERANCE_SECONDS
from schemas.pairing_messages import RequestPhrase
from services.common.used_nonces import NONCE_SECONDS, UsedNonce, is_used, recent_nonces
from services.common.web.device_requests import Nonces
from tests.builders import T0, after
from tests.messages import a_phrase_request

KEY = b"the key of all instances of this"


def test_any_instance_recognises_what_another_one_issued() -> None:
    assert Nonces(KEY).recognises(Nonces(KEY).issue(T0), after(1))


def test_no_nonce_is_issued_twice() -> None:
    nonces = Nonces(KEY)
    assert len({nonces.issue(T0) for _ in range(100)}) == 100


def test_a_nonce_fits_into_a_message() -> None:
    assert isinstance(a_phrase_request(Nonces(KEY).issue(T0)), RequestPhrase)


def test_a_nonce_is_good_for_five_minutes() -> None:
    nonces = Nonces(KEY)
    nonce = nonces.issue(T0)
    assert nonces.recognises(nonce, after(TOLERANCE_SECONDS))
    assert not nonces.recognises(nonce, after(TOLERANCE_SECONDS + 0.002))


def test_instances_whose_clocks_differ_a_little_recognise_each_others_nonces() -> None:
    nonces = Nonces(KEY)
    nonce = nonces.issue(T0)
    assert nonces.recognises(nonce, T0 - timedelta(seconds=TOLERANCE_SECONDS))
    assert not nonces.recognises(nonce, T0 - timedelta(seconds=TOLERANCE_SECONDS + 1))


def test_a_nonce_under_another_key_is_not_recognised() -> None:
    assert not Nonces(KEY).recognises(Nonces(b"the key of some other deployment").issue(T0), T0)


@given(st.integers(0, 255), st.integers(0, 31))
def test_an_altered_nonce_is_not_recognised(flip: int, position: int) -> None:
    nonces = Nonces(KEY)
    raw = bytearray(decode_base64url(nonces.issue(T0)))
    raw[position] ^= flip
    assert nonces.recognises(encode_base64url(bytes(raw)), T0) == (flip == 0)


@given(st.text(max_size=64) | st.binary(max_size=48).map(encode_base64url))
def test_other_text_is_not_recognised(text: str) -> None:
    assert not Nonces(KEY).recognises(text, T0)


def test_a_nonce_has_one_spelling() -> None:
    nonces = Nonces(KEY)
    nonce = nonces.issue(T0)
    others = {nonce + "=", nonce + "A", nonce[:-1] + chr(ord(nonce[-1]) + 1), nonce.replace("-", "+").replace("_", "/")}
    assert not any(nonces.recognises(other, T0) for other in others - {nonce})


def test_a_used_nonce_is_remembered_as_long_as_it_is_valid() -> None:
    used = (UsedNonce(nonce="n", at=T0),)
    assert NONCE_SECONDS >= 2 * TOLERANCE_SECONDS
    assert is_used(recent_nonces(used, after(NONCE_SECONDS)), "n")
    assert not is_used(recent_nonces(used, after(NONCE_SECONDS + 1)), "n")
    assert not is_used(used, "another")
