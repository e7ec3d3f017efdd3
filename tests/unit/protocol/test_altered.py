"""Any alteration of a signed text is rejected."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from protocol.challenges import verify_challenge, verify_proof
from protocol.jose import SignatureError
from protocol.signed_requests import RequestRefusedError, verify_request
from schemas.contract import Purpose, Verdict
from tests.unit.protocol.builders import NOW, ORIGIN, PATH, a_challenge, a_request, an_answer

REQUEST = a_request()
CHALLENGE = a_challenge()
PAIRING = a_challenge(Purpose.PAIRING)
ANSWER = an_answer(CHALLENGE)
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CHARACTERS = st.one_of(st.sampled_from(BASE64URL + ".=+/ \n"), st.characters())


@st.composite
def altered(draw: st.DrawFn, text: str) -> str:
    """Yield the text with one character replaced, removed or added, or two swapped."""
    place = draw(st.integers(0, len(text) - 1))
    kind = draw(st.sampled_from(["replace", "remove", "add", "swap"]))
    if kind == "swap":
        other = draw(st.integers(0, len(text) - 1))
        low, high = sorted((place, other))
        result = text[:low] + text[high] + text[low + 1 : high] + text[low] + text[high + 1 :] if low < high else text
    else:
        new = "" if kind == "remove" else draw(CHARACTERS)
        result = text[:place] + new + text[place + (kind != "add") :]
    assume(result != text)
    return result


@given(altered(REQUEST))
def test_altered_request_is_refused(compact: str) -> None:
    with pytest.raises(RequestRefusedError):
        verify_request(compact, path=PATH, origins={ORIGIN}, now=NOW)


@given(st.one_of(altered(CHALLENGE), altered(PAIRING)))
def test_altered_challenge_is_refused(compact: str) -> None:
    with pytest.raises(SignatureError):
        verify_challenge(compact)


@given(altered(ANSWER))
def test_altered_answer_proves_nothing(compact: str) -> None:
    with pytest.raises(SignatureError):
        verify_proof(CHALLENGE, compact)


@given(altered(CHALLENGE))
def test_altered_challenge_proves_nothing(compact: str) -> None:
    with pytest.raises(SignatureError):
        verify_proof(compact, ANSWER)


@pytest.mark.parametrize("text", [REQUEST, CHALLENGE, ANSWER])
def test_last_characters_have_one_spelling(text: str) -> None:
    """The unused bits of the last character of each part decode to nothing, and so must be zero (RFC 4648, 3.5)."""
    for end in (index for index in range(1, len(text) + 1) if index == len(text) or text[index] == "."):
        for letter in set(BASE64URL) - {text[end - 1]}:
            with pytest.raises(SignatureError):
                verify_challenge(text[: end - 1] + letter + text[end:])


@given(st.text())
@example("..")
@example("...")
@example(f"{CHALLENGE}.")
@example(f"{CHALLENGE}\n")
@example(f" {CHALLENGE}")
@example("A" * 100_000)
@example(".".join(["e30"] * 3))
def test_junk_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        verify_challenge(text)
    with pytest.raises(RequestRefusedError):
        verify_request(text, path=PATH, origins={ORIGIN}, now=NOW)


def test_parts_of_two_signed_texts_do_not_mix() -> None:
    other = a_challenge(account_name="eve@example.com").split(".")
    for place in range(3):
        parts = CHALLENGE.split(".")
        if parts[place] == other[place]:
            continue
        parts[place] = other[place]
        with pytest.raises(SignatureError):
            verify_challenge(".".join(parts))


def test_unaltered_texts_hold() -> None:
    assert verify_request(REQUEST, path=PATH, origins={ORIGIN}, now=NOW).payload == {"device_name": "Pixel 9"}
    assert verify_challenge(PAIRING)[0].purpose is Purpose.PAIRING
    assert verify_proof(CHALLENGE, ANSWER).verdict is Verdict.APPROVE
