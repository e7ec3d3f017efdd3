"""Accounts: created, removed, signed out."""

from dataclasses import replace

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
from tests.unit.login.owner import Owner

CREATE = CreateAccount(account_id="alex", at=after(), display_name="Alex", password_hash="$argon2id$1")
REMOVE = RemoveAccount(account_id="alex", at=after(1))


def _signed_in() -> Owner:
    owner = Owner()
    owner.take(a_response(owner.challenge(a_sign_in())))
    return owner


def test_an_account_is_created() -> None:
    decision = decide_account(None, an_event(CREATE), policy())
    account = decision.row
    assert (decision.outcome, decision.events) == (OK, ())
    assert account is not None
    assert (account.account_id, account.display_name, account.password_hash) == ("alex", "Alex", "$argon2id$1")
    assert account.created_at == after()
    assert [entry.what for entry in account.history] == [HistoryKind.ACCOUNT_CREATED]


def test_a_taken_name_is_rejected() -> None:
    owner = Owner()
    before = owner.account
    other = CREATE.model_copy(update={"password_hash": "$argon2id$mallory"})
    assert owner.take(other).outcome == Rejection.ACCOUNT_EXISTS
    assert replace(owner.account, processed=(), last_outputs=()) == before


def test_a_removed_account_keeps_only_its_name() -> None:
    owner = _signed_in()
    owner.take(REMOVE)
    left = owner.account
    assert left.removed_at == after(1)
    assert (left.devices, left.logins, left.sessions, left.history) == ((), (), (), ())
    assert (left.display_name, left.password_hash) == ("", "")


def test_removing_an_account_unpairs_its_phones() -> None:
    other = a_phone("Fairphone 5")
    owner = Owner(an_account(devices=(a_device(), a_device(other, pairing_id="pairing-2"))))
    events = owner.take(REMOVE).events
    assert [
        (event.device_id, event.pairing_id, event.reason) for event in events if isinstance(event, DeviceUnpaired)
    ] == [
        (a_phone().device_id, "pairing-0", "removed"),
        (other.device_id, "pairing-2", "removed"),
    ]


def test_removing_an_account_withdraws_its_open_challenge() -> None:
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
def test_a_removed_account_rejects_every_command(message: Message) -> None:
    owner = Owner()
    owner.take(REMOVE)
    removed = replace(owner.account, processed=(), last_outputs=())
    decision = owner.take(message)
    assert (decision.outcome, decision.events) == (Rejection.UNKNOWN_ACCOUNT, ())
    assert replace(owner.account, processed=(), last_outputs=()) == removed


def test_a_removed_account_can_be_created_again_empty() -> None:
    owner = _signed_in()
    owner.take(REMOVE)
    assert owner.take(CREATE.model_copy(update={"at": after(2), "password_hash": "$argon2id$2"})).outcome == OK
    assert owner.account.removed_at is None
    assert owner.account.password_hash == "$argon2id$2"
    assert (owner.account.devices, owner.account.sessions) == ((), ())


def test_a_repeated_removal_does_not_remove_a_recreated_account() -> None:
    remove, create = an_event(REMOVE), an_event(CREATE)
    row = an_account()
    for event in (remove, create, remove):
        decision = decide_once(row, event, lambda each, of: decide_account(each, of, policy()))
        assert decision.row is not None
        row = decision.row
    assert row.removed_at is None


def test_sign_out_ends_only_its_session() -> None:
    owner = _signed_in()
    owner.take(a_response(owner.challenge(a_sign_in("login-2", after(1)))))
    assert owner.take(a_sign_out(at=after(2))).outcome == OK
    assert owner.account.session(a_digest("session of login-1"), after(3)) is None
    assert owner.account.session(a_digest("session of login-2"), after(3)) is not None
    assert owner.account.history[-1].what is HistoryKind.SIGNED_OUT


def test_sign_out_forgets_the_approved_login() -> None:
    owner = _signed_in()
    owner.take(a_sign_out())
    assert owner.account.logins == ()


def test_sign_out_keeps_other_logins_open() -> None:
    owner = _signed_in()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_sign_out(at=after(2)))
    assert owner.login("login-2").state is LoginState.CHALLENGED


def test_a_second_sign_out_changes_nothing() -> None:
    owner = _signed_in()
    owner.take(a_sign_out())
    before = owner.account
    assert owner.take(a_sign_out(at=after(1))).outcome == OK
    assert replace(owner.account, processed=before.processed, last_outputs=before.last_outputs) == before


def test_sign_out_of_an_unopened_session_ends_no_login() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    owner.take(a_sign_out())
    assert owner.login().state is LoginState.CHALLENGED


@pytest.mark.parametrize("message", [a_response(a_challenge()), a_guess()], ids=["answer of a pairing", "guess"])
def test_unrelated_messages_leave_an_account_unchanged(message: Message) -> None:
    account = an_account()
    assert decide_account(account, an_event(message), policy()) == Decision(account)
    assert decide_account(None, an_event(a_response(a_challenge())), policy()) == Decision(None)
