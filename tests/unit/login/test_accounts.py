"""Accounts: created, signed out of, administered, removed."""

import pytest

from schemas.base import Message
from schemas.contract import ChallengeEnded, DeviceUnpaired, PairingWithdrawn
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK, Decision
from services.common.throttle import Throttle
from services.login.domain.account import Push
from services.login.domain.attempts import Attempts
from services.login.domain.decide import decide_account
from services.login.domain.history import HistoryKind
from services.login.domain.limits import Enrolment
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import TOO_LATE
from tests.builders import (
    a_device,
    a_digest,
    a_login,
    a_phone,
    a_remembered_browser,
    a_session,
    after,
    an_account,
    an_app,
    an_event,
    denied,
    policy,
    present,
    recovery_codes,
)
from tests.events import a_challenge, a_paired, a_response, only
from tests.messages import a_cancel, a_code, a_guess, a_pairing_start, a_send, a_sign_in, a_sign_out, a_wrong_password
from tests.rows import without_memory
from tests.session_messages import a_further_phone, a_removal, a_reset, an_address, an_invitation, an_opening
from tests.unit.login.owner import Owner, same, signed_in

REMOVE = a_removal(after(1))
FAIR = a_phone("Fairphone 5")


def _signed_in() -> Owner:
    owner = Owner()
    owner.take(a_response(owner.challenge(a_sign_in())))
    return owner


def test_an_account_is_opened() -> None:
    decision = decide_account(None, an_event(an_opening()), policy())
    account = decision.row
    assert (decision.outcome, decision.events) == (OK, ())
    assert account is not None
    assert (account.account_id, account.name, account.name_digest) == ("alex", "alex", a_digest("alex"))
    assert (account.display_name, account.password_hash) == ("Alex", "$argon2id$1")
    assert account.created_at == after()
    assert [entry.what for entry in account.history] == [HistoryKind.ACCOUNT_CREATED]


def test_an_account_is_opened_once() -> None:
    owner = Owner()
    before = owner.account
    decision = owner.take(an_opening(password_hash="$argon2id$mallory"))
    assert decision.events == ()
    assert without_memory(owner.account) == without_memory(before)


def test_a_removed_account_keeps_only_its_id() -> None:
    owner = _signed_in()
    owner.take(REMOVE)
    left = owner.account
    assert left.removed_at == after(1)
    assert (left.devices, left.logins, left.sessions, left.history) == ((), (), (), ())
    assert (left.name, left.name_digest, left.display_name, left.password_hash) == ("", None, "", "")


def test_removing_an_account_unpairs_its_phones() -> None:
    other = a_phone("Fairphone 5")
    owner = Owner(an_account(devices=(a_device(), a_device(other, pairing_id="pairing-2"))))
    events = owner.take(REMOVE).events
    assert [
        (event.device_id, event.pairing_id, event.reason) for event in events if isinstance(event, DeviceUnpaired)
    ] == [(a_phone().device_id, "pairing-0", "removed"), (other.device_id, "pairing-2", "removed")]


def test_removing_an_account_withdraws_its_open_challenge() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    withdrawn = owner.take(REMOVE).events[0]
    assert isinstance(withdrawn, ChallengeEnded)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("login-1", a_phone().device_id)


@pytest.mark.parametrize(
    "message",
    [a_sign_in(), a_wrong_password(), a_pairing_start(), a_send(), a_cancel(), a_sign_out()],
    ids=lambda message: type(message).__name__,
)
def test_a_removed_account_rejects_every_command(message: Message) -> None:
    owner = Owner()
    owner.take(REMOVE)
    removed = without_memory(owner.account)
    decision = owner.take(message)
    assert (decision.outcome, decision.events) == (Rejection.UNKNOWN_ACCOUNT, ())
    assert without_memory(owner.account) == removed


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
    assert without_memory(owner.account) == without_memory(before)


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


def _rich() -> Owner:
    """Return an account that has everything that a reset takes."""
    return signed_in(
        email="alex@example.org",
        devices=(a_device(), a_device(FAIR, pairing_id="pairing-2")),
        apps=(an_app(),),
        recovery=recovery_codes("code 1"),
        sessions=(a_session(), a_session("another")),
        remembered=(a_remembered_browser(),),
        push=Push(denials=denied(4, after(-60))),
        codes=Attempts(others=Throttle(failures=7, paused_until=after(600))),
        phrases=Throttle(failures=3, paused_until=after(600)),
    )


def test_a_reset_removes_all_methods_and_sessions() -> None:
    owner = _rich()
    assert owner.take(a_reset(after(1))).outcome == OK
    account = owner.account
    assert (account.devices, account.apps, account.recovery) == ((), (), None)
    assert (account.sessions, account.remembered) == ((), ())
    assert not account.enrolled
    owner.take(a_sign_in(at=after(2), remembered_digest=a_digest("r")))
    assert owner.login().state is LoginState.NEEDS_PHONE


@pytest.mark.parametrize("enrolment", [Enrolment.EMAIL, Enrolment.INVITATION])
def test_a_reset_account_enrols_again(enrolment: Enrolment) -> None:
    owner = Owner(_rich().account, enrolment=enrolment)
    owner.take(a_reset(after(1)))
    owner.take(a_sign_in(at=after(2)))
    assert owner.login().state is LoginState.NEEDS_ENROLMENT


def test_a_reset_keeps_an_earlier_invitation() -> None:
    owner = _rich()
    owner.take(an_invitation())
    owner.take(a_reset(after(1)))
    assert owner.account.invitation is not None


def test_a_reset_clears_counts_and_pauses() -> None:
    owner = _rich()
    owner.take(a_reset(after(1)))
    account = owner.account
    assert (account.push.denials.failures, account.push.denials.counted_from) == (0, None)
    assert (account.codes.others.failures, account.codes.others.paused_until) == (0, None)
    assert (account.phrases.failures, account.phrases.paused_until) == (0, None)


def test_a_reset_notifies_the_owner_and_each_phone() -> None:
    owner = _rich()
    events = owner.take(a_reset(after(1))).events
    unpaired = [each for each in events if isinstance(each, DeviceUnpaired)]
    assert [(each.device_id, each.pairing_id, each.reason) for each in unpaired] == [
        (a_phone().device_id, "pairing-0", "removed"),
        (FAIR.device_id, "pairing-2", "removed"),
    ]
    assert all(each.statement for each in unpaired)
    mail = only(tuple(each for each in events if isinstance(each, EmailDue)), EmailDue)
    assert (mail.kind, mail.address, mail.at) == (EmailKind.METHODS_RESET, "alex@example.org", after(1))
    assert owner.history()[-1] is HistoryKind.METHODS_RESET


def test_a_reset_ends_open_logins_and_withdraws_their_challenges() -> None:
    owner = signed_in()
    owner.take(a_further_phone())
    owner.take(a_pairing_start(login_id="add-1"))
    challenge = owner.challenge(a_sign_in())
    owner.account = owner.account.with_login(a_login("waiting"))
    events = owner.take(a_reset(after(1))).events
    assert [type(each) for each in events] == [ChallengeEnded, PairingWithdrawn, DeviceUnpaired]
    assert {each.end_reason for each in owner.account.logins} == {EndReason.CANCELLED}
    assert owner.take(a_response(challenge, at=after(2))).outcome == Rejection.UNKNOWN
    assert owner.take(a_paired(at=after(2), phone=FAIR)).outcome == TOO_LATE
    owner.refuse(a_code(login_id="waiting", at=after(2)), Rejection.NO_LOGIN)
    assert owner.account.sessions == ()


def test_an_approval_from_before_a_reset_is_late_although_the_phone_is_paired_again() -> None:
    owner = Owner()
    challenge = owner.challenge(a_sign_in())
    owner.take(a_reset(after(1)))
    owner.take(a_sign_in("login-2", after(2)))
    owner.take(a_pairing_start(at=after(3), login_id="login-2"))
    owner.take(a_paired(at=after(4)))
    assert owner.take(a_response(challenge, at=after(5))).outcome == Rejection.LATE


def test_a_reset_keeps_the_end_reason_of_ended_logins() -> None:
    denied = a_login().ended(EndReason.DENIED, after())
    owner = Owner(an_account(logins=(denied,)))
    owner.take(a_reset(after(1)))
    assert owner.login() == denied


def test_an_email_address_is_set_and_cleared() -> None:
    owner = Owner()
    owner.take(an_address("alex@example.org"))
    assert owner.account.email == "alex@example.org"
    owner.take(an_address(""))
    assert owner.account.email == ""


def test_an_invitation_is_in_the_history_and_enrols_no_login_by_itself() -> None:
    owner = Owner(an_account(paired=False), enrolment=Enrolment.INVITATION)
    assert owner.take(an_invitation()).events == ()
    assert owner.history() == [HistoryKind.INVITED]
    owner.take(a_sign_in())
    assert owner.login().state is LoginState.NEEDS_ENROLMENT


def test_an_account_is_created_with_its_email_address() -> None:
    account = decide_account(None, an_event(an_opening(email="alex@example.org")), policy()).row
    assert present(account).email == "alex@example.org"


@pytest.mark.parametrize(
    "message", [an_address("mallory@example.org"), an_invitation(), a_reset()], ids=lambda each: type(each).__name__
)
def test_a_removed_account_rejects_administration(message: Message) -> None:
    owner = _rich()
    owner.take(a_removal())
    removed = owner.account
    decision = owner.take(message)
    assert (decision.outcome, decision.events) == (Rejection.UNKNOWN_ACCOUNT, ())
    assert same(owner.account, removed)
    assert removed.email == ""
