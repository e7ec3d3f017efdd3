"""What an administrator does: invite, set an e-mail address, reset the methods."""

import pytest

from schemas.base import Message
from schemas.contract import ChallengeWithdrawn, DeviceUnpaired, PairingWithdrawn
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK
from services.common.throttle import Throttle
from services.login.domain.account import Push
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
    denied,
    recovery_codes,
)
from tests.events import a_paired, a_response, only
from tests.messages import a_code, a_pairing_start, a_sign_in
from tests.session_messages import a_creation, a_further_phone, a_removal, a_reset, an_address, an_invitation
from tests.unit.login.owner import Owner, same, signed_in

FAIR = a_phone("Fairphone 5")


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
        codes=Throttle(failures=7, paused_until=after(600)),
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
    assert (account.push.denials.failures, account.push.denials.last_failure_at) == (0, None)
    assert (account.codes.failures, account.codes.paused_until) == (0, None)
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
    assert [type(each) for each in events] == [ChallengeWithdrawn, PairingWithdrawn, DeviceUnpaired]
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
    owner = Owner()
    owner.take(a_removal())
    owner.take(a_creation(email="alex@example.org"))
    assert owner.account.email == "alex@example.org"


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
