"""Answers that do not prove what they claim."""

import pytest

from schemas.contract import AuthResponse, Purpose
from services.common.decisions import OK, UnacceptableError
from tests.builders import a_device, a_key, a_phone, an_account
from tests.events import a_login_challenge, a_response
from tests.messages import a_sign_in
from tests.unit.login.owner import Owner, asked


def test_another_paired_phone_cannot_answer_the_challenge() -> None:
    other = a_phone("Fairphone 5")
    owner = Owner(an_account(devices=(a_device(), a_device(other))))
    challenge = owner.challenge(a_sign_in())
    with pytest.raises(UnacceptableError, match="another device answered"):
        owner.take(a_response(challenge, phone=other))


def _altered(response: AuthResponse, field: str) -> AuthResponse:
    text: str = getattr(response, field)
    changed = text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:]
    return response.model_copy(update={field: changed})


FORGERIES = {
    "signed by another key": a_response(a_login_challenge(key=a_key("mallory"))),
    "signed by the pairing service": a_response(a_login_challenge(key=a_key("pairing service"))),
    "of another account": a_response(a_login_challenge(account_id="bo"), reply_key="alex"),
    "of a pairing": a_response(a_login_challenge(purpose=Purpose.PAIRING), purpose=Purpose.LOGIN),
    "to another challenge": a_response(a_login_challenge()).model_copy(
        update={"answer": a_phone().answer(a_login_challenge(jti="login-9"))}
    ),
    "by another device": a_response(a_login_challenge(), phone=a_phone("Mallory's phone")),
    "with an altered answer": _altered(a_response(a_login_challenge()), "answer"),
    "with an altered challenge": _altered(a_response(a_login_challenge()), "challenge"),
    "with the challenge for an answer": a_response(a_login_challenge()).model_copy(
        update={"answer": a_login_challenge()}
    ),
}


@pytest.mark.parametrize("response", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_answer_is_dead_lettered(response: AuthResponse) -> None:
    owner, _ = asked()
    before = owner.account
    with pytest.raises(UnacceptableError, match="forged response"):
        owner.take(response)
    assert owner.account == before


def test_the_genuine_answer_is_accepted() -> None:
    owner, challenge = asked()
    assert challenge == a_login_challenge()
    assert owner.take(a_response(a_login_challenge())).outcome == OK


def test_a_challenge_signed_by_a_recently_rotated_key_can_be_answered() -> None:
    old, new = a_key("login service"), a_key("next login key")
    accepted = (new.public.thumbprint, old.public.thumbprint)
    challenge = Owner().challenge(a_sign_in())
    owner = Owner(key=new, accepted_keys=accepted)
    owner.take(a_sign_in())
    assert owner.take(a_response(challenge)).outcome == OK


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        ("of another account", "its challenge is for another login"),
        ("of a pairing", "its challenge is for another login"),
        ("to another challenge", "the answer is to another challenge"),
        ("by another device", "another device answered"),
    ],
)
def test_the_reason_says_what_is_forged(forgery: str, reason: str) -> None:
    owner, _ = asked()
    with pytest.raises(UnacceptableError, match=f"^forged response: {reason}$"):
        owner.take(FORGERIES[forgery])
