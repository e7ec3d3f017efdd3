"""A stranger who knows the name, or even the password, keeps no browser out that the account knows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import Verdict
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.rejections import Rejection
from services.login.domain.sign_in import MOST_LOGINS
from tests.builders import LIMITS, T0, a_digest, after, an_account, an_app, present, recovery_codes
from tests.events import a_response
from tests.messages import a_code, a_pairing_start, a_recovery_code, a_send, a_sign_in, a_wrong_code, a_wrong_password
from tests.session_messages import a_further_phone, a_password_change, a_password_set
from tests.unit.login.owner import Owner, signed_in

OWN = a_digest("the owner's browser")
HERS = {"browser_digest": OWN}
DAY = timedelta(days=1)
CLOSED_AT = present(LIMITS.passwords.close_after)


def _owner() -> Owner:
    return Owner(an_account(known_browsers=(OWN,), recovery=recovery_codes("code 1", "code 2")))


Attack = Callable[[Owner, datetime, str], None]


def _guess_password(owner: Owner, at: datetime, _mark: str) -> None:
    owner.take(a_wrong_password(at))


def _sign_in(owner: Owner, at: datetime, mark: str) -> None:
    owner.take(a_sign_in(f"thief-{mark}", at))


def _guess_code(owner: Owner, at: datetime, mark: str) -> None:
    owner.take(a_sign_in(f"code-{mark}", at))
    owner.take(a_wrong_code(at, f"code-{mark}"))


def _guess_recovery_code(owner: Owner, at: datetime, mark: str) -> None:
    owner.take(a_sign_in(f"paper-{mark}", at))
    owner.take(a_recovery_code("another", f"paper-{mark}", at))


ATTACKS: list[Attack] = [_guess_password, _sign_in, _guess_code, _guess_recovery_code]


@given(st.lists(st.tuples(st.sampled_from(ATTACKS), st.integers(0, 4000)), max_size=80))
def test_the_owner_s_browser_signs_in_whatever_strangers_do(attacks: list[tuple[Attack, int]]) -> None:
    owner, at = _owner(), T0
    for number, (attack, seconds) in enumerate(attacks):
        at += timedelta(seconds=seconds)
        attack(owner, at, str(number))
    assert owner.take(a_sign_in("own", at, **HERS)).outcome == OK
    assert owner.take(a_recovery_code(login_id="own", at=at)).outcome == OK
    assert owner.take(a_sign_in("again", at, **HERS)).outcome == OK
    assert owner.take(a_code(login_id="again", at=at)).outcome == OK


@given(st.lists(st.tuples(st.sampled_from(ATTACKS), st.integers(0, 60)), max_size=60))
def test_strangers_push_no_pending_login_of_the_owner_out(attacks: list[tuple[Attack, int]]) -> None:
    owner, at = Owner(replace(_owner().account, devices=(), apps=(an_app(),))), T0
    owner.take(a_sign_in("own", T0, **HERS))
    for number, (attack, seconds) in enumerate(attacks):
        at = min(at + timedelta(seconds=seconds), after(minutes=29))
        attack(owner, at, str(number))
    assert owner.account.login("own") is not None
    assert len(owner.account.logins) <= MOST_LOGINS
    assert owner.take(a_recovery_code(login_id="own", at=at)).outcome == OK


def test_a_day_of_wrong_passwords_keeps_the_owner_s_browser_open() -> None:
    owner, at, count = _owner(), T0, 0
    while at < T0 + DAY:
        owner.take(a_wrong_password(at))
        at = (owner.account.passwords.others.paused_until or at) + timedelta(seconds=0.5)
        count += 1
    assert count > CLOSED_AT
    assert owner.take(a_sign_in("own", at, **HERS)).outcome == OK


def test_the_owner_s_own_errors_count_too() -> None:
    owner = _owner()
    for _ in range(5):
        owner.take(a_wrong_password(browser_digest=OWN))
    assert owner.take(a_sign_in("own", T0, **HERS)).outcome == Rejection.LOCKED
    assert owner.take(a_sign_in("new")).outcome == OK


@pytest.mark.parametrize("known", [False, True])
def test_so_many_wrong_passwords_in_a_row_close_it(*, known: bool) -> None:
    owner, at = _owner(), T0
    browser_digest = OWN if known else None
    for _ in range(CLOSED_AT):
        owner.take(a_wrong_password(at, browser_digest))
        at += timedelta(hours=2)
    right = owner.take(a_sign_in("right", at, browser_digest=browser_digest))
    assert (right.outcome, right.events, owner.account.logins) == (Rejection.CLOSED, (), ())
    assert [each.what for each in owner.account.history].count(HistoryKind.PASSWORD_CLOSED) == 1
    # The other half of the hundred is another browser's.
    assert owner.take(a_sign_in("other", at, browser_digest=None if known else OWN)).outcome == OK


def test_a_closed_password_answers_as_a_wrong_one_does() -> None:
    """Both are counted and paused alike, so nothing tells which of them was right."""
    closed, at = _owner(), T0
    for _ in range(CLOSED_AT):
        closed.take(a_wrong_password(at))
        at += timedelta(hours=2)
    other = Owner(closed.account)
    for number in range(12):
        right = closed.take(a_sign_in(f"right-{number}", at)).outcome
        wrong = other.take(a_wrong_password(at)).outcome
        assert (Rejection.CLOSED if wrong == OK else wrong) == right
        assert closed.account.passwords == other.account.passwords
        at += timedelta(seconds=20)


def test_another_method_opens_a_closed_password_again() -> None:
    owner, at = _owner(), T0
    for _ in range(CLOSED_AT):
        owner.take(a_wrong_password(at))
        at += timedelta(hours=2)
    owner.take(a_sign_in("own", at, **HERS))
    owner.take(a_code(login_id="own", at=at))
    assert owner.take(a_sign_in("new-browser", at)).outcome == OK


def test_so_many_wrong_codes_close_them_until_another_method_opens_them() -> None:
    owner, at = _owner(), T0
    for number in range(CLOSED_AT):
        owner.take(a_sign_in(f"login-{number}", at))
        owner.take(a_wrong_code(at, f"login-{number}"))
        at += timedelta(hours=2)
    owner.take(a_sign_in("last", at))
    assert owner.take(a_code(login_id="last", at=at)).outcome == Rejection.CODES_CLOSED
    assert owner.take(a_recovery_code(login_id="last", at=at)).outcome == OK
    owner.take(a_sign_in("later", at))
    assert owner.take(a_code(login_id="later", at=at)).outcome == OK


def test_so_many_wrong_recovery_codes_close_those_until_another_method_opens_them() -> None:
    owner, at = _owner(), T0
    for number in range(CLOSED_AT):
        owner.take(a_sign_in(f"login-{number}", at))
        owner.take(a_recovery_code("another", f"login-{number}", at))
        at += timedelta(hours=2)
    owner.take(a_sign_in("last", at))
    assert owner.take(a_recovery_code(login_id="last", at=at)).outcome == Rejection.CODES_CLOSED
    assert owner.take(a_code(login_id="last", at=at)).outcome == OK
    owner.take(a_sign_in("later", at))
    assert owner.take(a_recovery_code(login_id="later", at=at)).outcome == OK


def test_right_passwords_are_limited_too() -> None:
    owner = _owner()
    outcomes = [owner.take(a_sign_in(f"login-{number}", after(number / 10))).outcome for number in range(12)]
    assert outcomes == [OK] * 10 + [Rejection.TOO_MANY_SIGN_INS] * 2
    assert owner.take(a_sign_in("own", after(2), **HERS)).outcome == OK
    assert owner.take(a_sign_in("later", after(61))).outcome == OK


def test_who_has_the_password_leaves_the_history_of_changes_alone() -> None:
    owner = signed_in()
    owner.take(a_password_change())
    at = after(1)
    for number in range(500):
        owner.take(a_wrong_password(at))
        owner.take(a_sign_in(f"thief-{number}", at, password_hash="$argon2id$2"))
        at += timedelta(minutes=16)
    assert owner.history()[0] is HistoryKind.PASSWORD_CHANGED
    assert [name for name, _ in owner.account.parts() if name.startswith("history/")] == [
        "history/00",  # the new password
        "history/01",  # the end of the tries
    ]


def test_attempts_alike_are_one_line_with_their_number() -> None:
    owner = _owner()
    for number in range(4):
        owner.take(a_wrong_password(after(number)))
    (entry,) = owner.account.history
    assert (entry.what, entry.count, entry.at) == (HistoryKind.WRONG_PASSWORD, 4, after(3))
    assert owner.account.attempts_count == 1


def test_a_further_phone_is_paired_only_while_the_confirmation_lasts() -> None:
    owner = signed_in()
    owner.take(a_further_phone(at=after(minutes=9)))
    assert owner.login("add-1").expires_at == after() + LIMITS.confirmation_lifetime
    owner.refuse(a_pairing_start(at=after(minutes=10, seconds=1), login_id="add-1"), Rejection.NO_LOGIN)


def test_an_administrator_s_password_is_for_one_sign_in() -> None:
    owner = signed_in(known_browsers=(OWN,))
    owner.take(a_sign_in("thief", after(1)))
    decision = owner.take(a_password_set(after(2)))
    assert (decision.outcome, owner.account.sessions, owner.account.open_challenge()) == (OK, (), None)
    assert owner.take(a_sign_in("old", after(3))).outcome == Rejection.PASSWORD_CHANGED
    challenge = owner.challenge(a_sign_in("own", after(4), password_hash="$argon2id$9"))
    owner.take(a_response(challenge, at=after(5)))
    session = owner.account.sessions[0].session_digest
    owner.refuse(a_further_phone(at=after(6), session_digest=session), Rejection.PASSWORD_CHANGE_DUE)
    change = a_password_change(after(7), session_digest=session, old_password_hash="$argon2id$9")
    assert owner.take(change).outcome == OK
    assert owner.take(a_further_phone(at=after(8), session_digest=session)).outcome == OK


def test_an_administrator_s_password_opens_what_is_closed() -> None:
    owner, at = _owner(), T0
    for _ in range(CLOSED_AT):
        owner.take(a_wrong_password(at))
        at += timedelta(hours=2)
    owner.take(a_password_set(at))
    assert owner.take(a_sign_in("new", at, password_hash="$argon2id$9")).outcome == OK


def test_after_a_report_its_browser_is_known_no_more() -> None:
    owner = _owner()
    challenge = owner.challenge(a_sign_in("thief", T0, **HERS))

    owner.take(a_response(challenge, Verdict.REPORT, after(1)))
    assert owner.account.known_browsers == ()
    owner.refuse(a_send("thief", after(2)), Rejection.NO_LOGIN)
