"""A new password ends the sessions and logins of the old one."""

import pytest

from schemas.contract import ChallengeEnded, PairingWithdrawn
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginKind, LoginState
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import TOO_LATE
from tests.builders import a_digest, a_login, a_phone, a_remembered_browser, a_session, after
from tests.events import a_paired, a_response, only
from tests.messages import a_code, a_pairing_start, a_recovery_code, a_send, a_sign_in
from tests.session_messages import SESSION, a_confirmation, a_further_phone, a_password_change
from tests.unit.login.owner import signed_in

MALLORY = a_phone("Mallory's phone")


def test_only_the_new_password_signs_in() -> None:
    owner = signed_in()
    assert owner.take(a_password_change()).outcome == OK
    owner.refuse(a_sign_in(at=after(1)), Rejection.PASSWORD_CHANGED)
    assert owner.take(a_sign_in(at=after(1), password_hash="$argon2id$2")).outcome == OK
    assert HistoryKind.PASSWORD_CHANGED in owner.history()


def test_other_browsers_are_signed_out_and_forgotten() -> None:
    sessions = (a_session("another"), a_session(), a_session("third"))
    owner = signed_in(sessions=sessions, remembered=(a_remembered_browser(),))
    owner.take(a_password_change())
    assert [each.session_digest for each in owner.account.sessions] == [SESSION]
    assert owner.account.remembered == ()


def test_a_change_checked_against_an_old_password_is_rejected() -> None:
    owner = signed_in()
    owner.refuse(a_password_change(old_password_hash="$argon2id$0"), Rejection.PASSWORD_CHANGED)
    owner.take(a_password_change())
    owner.refuse(a_password_change(password_hash="$argon2id$3"), Rejection.PASSWORD_CHANGED)


def test_the_owner_is_notified_by_email() -> None:
    owner = signed_in(email="alex@example.org")
    mail = only(owner.take(a_password_change(after(5))).events, EmailDue)
    assert (mail.kind, mail.at) == (EmailKind.PASSWORD_CHANGED, after(5))


def test_a_sign_in_by_the_old_password_ends_and_its_challenge_is_withdrawn() -> None:
    owner = signed_in()
    challenge = owner.challenge(a_sign_in("mallory"))
    withdrawn = only(owner.take(a_password_change(after(1))).events, ChallengeEnded)
    assert withdrawn.challenge_id == "mallory"
    assert owner.login("mallory").end_reason is EndReason.CANCELLED
    assert owner.take(a_response(challenge, at=after(2))).outcome == Rejection.LATE
    assert len(owner.account.sessions) == 1


def test_a_waiting_sign_in_by_the_old_password_cannot_continue() -> None:
    owner = signed_in(logins=(a_login("mallory"),))
    owner.take(a_password_change(after(1)))
    for message in (a_send("mallory", after(2)), a_code(login_id="mallory"), a_recovery_code(login_id="mallory")):
        owner.refuse(message, Rejection.NO_LOGIN)


@pytest.mark.parametrize("state", [LoginState.NEEDS_PHONE, LoginState.PAIRING, LoginState.PAIRED, LoginState.READY])
def test_logins_of_other_sessions_end_in_any_state(state: LoginState) -> None:
    login = a_login(state=state, kind=LoginKind.ADD_PHONE, session_digest=a_digest("another"))
    owner = signed_in(sessions=(a_session(), a_session("another")), logins=(login,))
    owner.take(a_password_change(after(1)))
    assert owner.login().state is LoginState.ENDED


def test_another_sessions_pairing_is_withdrawn() -> None:
    owner = signed_in(sessions=(a_session(), a_session("another")))
    owner.take(a_further_phone(session_digest=a_digest("another")))
    owner.take(a_pairing_start(at=after(1), login_id="add-1"))
    assert only(owner.take(a_password_change(after(2))).events, PairingWithdrawn).pairing_id == "pairing-1"
    assert owner.take(a_paired(at=after(3), phone=MALLORY)).outcome == TOO_LATE
    assert [each.device_id for each in owner.account.devices] == [a_phone().device_id]


def test_logins_of_this_session_continue() -> None:
    owner = signed_in()
    owner.take(a_confirmation())
    challenge = owner.challenge(a_send("confirm-1"))
    assert owner.take(a_password_change(after(1))).events == ()
    assert owner.take(a_response(challenge, at=after(2))).outcome == OK
    assert owner.login("confirm-1").state is LoginState.APPROVED


def test_ended_logins_keep_their_end_reason() -> None:
    denied = a_login().ended(EndReason.DENIED, after())
    owner = signed_in(logins=(denied,))
    owner.take(a_password_change(after(1)))
    assert owner.login() == denied
