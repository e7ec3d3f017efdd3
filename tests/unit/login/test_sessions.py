"""Sessions: how long they last, how they are ended, and which changes they may make."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.contract import ChallengeEnded, Verdict
from schemas.login_messages import AccountCommand
from services.common.decisions import OK
from services.login.domain.history import HistoryKind, Method
from services.login.domain.login import LoginKind, LoginState
from services.login.domain.rejections import Rejection
from tests.builders import a_browser, a_digest, a_login, a_remembered_browser, a_session, after, an_account, an_app
from tests.events import a_response, only
from tests.messages import a_code, a_pairing_start, a_send, a_sign_in, a_sign_out
from tests.session_messages import (
    SESSION,
    a_choice,
    a_confirmation,
    a_further_phone,
    a_method_removal,
    a_password_change,
    a_renaming,
    a_revocation,
    a_touch,
    an_app_added,
    new_recovery_codes,
)
from tests.unit.login.owner import Owner, asked, signed_in

OTHER = a_digest("another")


def _two() -> Owner:
    """Return an account that is signed in in two browsers."""
    return signed_in(sessions=(a_session(), a_session("another", browser=a_browser(name="Safari on iOS"))))


def test_an_idle_session_ends() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    session = a_digest("session of login-1")
    assert owner.account.session(session, after(minutes=60)) is not None
    assert owner.account.session(session, after(minutes=60, seconds=0.001)) is None


def test_activity_keeps_a_session_open() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    session = a_digest("session of login-1")
    for hour in range(1, 12):
        assert owner.take(a_touch(after(minutes=60 * hour), session)).outcome == OK
    assert owner.account.session(session, after(minutes=60 * 12)) is not None


def test_activity_cannot_extend_a_session_past_its_lifetime() -> None:
    owner, challenge = asked(session_idle_seconds=5 * 3600)
    owner.take(a_response(challenge))
    session = a_digest("session of login-1")
    for hour in (4, 8, 12):
        owner.take(a_touch(after(minutes=60 * hour), session))
    owner.refuse(a_touch(after(minutes=60 * 12, seconds=0.001), session), Rejection.NO_SESSION)


def test_an_idle_session_cannot_be_revived() -> None:
    owner = signed_in(sessions=(a_session(idle_until=after(60)),))
    owner.take(a_touch(after(60)))
    assert owner.take(a_touch(after(60, minutes=60.1))).outcome == Rejection.NO_SESSION
    assert owner.account.sessions == ()


def test_the_lifetimes_of_a_session_are_settings() -> None:
    owner, challenge = asked(session_seconds=9 * 60, session_idle_seconds=2 * 60)
    owner.take(a_response(challenge, at=after(1)))
    (session,) = owner.account.sessions
    assert (session.expires_at, session.idle_until) == (after(1, minutes=9), after(1, minutes=2))


def test_another_browser_can_be_signed_out_and_is_in_the_history() -> None:
    owner = _two()
    decision = owner.take(a_revocation(OTHER, after(5)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert [each.session_digest for each in owner.account.sessions] == [SESSION]
    entry = owner.account.history[-1]
    assert (entry.what, entry.browser) == (HistoryKind.SESSION_REVOKED, a_browser(name="Safari on iOS"))


def test_signing_another_browser_out_needs_no_confirmation() -> None:
    owner = signed_in(sessions=(a_session(confirmed_at=None), a_session("another")))
    assert owner.take(a_revocation(OTHER)).outcome == OK
    assert len(owner.account.sessions) == 1


def test_a_signed_out_browser_cannot_sign_others_out() -> None:
    owner = _two()
    owner.take(a_revocation(OTHER))
    owner.refuse(a_revocation(SESSION, session_digest=OTHER), Rejection.NO_SESSION)
    owner.refuse(a_touch(session_digest=OTHER), Rejection.NO_SESSION)


def test_signing_an_unknown_browser_out_changes_nothing() -> None:
    owner = _two()
    owner.ignore(a_revocation(a_digest("third")))


def test_a_signed_out_session_cannot_be_reopened_by_its_login() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    owner.account = owner.account.with_login(a_login("login-2"))
    owner.take(a_sign_out(at=after(1)))
    assert owner.account.login("login-1") is None
    assert owner.account.login("login-2") is not None


def test_signing_a_session_out_withdraws_its_confirmations_challenge() -> None:
    for end in (a_revocation(SESSION, after(2), OTHER), a_revocation(SESSION, after(2), SESSION)):
        owner = _two()
        owner.take(a_confirmation())
        owner.challenge(a_send("confirm-1", after(1), "confirm-1"))
        withdrawn = only(owner.take(end).events, ChallengeEnded)
        assert withdrawn.challenge_id == "confirm-1"
        assert owner.account.open_challenge() is None


def test_signing_a_session_out_keeps_another_logins_challenge() -> None:
    owner = _two()
    owner.challenge(a_sign_in())
    owner.take(a_confirmation(at=after(1)))
    assert owner.take(a_revocation(OTHER, after(2))).events == ()
    assert owner.account.open_challenge() == owner.login()
    assert owner.account.login("confirm-1") is not None


def _changes(seconds: float = 0) -> list[AccountCommand]:
    at = after(seconds)
    return [
        an_app_added(at=at),
        new_recovery_codes(at),
        a_choice("pairing-0", at),
        a_renaming("pairing-0", at=at),
        a_method_removal("app-0", at),
        a_further_phone(at=at),
        a_password_change(at),
    ]


def _owner(**changes: Any) -> Owner:
    return signed_in(apps=(an_app(),), sessions=(a_session(**{"name": "s", **changes}),))


def _name(message: AccountCommand) -> str:
    return type(message).__name__


@pytest.mark.parametrize("change", _changes(600), ids=_name)
def test_a_recently_confirmed_session_may_change_the_account(change: AccountCommand) -> None:
    assert _owner().take(change).outcome == OK


@pytest.mark.parametrize("change", _changes(600.001), ids=_name)
def test_a_confirmation_expires(change: AccountCommand) -> None:
    _owner().refuse(change, Rejection.NOT_CONFIRMED)


@pytest.mark.parametrize("change", _changes(), ids=_name)
def test_an_unconfirmed_session_may_change_nothing(change: AccountCommand) -> None:
    _owner(confirmed_at=None).refuse(change, Rejection.NOT_CONFIRMED)


@pytest.mark.parametrize("change", _changes(1), ids=_name)
def test_changes_need_a_session(change: AccountCommand) -> None:
    Owner(an_account(apps=(an_app(),))).refuse(change, Rejection.NO_SESSION)
    over = _owner(idle_until=after(0.5))
    assert over.take(change).outcome == Rejection.NO_SESSION
    assert over.account.history == ()


@pytest.mark.parametrize("change", _changes(), ids=_name)
def test_a_confirmation_counts_only_in_its_session(change: AccountCommand) -> None:
    sessions = (a_session("another"), a_session(confirmed_at=None))
    signed_in(apps=(an_app(),), sessions=sessions).refuse(change, Rejection.NOT_CONFIRMED)


def test_the_lifetime_of_a_confirmation_is_a_setting() -> None:
    short = {"confirmation_seconds": 5}
    for at, outcome in ((after(5), OK), (after(6), Rejection.NOT_CONFIRMED)):
        assert signed_in(policy=short).take(a_renaming("pairing-0", at=at)).outcome == outcome


def test_a_remembered_browsers_session_is_unconfirmed() -> None:
    account = an_account(remembered=(a_remembered_browser(),))
    owner = Owner(account, remember_days=7)
    owner.take(a_sign_in(remembered_digest=a_digest("r")))
    (session,) = owner.account.sessions
    assert session.confirmed_at is None
    owner.refuse(a_further_phone(session_digest=session.session_digest), Rejection.NOT_CONFIRMED)


def test_confirming_begins_a_login() -> None:
    owner = _owner(confirmed_at=None)
    decision = owner.take(a_confirmation(at=after(1)))
    assert (decision.outcome, decision.events) == (OK, ())
    login = owner.login("confirm-1")
    assert (login.kind, login.state, login.session_digest) == (LoginKind.CONFIRM, LoginState.READY, SESSION)
    assert (login.login_digest, login.browser) == (a_digest("token of confirm-1"), a_browser())
    assert login.expires_at == after(1, minutes=30)


def test_an_approval_confirms_the_session_and_opens_none() -> None:
    owner = _owner(confirmed_at=None)
    owner.take(a_confirmation())
    owner.take(a_response(owner.challenge(a_send("confirm-1", after(1))), at=after(2)))
    (session,) = owner.account.sessions
    assert (session.session_digest, session.confirmed_at) == (SESSION, after(2))
    entry = owner.account.history[-1]
    assert (entry.what, entry.method, entry.device_name) == (HistoryKind.CONFIRMED, Method.PUSH, "Pixel 9")
    assert owner.take(a_renaming("pairing-0", at=after(3))).outcome == OK


def test_a_code_confirms_the_session() -> None:
    owner = _owner(confirmed_at=None)
    owner.take(a_confirmation())
    owner.take(a_code(login_id="confirm-1", at=after(2)))
    assert [each.confirmed_at for each in owner.account.sessions] == [after(2)]


def test_a_confirmation_changes_no_other_session_and_no_lifetime() -> None:
    sessions = (a_session("another", confirmed_at=None), a_session(confirmed_at=None))
    owner = signed_in(sessions=sessions)
    owner.take(a_confirmation())
    owner.take(a_code(login_id="confirm-1", at=after(2)))
    confirmed = replace(sessions[1], confirmed_at=after(2))
    assert owner.account.sessions == (sessions[0], confirmed)


def test_a_denial_confirms_nothing() -> None:
    owner = _owner(confirmed_at=None)
    owner.take(a_confirmation())
    owner.take(a_response(owner.challenge(a_send("confirm-1", after(1))), Verdict.DENY, after(2)))
    assert [each.confirmed_at for each in owner.account.sessions] == [None]


def test_an_ended_session_is_not_confirmed() -> None:
    owner = _owner(confirmed_at=None, expires_at=after(60))
    owner.take(a_confirmation())
    owner.take(a_code(login_id="confirm-1", at=after(61)))
    assert owner.account.sessions == ()


def test_a_confirmation_begins_once_and_needs_a_session() -> None:
    owner = _owner()
    owner.take(a_confirmation())
    owner.ignore(a_confirmation())
    owner.refuse(a_confirmation("confirm-2", session_digest=a_digest("another")), Rejection.NO_SESSION)


def test_a_confirmation_cannot_pair_a_phone() -> None:
    owner = _owner()
    owner.take(a_confirmation())
    owner.refuse(a_pairing_start(login_id="confirm-1"), Rejection.NOT_NOW)


def test_a_confirmation_waits_for_another_logins_challenge() -> None:
    owner = _owner()
    owner.challenge(a_sign_in())
    owner.take(a_confirmation(at=after(1)))
    owner.refuse(a_send("confirm-1", after(2)), Rejection.OTHER_CHALLENGE)


def test_a_confirmation_keeps_other_logins_open() -> None:
    owner = _owner()
    owner.account = owner.account.with_login(a_login())
    owner.take(a_confirmation())
    assert owner.login().state is LoginState.READY


def test_a_session_without_methods_cannot_be_confirmed() -> None:
    signed_in(paired=False).refuse(a_confirmation(), Rejection.NO_SESSION)
