"""Which challenges a device shows: docs/protocol.md section 6."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authenticator.device.state import PhraseRequest, State, new_account
from authenticator.device.trust import Distrust, Judgement, KeysNeeded, Trusted, judge
from protocol.jose import PrivateKey
from protocol.signed_requests import TOLERANCE_SECONDS
from schemas.contract import Purpose
from tests.builders import present
from tests.unit.protocol.builders import DEVICE, ISSUER, NOW, SERVICE, a_challenge, some_claims

PAIRING_URL = "http://localhost:8200"
SERVED = frozenset({SERVICE.public.thumbprint})
STRANGER = PrivateKey.generate()
ASKED = PhraseRequest(asked_at=NOW - timedelta(minutes=1), expires_at=NOW + timedelta(minutes=4))


def a_state(*, asked: PhraseRequest | None = ASKED, paired: bool = False) -> State:
    """Return what a device remembers."""
    state = State(device_name="Pixel 9", phrase=asked)
    account = present(new_account(some_claims(Purpose.PAIRING), NOW))
    return state.with_account(account) if paired else state


def judged(
    challenge: str, state: State, *, served: frozenset[str] | None = None, after: timedelta = timedelta()
) -> Judgement:
    """Return what the device decides."""
    return judge(
        challenge,
        state=state,
        device_id=DEVICE.public.thumbprint,
        now=NOW + after,
        pairing_url=PAIRING_URL,
        served=served,
    )


@pytest.mark.parametrize("purpose", list(Purpose))
def test_altered_challenge_is_not_shown(purpose: Purpose) -> None:
    challenge = a_challenge(purpose)
    assert judged(challenge[:-1] + "_", a_state(paired=True), served=SERVED) is Distrust.BAD_SIGNATURE


@pytest.mark.parametrize("purpose", list(Purpose))
def test_challenge_for_another_device_is_not_shown(purpose: Purpose) -> None:
    challenge = a_challenge(purpose, aud=STRANGER.public.thumbprint)
    assert judged(challenge, a_state(paired=True), served=SERVED) is Distrust.OTHER_DEVICE


@pytest.mark.parametrize("purpose", list(Purpose))
def test_expired_challenge_is_not_shown(purpose: Purpose) -> None:
    challenge = a_challenge(purpose)
    state = a_state(paired=True)
    assert judged(challenge, state, served=SERVED, after=timedelta(seconds=120)) is Distrust.EXPIRED
    assert isinstance(judged(challenge, state, served=SERVED, after=timedelta(seconds=119)), Trusted)


def test_pairing_signed_by_the_pairing_service_is_shown() -> None:
    challenge = a_challenge(Purpose.PAIRING, iss=PAIRING_URL)
    assert judged(challenge, a_state()) == KeysNeeded(PAIRING_URL)
    assert judged(challenge, a_state(), served=SERVED) == Trusted(some_claims(Purpose.PAIRING, iss=PAIRING_URL))
    assert judged(challenge, a_state(), served=frozenset()) is Distrust.UNKNOWN_KEY


def test_pairing_by_a_stranger_is_not_shown() -> None:
    challenge = a_challenge(Purpose.PAIRING, key=STRANGER)
    assert judged(challenge, a_state(), served=SERVED) is Distrust.UNKNOWN_KEY


def test_account_key_is_no_key_of_the_pairing_service() -> None:
    assert judged(a_challenge(Purpose.PAIRING), a_state(paired=True)) == KeysNeeded(PAIRING_URL)


def test_pairing_without_a_phrase_is_not_shown() -> None:
    assert judged(a_challenge(Purpose.PAIRING), a_state(asked=None), served=SERVED) is Distrust.NO_PHRASE


@pytest.mark.parametrize("begins_minutes", [-10.1, 5.1])
def test_pairing_outside_the_phrases_lifetime_is_not_shown(begins_minutes: float) -> None:
    begin = NOW + timedelta(minutes=begins_minutes)
    asked = PhraseRequest(asked_at=begin, expires_at=begin + timedelta(minutes=5))
    assert judged(a_challenge(Purpose.PAIRING), a_state(asked=asked), served=SERVED) is Distrust.NO_PHRASE


@given(st.integers(-TOLERANCE_SECONDS, TOLERANCE_SECONDS), st.integers(0, 300))
def test_pairing_is_shown_within_the_clocks_tolerance(skew_seconds: int, entered_after_seconds: int) -> None:
    """The device took the time from a clock that is off by the skew when it asked for the phrase."""
    asked_at = NOW - timedelta(seconds=entered_after_seconds)
    asked = PhraseRequest(
        asked_at=asked_at + timedelta(seconds=skew_seconds), expires_at=asked_at + timedelta(minutes=5)
    )
    assert isinstance(judged(a_challenge(Purpose.PAIRING), a_state(asked=asked), served=SERVED), Trusted)


@pytest.mark.parametrize("login_issuer", [None, {"issuer": ISSUER, "keys": []}])
def test_pairing_without_an_issuer_is_not_shown(login_issuer: object) -> None:
    challenge = a_challenge(Purpose.PAIRING, login_issuer=login_issuer)
    assert judged(challenge, a_state(), served=SERVED) is Distrust.NO_ISSUER


def test_login_signed_by_the_pinned_key_is_shown() -> None:
    assert judged(a_challenge(), a_state(paired=True)) == Trusted(some_claims())


def test_login_needs_no_phrase() -> None:
    assert isinstance(judged(a_challenge(), a_state(asked=None, paired=True)), Trusted)


def test_login_of_an_unpaired_account_is_not_shown() -> None:
    assert judged(a_challenge(), a_state(), served=SERVED) is Distrust.NOT_PAIRED
    other = a_challenge(account_id="another-account")
    assert judged(other, a_state(paired=True), served=SERVED) is Distrust.NOT_PAIRED


def test_login_by_another_issuer_is_not_shown() -> None:
    challenge = a_challenge(iss="http://login.example.org")
    assert judged(challenge, a_state(paired=True), served=SERVED) is Distrust.NOT_PAIRED


def test_login_signed_by_a_rotated_key_is_shown_and_pinned() -> None:
    challenge = a_challenge(key=STRANGER)
    state = a_state(paired=True)
    assert judged(challenge, state) == KeysNeeded(ISSUER)
    assert judged(challenge, state, served=SERVED) is Distrust.UNKNOWN_KEY
    rotated = judged(challenge, state, served=SERVED | {STRANGER.public.thumbprint})
    assert rotated == Trusted(some_claims(), newly_pinned=STRANGER.public.thumbprint)
    pinned = state.with_pinned(ISSUER, some_claims().account_id, STRANGER.public.thumbprint)
    assert judged(challenge, pinned) == Trusted(some_claims())
