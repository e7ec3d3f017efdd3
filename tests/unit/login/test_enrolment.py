"""Where enrolment is required, the password alone cannot pair the first phone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import PairingRequested
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK
from services.login.domain.limits import Enrolment
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from services.login.pairing.enrolment_codes import EnrolmentCodes, invitation_digest, new_invitation
from tests.builders import LIMITS, a_browser, a_digest, a_login, after, an_account, an_app
from tests.events import a_paired, only
from tests.messages import (
    a_cancel,
    a_code,
    a_pairing_start,
    a_send,
    a_sign_in,
    a_wrong_code,
    an_enrolment,
    an_enrolment_mail,
)
from tests.session_messages import an_invitation
from tests.unit.login.owner import Owner

INVITED: Final[dict[str, Any]] = {"invitation_digest": a_digest("invitation")}
MAILED: Final[dict[str, Any]] = {"enrolment_id": "enrolment-1"}
CODES = EnrolmentCodes(b"k" * 32)


def _new(enrolment: Enrolment, **changes: Any) -> Owner:
    """Return an account without methods, with an open login."""
    owner = Owner(an_account(**{"paired": False, "email": "alex@example.org", **changes}), enrolment=enrolment)
    owner.take(a_sign_in())
    return owner


def _invited(enrolment: Enrolment = Enrolment.INVITATION) -> Owner:
    owner = _new(enrolment)
    owner.take(an_invitation())
    return owner


def _mailed() -> Owner:
    owner = _new(Enrolment.EMAIL)
    owner.take(an_enrolment_mail())
    return owner


def test_without_enrolment_a_login_goes_straight_to_pairing() -> None:
    assert _new(Enrolment.NOTHING).login().state is LoginState.NEEDS_PHONE


@pytest.mark.parametrize("enrolment", [Enrolment.EMAIL, Enrolment.INVITATION])
def test_a_login_rejects_everything_else_before_its_enrolment(enrolment: Enrolment) -> None:
    owner = _new(enrolment)
    assert owner.login().state is LoginState.NEEDS_ENROLMENT
    for message in (a_pairing_start(), a_send(), a_code()):
        owner.refuse(message, Rejection.NOT_NOW)


@pytest.mark.parametrize("enrolment", list(Enrolment))
def test_an_account_with_a_method_needs_no_enrolment(enrolment: Enrolment) -> None:
    owner = Owner(an_account(paired=False, apps=(an_app(),)), enrolment=enrolment)
    owner.take(a_sign_in())
    assert owner.login().state is LoginState.READY


def test_an_enrolment_code_is_sent_to_the_accounts_address() -> None:
    owner = _new(Enrolment.EMAIL)
    mail = only(owner.take(an_enrolment_mail(at=after(5))).events, EmailDue)
    assert (mail.kind, mail.identifier, mail.at) == (EmailKind.ENROLMENT_CODE, "enrolment-1", after(5))
    assert (mail.address, mail.account_name, mail.browser) == ("alex@example.org", "Alex", a_browser())


def test_the_sent_code_enrols_and_a_phone_can_be_paired() -> None:
    owner = _mailed()
    assert owner.take(an_enrolment(**MAILED)).outcome == OK
    assert owner.login().state is LoginState.NEEDS_PHONE
    only(owner.take(a_pairing_start()).events, PairingRequested)
    owner.take(a_paired())
    assert owner.login().state is LoginState.PAIRED


def test_a_new_code_replaces_the_earlier_one() -> None:
    owner = _mailed()
    owner.take(an_enrolment_mail("enrolment-2", at=after(1)))
    assert owner.take(an_enrolment(**MAILED)).outcome == Rejection.WRONG_CODE
    assert owner.take(an_enrolment(enrolment_id="enrolment-2")).outcome == OK


def test_a_code_enrols_only_its_own_login() -> None:
    owner = _mailed()
    owner.take(a_sign_in("login-2", after(1)))
    assert owner.take(an_enrolment("login-2", after(2), **MAILED)).outcome == Rejection.WRONG_CODE
    assert owner.login("login-2").state is LoginState.NEEDS_ENROLMENT


def test_no_code_is_right_before_one_is_sent() -> None:
    owner = _new(Enrolment.EMAIL)
    codes: dict[str, Any]
    for codes in ({}, {"enrolment_id": None}, MAILED):
        assert owner.take(an_enrolment(**codes)).outcome == Rejection.WRONG_CODE
        assert owner.login().state is LoginState.NEEDS_ENROLMENT


def test_enrolment_emails_are_limited_to_five_an_hour() -> None:
    owner = _new(Enrolment.EMAIL)
    for number in range(LIMITS.enrolment_emails.most):
        assert owner.take(an_enrolment_mail(f"enrolment-{number}", at=after(number))).outcome == OK
    owner.take(a_sign_in("login-2", after(minutes=45)))
    for at in (after(minutes=50), after(minutes=60, seconds=-0.001)):
        owner.refuse(an_enrolment_mail("more", "login-2", at), Rejection.TOO_MANY_EMAILS)
    only(owner.take(an_enrolment_mail("more", "login-2", after(minutes=60))).events, EmailDue)
    owner.refuse(an_enrolment_mail("yet-more", "login-2", after(minutes=60)), Rejection.TOO_MANY_EMAILS)
    assert len(owner.account.enrolment_emails) == LIMITS.enrolment_emails.most


def test_no_email_is_sent_without_an_address() -> None:
    _new(Enrolment.EMAIL, email="").refuse(an_enrolment_mail(), Rejection.NOT_NOW)


@pytest.mark.parametrize("enrolment", [Enrolment.INVITATION, Enrolment.NOTHING])
def test_no_email_is_sent_unless_the_setting_is_email(enrolment: Enrolment) -> None:
    _new(enrolment).refuse(an_enrolment_mail(), Rejection.NOT_NOW)


def test_no_email_is_sent_in_an_enrolled_or_ended_login() -> None:
    owner = _mailed()
    owner.take(an_enrolment(**MAILED))
    owner.refuse(an_enrolment_mail("enrolment-2"), Rejection.NOT_NOW)
    owner.take(a_cancel())
    for login_id in ("login-1", "login-9"):
        owner.refuse(an_enrolment_mail("enrolment-2", login_id), Rejection.NO_LOGIN)


@pytest.mark.parametrize("enrolment", [Enrolment.INVITATION, Enrolment.EMAIL])
def test_an_invitation_enrols(enrolment: Enrolment) -> None:
    owner = _invited(enrolment)
    assert owner.take(an_enrolment(**INVITED)).outcome == OK
    assert owner.login().state is LoginState.NEEDS_PHONE


def test_an_invitation_is_used_once() -> None:
    owner = _invited()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(an_enrolment(at=after(2), **INVITED))
    assert owner.take(an_enrolment("login-2", after(2), **INVITED)).outcome == Rejection.WRONG_CODE
    assert owner.login("login-2").state is LoginState.NEEDS_ENROLMENT


def test_an_invitation_expires() -> None:
    last = after() + timedelta(days=7)
    for at, outcome in ((last, OK), (last + timedelta(milliseconds=1), Rejection.WRONG_CODE)):
        owner = Owner(an_account(paired=False), enrolment=Enrolment.INVITATION)
        owner.take(an_invitation(lasts=timedelta(days=7)))
        owner.take(a_sign_in(at=at))
        assert owner.take(an_enrolment(at=at, **INVITED)).outcome == outcome


def test_a_new_invitation_replaces_the_earlier_one() -> None:
    owner = _invited()
    owner.take(an_invitation("another"))
    assert owner.take(an_enrolment(**INVITED)).outcome == Rejection.WRONG_CODE
    assert owner.take(an_enrolment(invitation_digest=a_digest("another"))).outcome == OK


def test_pairing_a_phone_ends_an_unused_invitation() -> None:
    owner = _mailed()
    owner.take(an_invitation())
    owner.take(an_enrolment(**MAILED))
    assert owner.account.invitation is not None
    owner.take(a_pairing_start())
    owner.take(a_paired())
    assert owner.account.invitation is None


def test_wrong_enrolment_codes_share_the_count_and_pause_of_codes() -> None:
    owner = _invited()
    for _ in range(3):
        assert owner.take(an_enrolment(invitation_digest=a_digest("guess"))).outcome == Rejection.WRONG_CODE
    owner.take(a_wrong_code())
    owner.take(an_enrolment(enrolment_id="guess"))
    assert owner.account.codes.others.paused_until == after(30)
    owner.refuse(an_enrolment(at=after(29), **INVITED), Rejection.CODES_PAUSED)
    assert owner.take(an_enrolment(at=after(30), **INVITED)).outcome == OK
    assert owner.account.codes.others.failures == 0
    owner.take(a_sign_in("login-2", after(31)))
    assert owner.take(a_wrong_code(after(32), "login-2")).outcome == Rejection.WRONG_CODE


def test_enrolling_an_enrolled_login_changes_nothing() -> None:
    owner = _invited()
    owner.account = owner.account.with_login(a_login("ready"))
    owner.ignore(an_enrolment("ready", **INVITED))
    owner.refuse(an_enrolment("login-9", **INVITED), Rejection.NO_LOGIN)


def test_a_login_without_enrolment_becomes_ready_once_a_phone_is_paired() -> None:
    owner = _invited()
    owner.take(a_sign_in("mallory", after(1)))
    owner.take(an_enrolment(at=after(2), **INVITED))
    owner.take(a_pairing_start(at=after(3)))
    owner.take(a_paired(at=after(4)))
    assert owner.login("mallory").state is LoginState.READY


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_code_is_six_digits_and_deterministic(account_id: str, identifier: str) -> None:
    code = CODES.code(account_id, identifier)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    assert EnrolmentCodes(b"k" * 32).code(account_id, identifier) == code
    assert CODES.matches(account_id, identifier, code)


def test_codes_are_spread_evenly() -> None:
    codes = [CODES.code("alex", str(number)) for number in range(2000)]
    assert len(set(codes)) > 1950
    assert {code[0] for code in codes} == set("0123456789")


def test_account_id_and_key_determine_the_code() -> None:
    code = CODES.code("alex", "one")
    others = [CODES.code("bo", "one"), CODES.code("alex", "two"), EnrolmentCodes(b"q" * 32).code("alex", "one")]
    assert code not in others
    assert CODES.code("ab", "c") != CODES.code("a", "bc")


@pytest.mark.parametrize("spelling", ["{0}", " {0}\n", "{1} {2}", "{1}-{2}", "{1}\u2013{2}", "{1}.\u200b{2}"])
def test_spaces_and_hyphens_in_a_code_are_ignored(spelling: str) -> None:
    code = CODES.code("alex", "one")
    assert CODES.matches("alex", "one", spelling.format(code, code[:3], code[3:]))


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "١٢٣٤٥٦", "\ud800", "0" * 100_000, "\x00"])
def test_any_other_text_is_wrong(typed: str) -> None:
    assert not CODES.matches("alex", "one", typed)


def test_the_key_is_not_in_the_repr() -> None:
    assert "kkkk" not in repr(CODES)


def test_an_invitation_has_the_digest_of_its_code() -> None:
    code, digest = new_invitation()
    assert invitation_digest(code) == digest
    assert len(code.replace("-", "")) == 16


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", " "), lambda code: f"  {code}\n"])
def test_case_spaces_and_hyphens_in_an_invitation_are_ignored(change: Callable[[str], str]) -> None:
    code, digest = new_invitation()
    assert invitation_digest(change(code)) == digest


@pytest.mark.parametrize("typed", ["", "123456", "ABCDE-FGHJK", "UUUU-UUUU-UUUU-UUUU", "A" * 10_000])
def test_a_malformed_invitation_has_no_digest(typed: str) -> None:
    assert invitation_digest(typed) is None


def test_invitations_differ() -> None:
    assert len({new_invitation()[0] for _ in range(100)}) == 100
