"""A signed-in person's phones, apps and recovery codes."""

from dataclasses import replace

import pytest

from protocol.unpaired import verify_unpaired
from schemas.contract import ChallengeIssued, ChallengeWithdrawn, DeviceUnpaired
from schemas.login_messages import AccountCommand
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginState
from services.login.domain.method_changes import MOST_APPS
from services.login.domain.rejections import Rejection
from tests.builders import (
    LOGIN_URL,
    a_browser,
    a_device,
    a_digest,
    a_key,
    a_login,
    a_phone,
    a_session,
    after,
    an_app,
    recovery_codes,
)
from tests.events import a_response, only
from tests.messages import a_code, a_send, a_sign_in
from tests.session_messages import a_choice, a_method_removal, a_renaming, an_app_added, new_recovery_codes
from tests.unit.login.owner import Owner, signed_in

FAIR = a_phone("Fairphone 5")
TWO = (a_device(), a_device(FAIR, pairing_id="pairing-2"))


def _names(owner: Owner) -> list[str]:
    return [each.name for each in owner.account.methods]


def test_an_app_is_added_and_its_first_code_is_used() -> None:
    owner = signed_in(logins=(a_login(),))
    assert owner.take(an_app_added(at=after(5), time_step=100)).outcome == OK
    assert owner.account.apps == (an_app("app-1", added_at=after(5), last_time_step=100),)
    assert owner.account.history[-1].what is HistoryKind.APP_ADDED
    assert owner.account.history[-1].device_name == "Desk app"
    assert owner.take(a_code(100, method_id="app-1")).outcome == Rejection.USED_CODE
    assert owner.take(a_code(101, method_id="app-1")).outcome == OK


def test_an_app_is_added_once() -> None:
    owner = signed_in()
    owner.take(an_app_added())
    owner.ignore(an_app_added(name="Again", sealed_secret="another", time_step=200))


def test_the_number_of_apps_is_limited() -> None:
    owner = signed_in()
    for number in range(MOST_APPS):
        assert owner.take(an_app_added(f"app-{number}")).outcome == OK
    owner.refuse(an_app_added("one-more"), Rejection.TOO_MANY_METHODS)


def test_the_chosen_phone_comes_first() -> None:
    owner = signed_in(devices=(*TWO, a_device(a_phone("Third"), pairing_id="pairing-3")))
    owner.take(a_choice("pairing-2", after(1)))
    assert _names(owner) == ["Fairphone 5", "Pixel 9", "Third"]
    assert owner.account.history[-1].what is HistoryKind.PHONE_CHOSEN
    assert only(owner.take(a_sign_in(at=after(2))).events, ChallengeIssued).device_id == FAIR.device_id


def test_a_challenge_can_be_sent_to_another_phone() -> None:
    owner = Owner(signed_in(devices=TWO, logins=(a_login(),)).account)
    owner.refuse(a_send(device_id=a_phone("Third").device_id), Rejection.UNKNOWN_METHOD)
    asked = only(owner.take(a_send(device_id=FAIR.device_id)).events, ChallengeIssued)
    assert asked.device_id == FAIR.device_id
    owner.take(a_response(asked.challenge, phone=FAIR))
    assert owner.login().state is LoginState.APPROVED


@pytest.mark.parametrize("method_id", ["pairing-0", "pairing-2", "app-0"])
def test_renaming_a_method_changes_only_its_name(method_id: str) -> None:
    owner = signed_in(devices=TWO, apps=(an_app(),))
    before = owner.account.methods
    owner.take(a_renaming(method_id))
    assert owner.account.methods == tuple(
        replace(each, name="Old faithful") if each.method_id == method_id else each for each in before
    )
    assert owner.account.history[-1].what is HistoryKind.METHOD_RENAMED


@pytest.mark.parametrize("message", [a_choice("pairing-9"), a_renaming("pairing-9"), a_method_removal("pairing-9")])
def test_an_unknown_method_cannot_be_changed(message: AccountCommand) -> None:
    signed_in().refuse(message, Rejection.UNKNOWN_METHOD)


def test_an_app_cannot_be_chosen() -> None:
    signed_in(apps=(an_app(),)).refuse(a_choice("app-0"), Rejection.UNKNOWN_METHOD)


def test_a_removed_phone_gets_a_signed_statement() -> None:
    owner = signed_in(devices=TWO)
    unpaired = only(owner.take(a_method_removal("pairing-2", after(5))).events, DeviceUnpaired)
    assert _names(owner) == ["Pixel 9"]
    assert (unpaired.device_id, unpaired.pairing_id, unpaired.reason) == (FAIR.device_id, "pairing-2", "removed")
    assert unpaired.statement is not None
    claims, key = verify_unpaired(unpaired.statement)
    assert key == a_key("login service").public.thumbprint
    assert (claims.iss, claims.aud, claims.account_id) == (LOGIN_URL, FAIR.device_id, "alex")
    assert (claims.pairing_id, claims.iat) == ("pairing-2", int(after(5).timestamp()))
    assert owner.account.history[-1].what is HistoryKind.PHONE_REMOVED


def test_a_removed_phone_can_no_longer_sign_in() -> None:
    owner = signed_in(devices=TWO)
    challenge = owner.challenge(a_sign_in())
    owner.take(a_method_removal("pairing-0", after(1)))
    assert owner.login().end_reason is EndReason.CANCELLED
    assert owner.take(a_response(challenge, at=after(2))).outcome == Rejection.UNKNOWN
    assert only(owner.take(a_sign_in("login-2", after(3))).events, ChallengeIssued).device_id == FAIR.device_id
    owner.refuse(a_code(login_id="login-2", at=after(3), method_id="pairing-0"), Rejection.UNKNOWN_METHOD)
    assert len(owner.account.sessions) == 1


def test_removing_a_phone_withdraws_its_challenge() -> None:
    owner = signed_in(devices=TWO)
    owner.challenge(a_sign_in())
    withdrawn, unpaired = owner.take(a_method_removal("pairing-0", after(1))).events
    assert isinstance(withdrawn, ChallengeWithdrawn)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("login-1", a_phone().device_id)
    assert isinstance(unpaired, DeviceUnpaired)


def test_removing_a_phone_keeps_another_phones_challenge() -> None:
    owner = signed_in(devices=TWO)
    owner.challenge(a_sign_in())
    only(owner.take(a_method_removal("pairing-2", after(1))).events, DeviceUnpaired)
    assert owner.login().state is LoginState.CHALLENGED


def test_a_removed_apps_codes_are_rejected() -> None:
    owner = signed_in(apps=(an_app(),), logins=(a_login(),))
    assert owner.take(a_method_removal("app-0")).events == ()
    assert owner.account.apps == ()
    assert owner.account.history[-1].what is HistoryKind.APP_REMOVED
    owner.refuse(a_code(method_id="app-0"), Rejection.UNKNOWN_METHOD)


@pytest.mark.parametrize("last", ["pairing-0", "app-0"])
def test_the_last_method_cannot_be_removed_despite_recovery_codes(last: str) -> None:
    methods = {"devices": (), "apps": (an_app(),)} if last == "app-0" else {}
    owner = signed_in(recovery=recovery_codes("code 1"), **methods)
    owner.refuse(a_method_removal(last), Rejection.LAST_METHOD)


@pytest.mark.parametrize("leaving", ["pairing-0", "app-0"])
def test_a_phone_or_an_app_can_be_removed_but_not_both(leaving: str) -> None:
    owner = signed_in(apps=(an_app(),))
    assert owner.take(a_method_removal(leaving)).outcome == OK
    (left,) = owner.account.methods
    owner.refuse(a_method_removal(left.method_id), Rejection.LAST_METHOD)
    assert owner.account.enrolled


def test_recovery_codes_are_stored_as_salted_hashes() -> None:
    owner = signed_in()
    assert owner.take(new_recovery_codes(after(5))).outcome == OK
    made = owner.account.recovery
    assert made is not None
    assert (made.salt, made.made_at, made.left) == ("c2FsdA", after(5), 10)
    assert [code.digest for code in made.codes] == [a_digest(f"code {number}") for number in range(1, 11)]
    assert owner.account.history[-1].what is HistoryKind.RECOVERY_CODES_MADE


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (a_choice("pairing-2"), "Fairphone 5"),
        (a_renaming("pairing-2"), "Old faithful"),
        (a_method_removal("pairing-2"), "Fairphone 5"),
        (a_method_removal("app-0"), "Desk app"),
        (an_app_added(), "Desk app"),
        (new_recovery_codes(), ""),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_history_has_each_changes_time_method_and_browser(message: AccountCommand, name: str) -> None:
    there = a_browser(name="Safari on iPhone")
    owner = signed_in(devices=TWO, apps=(an_app(),), sessions=(a_session(browser=there),))
    owner.take(message)
    entry = owner.account.history[-1]
    assert (entry.at, entry.device_name, entry.browser) == (after(), name, there)
