"""A signed-in person's phones, apps and recovery codes."""

from dataclasses import replace
from typing import Any

import pytest

from protocol.challenges import PinnedIssuer
from protocol.unpaired import verify_unpaired
from schemas.contract import ChallengeEnded, ChallengeIssued, DeviceUnpaired, PairingRequested, PairingWithdrawn
from schemas.login_messages import AccountCommand
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginKind, LoginState
from services.login.domain.method_changes import MOST_APPS
from services.login.domain.pairing import MOST_PHONES
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import TOO_LATE
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
    an_agreement_key,
    an_app,
    present,
    recovery_codes,
)
from tests.events import a_challenge, a_paired, a_response, only, without_number
from tests.messages import a_code, a_pairing_start, a_recovery_code, a_send, a_sign_in
from tests.session_messages import (
    a_choice,
    a_further_phone,
    a_method_removal,
    a_renaming,
    a_revocation,
    an_app_added,
    new_recovery_codes,
)
from tests.unit.login.owner import Owner, signed_in

FAIR = a_phone("Fairphone 5")
TWO = (a_device(), a_device(FAIR, pairing_id="pairing-2"))
MANY = tuple(a_device(a_phone(f"Phone {number}"), pairing_id=f"p{number}") for number in range(MOST_PHONES))


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
    claims, key = verify_unpaired(present(unpaired.statement))
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
    assert isinstance(withdrawn, ChallengeEnded)
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
    made = present(owner.account.recovery)
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


def _adding(**changes: Any) -> Owner:
    """Return an account whose owner entered the phrase of a further phone."""
    owner = signed_in(**changes)
    owner.take(a_further_phone())
    only(owner.take(a_pairing_start(at=after(1), login_id="add-1")).events, PairingRequested)
    return owner


def test_a_confirmed_session_can_add_a_phone() -> None:
    owner = signed_in()
    assert owner.take(a_further_phone(at=after(1))).outcome == OK
    login = owner.login("add-1")
    assert (login.kind, login.state, login.session_digest) == (
        LoginKind.ADD_PHONE,
        LoginState.NEEDS_PHONE,
        a_digest("s"),
    )
    assert owner.account.login_by_digest(a_digest("token of add-1")) == login


def test_an_added_phone_comes_last() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR))
    assert [each.name for each in owner.account.devices] == ["Pixel 9", "Fairphone 5"]
    assert owner.login("add-1").state is LoginState.PAIRED
    assert owner.account.history[-1].what is HistoryKind.PHONE_PAIRED


def test_an_added_phone_has_its_agreement_key() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR))
    added = owner.account.devices[-1]
    assert added.agreement_key == FAIR.agreement.public
    assert added.agreement_key_id == an_agreement_key("login service").key_id


def test_ok_completes_the_addition_without_a_challenge_or_session() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR))
    sessions = owner.account.sessions
    decision = owner.take(a_send("add-1", after(3)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login("add-1").state is LoginState.APPROVED
    assert owner.account.sessions == sessions
    owner.refuse(a_send("add-1", after(4)), Rejection.NO_LOGIN)


def test_pairing_the_same_phone_again_replaces_it() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2)))
    assert [(each.name, each.pairing_id) for each in owner.account.devices] == [("Pixel 9", "pairing-1")]


def test_the_password_alone_cannot_add_a_phone_meanwhile() -> None:
    owner = _adding()
    owner.take(a_sign_in(at=after(2)))
    owner.refuse(a_pairing_start("pairing-2", after(3)), Rejection.NOT_NOW)
    owner.take(a_paired(at=after(4), phone=FAIR))
    owner.refuse(a_pairing_start("pairing-2", after(5)), Rejection.NOT_NOW)


def test_an_added_phone_keeps_another_addition_open() -> None:
    owner = _adding()
    owner.take(a_further_phone("add-2", after(2)))
    owner.take(a_pairing_start("pairing-2", after(3), login_id="add-2"))
    assert owner.take(a_paired("pairing-1", after(4), phone=FAIR)).events == ()
    assert owner.take(a_paired("pairing-2", after(5), phone=a_phone("Third"))).outcome == OK
    assert len(owner.account.devices) == 3


def test_the_number_of_phones_is_limited() -> None:
    owner = signed_in(devices=MANY[:-1], logins=(a_login("add-1", kind=LoginKind.ADD_PHONE, state="needs_phone"),))
    assert owner.take(a_further_phone("add-2")).outcome == OK
    owner.account = replace(owner.account, devices=MANY)
    owner.refuse(a_further_phone("add-3"), Rejection.TOO_MANY_METHODS)
    owner.refuse(a_pairing_start(login_id="add-1"), Rejection.TOO_MANY_METHODS)


def test_the_second_of_two_phones_is_unpaired_at_the_limit() -> None:
    owner = _adding(devices=MANY[:-1])
    owner.take(a_further_phone("add-2", after(2)))
    owner.take(a_pairing_start("pairing-2", after(3), login_id="add-2"))
    owner.take(a_paired("pairing-1", after(4), phone=FAIR))
    decision = owner.take(a_paired("pairing-2", after(5), phone=a_phone("Third")))
    assert decision.outcome == TOO_LATE
    assert only(decision.events, DeviceUnpaired).device_id == a_phone("Third").device_id
    assert len(owner.account.devices) == MOST_PHONES


def test_a_paired_phone_can_be_paired_again_at_the_limit() -> None:
    owner = _adding(devices=MANY[:-1])
    owner.account = replace(owner.account, devices=MANY)
    assert owner.take(a_paired("pairing-1", after(4), phone=a_phone("Phone 2"))).outcome == OK
    assert len(owner.account.devices) == MOST_PHONES


@pytest.mark.parametrize("code", ["of the old phone", "of recovery"])
def test_a_phone_can_be_added_after_a_sign_in_by_code(code: str) -> None:
    owner = Owner(signed_in(sessions=(), recovery=recovery_codes("code 1"), logins=(a_login(),)).account)
    owner.take(a_code() if code == "of the old phone" else a_recovery_code())
    session = owner.account.sessions[0].session_digest
    owner.take(a_further_phone(at=after(1), session_digest=session))
    owner.take(a_pairing_start(at=after(2), login_id="add-1"))
    assert owner.take(a_paired(at=after(3), phone=FAIR)).outcome == OK
    assert len(owner.account.devices) == 2


def test_signing_the_session_out_withdraws_its_pairing() -> None:
    other = replace(signed_in().account.sessions[0], session_digest=a_digest("another"))
    owner = _adding(sessions=(*signed_in().account.sessions, other), apps=(an_app(),))
    withdrawn = only(owner.take(a_revocation(a_digest("s"), after(2), a_digest("another"))).events, PairingWithdrawn)
    assert withdrawn.pairing_id == "pairing-1"
    decision = owner.take(a_paired(at=after(3), phone=FAIR))
    assert decision.outcome == TOO_LATE
    assert len(owner.account.devices) == 1


def test_an_addition_begins_once() -> None:
    owner = _adding()
    owner.ignore(a_further_phone())


def test_a_repeated_addition_changes_nothing_at_the_limit() -> None:
    owner = _adding(devices=MANY[:-1])
    owner.account = replace(owner.account, devices=MANY)
    owner.ignore(a_further_phone())


@pytest.mark.parametrize("without", ["the service", "the phone"])
def test_a_phone_has_no_codes_unless_both_sides_offer_a_key(without: str) -> None:
    key = None if without == "the service" else an_agreement_key("login service").public
    pinned = PinnedIssuer(issuer=LOGIN_URL, keys=(a_key("login service").public.thumbprint,), agreement=key)
    challenge = a_challenge(FAIR, login_issuer=pinned)
    answer = FAIR.answer(challenge) if key is None else without_number(challenge, phone=FAIR).answer
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR, challenge=challenge, answer=answer))
    added = owner.account.devices[-1]
    assert (added.name, added.agreement_key, added.agreement_key_id) == (FAIR.name, None, None)
