"""Accounts as such: made once, removed for good, signed out of."""

import pytest

from schemas.base import Message
from schemas.contract import ChallengeWithdrawn, DeviceUnpaired
from schemas.login_messages import CreateAccount, RemoveAccount
from services.common.decisions import OK, Decision, decide_once
from services.login.domain.decide import decide_account
from services.login.domain.history import HistoryKind
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from tests.builders import a_device, a_digest, a_phone, after, an_account, an_event, policy
from tests.events import a_challenge, a_response
from tests.messages import a_cancel, a_guess, a_pairing_start, a_send, a_sign_in, a_sign_out, a_wrong_password
from tests.rows import without_memory
from tests.unit.login.owner import Owner

CREATE = CreateAccount(account_id="alex", revision=0, at=after(), display_name="Alex", password_hash="$argon2id$1")
REMOVE = RemoveAccount(account_id="alex", revision=0, at=after(1))


def _signed_in() -> Owner:
    owner = Owner()
    owner.take(a_response(owner.challenge(a_sign_in())))
    return owner


def test_an_account_is_made() -> None:
    decision = decide_account(None, an_event(CREATE), policy())
    account = decision.row
    assert (decision.outcome, decision.events) == (OK, ())
    assert account is not None
    assert (account.account_id, account.display_name, account.password_hash) == ("alex", "Alex", "$argon2id$1")
    assert account.created_at == after()
    assert [entry.what for entry in account.history] == [HistoryKind.ACCOUNT_CREATED]


def test_a_name_that_is_taken_is_refused() -> None:
    owner = Owner()
    before = owner.account
    other = CREATE.model_copy(update={"password_hash": "$argon2id$mallory"})
    assert owner.take(other).outcome == Rejection.ACCOUNT_EXISTS
    assert without_memory(owner.account) == without_memory(before)


def test_a_removed_account_keeps_nothing_but_its_name() -> None:
    owner = _signed_in()
    owner.take(REMOVE)
    left = owner.account
    assert left.removed_at == after(1)
    assert (left.devices, left.logins, left.sessions, left.history) == ((), (), (), ())
    assert (left.display_name, left.password_hash) == ("", "")


def test_the_phones_of_a_removed_account_are_told() -> None:
    other = a_phone("Fairphone 5")
    owner = Owner(an_account(devices=(a_device(), a_device(other, pairing_id="pairing-2"))))
    events = owner.take(REMOVE).events
    assert [
        (event.device_id, event.pairing_id, event.reason) for event in events if isinstance(event, DeviceUnpaired)
    ] == [
        (a_phone().device_id, "pairing-0", "removed"),
        (other.device_id, "pairing-2", "removed"),
    ]


def test_the_open_request_of_a_removed_account_is_taken_back() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    withdrawn = owner.take(REMOVE).events[0]
    assert isinstance(withdrawn, ChallengeWithdrawn)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("login-1", a_phone().device_id)


@pytest.mark.parametrize(
    "message",
    [a_sign_in(), a_wrong_password(), a_pairing_start(), a_send(), a_cancel(), a_sign_out(), REMOVE],
    ids=lambda message: type(message).__name__,
)
def test_a_removed_account_decides_nothing_and_says_so(message: Message) -> None:
    owner = Owner()
    owner.take(REMOVE)
    removed = without_memory(owner.account)
    decision = owner.take(message)
    assert (decision.outcome, decision.events) == (Rejection.UNKNOWN_ACCOUNT, ())
    assert without_memory(owner.account) == removed


def test_a_removed_account_can_be_made_anew_and_begins_with_nothing() -> None:
    owner = _signed_in()
    owner.take(REMOVE)
    assert owner.take(CREATE.model_copy(update={"at": after(2), "password_hash": "$argon2id$2"})).outcome == OK
    assert owner.account.removed_at is None
    assert owner.account.password_hash == "$argon2id$2"
    assert (owner.account.devices, owner.account.sessions) == ((), ())


def test_a_removal_that_comes_again_does_not_remove_the_account_made_since() -> None:
    row = an_account()
    remove = an_event(REMOVE.model_copy(update={"revision": row.revision}))
    create = an_event(CREATE.model_copy(update={"revision": row.revision + 1}))
    for event in (remove, create, remove):
        decision = decide_once(row, event, lambda each, of: decide_account(each, of, policy()))
        assert decision.row is not None
        row = decision.row
    assert row.removed_at is None


def test_sign_out_ends_the_session_and_only_that_one() -> None:
    owner = _signed_in()
    owner.take(a_response(owner.challenge(a_sign_in("login-2", after(1)))))
    assert owner.take(a_sign_out(at=after(2))).outcome == OK
    assert owner.account.session(a_digest("session of login-1"), after(3)) is None
    assert owner.account.session(a_digest("session of login-2"), after(3)) is not None
    assert owner.account.history[-1].what is HistoryKind.SIGNED_OUT


def test_after_sign_out_the_approved_login_cannot_open_the_session_again() -> None:
    owner = _signed_in()
    owner.take(a_sign_out())
    assert owner.account.logins == ()


def test_sign_out_leaves_other_logins_alone() -> None:
    owner = _signed_in()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_sign_out(at=after(2)))
    assert owner.login("login-2").state is LoginState.CHALLENGED


def test_sign_out_twice_changes_nothing() -> None:
    owner = _signed_in()
    owner.take(a_sign_out())
    before = owner.account
    assert owner.take(a_sign_out(at=after(1))).outcome == OK
    assert without_memory(owner.account) == without_memory(before)


def test_sign_out_with_the_digest_of_a_session_that_is_not_open_ends_no_login() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    owner.take(a_sign_out())
    assert owner.login().state is LoginState.CHALLENGED


@pytest.mark.parametrize("message", [a_response(a_challenge()), a_guess()], ids=["answer of a pairing", "guess"])
def test_what_does_not_concern_an_account_leaves_it_as_it_is(message: Message) -> None:
    account = an_account()
    assert decide_account(account, an_event(message), policy()) == Decision(account)
    assert decide_account(None, an_event(a_response(a_challenge())), policy()) == Decision(None)
