"""Each change of an account's methods is notified by e-mail."""

from collections.abc import Callable

import pytest

from schemas.contract import Verdict
from schemas.login_messages import AccountCommand, EmailDue, EmailKind
from services.common.decisions import Decision
from services.login.domain.account import Account
from tests.builders import a_browser, a_device, a_login, a_phone, after, an_app, recovery_codes
from tests.events import a_paired, a_response
from tests.messages import a_code, a_pairing_start, a_recovery_code, a_sign_in
from tests.session_messages import (
    a_choice,
    a_further_phone,
    a_method_removal,
    a_password_change,
    a_renaming,
    a_reset,
    an_address,
    an_app_added,
    an_invitation,
    new_recovery_codes,
)
from tests.unit.login.owner import Owner, signed_in

FAIR = a_phone("Fairphone 5")
ADDRESS = "alex@example.org"
AT = after(5)


def _owner(email: str) -> Owner:
    return signed_in(
        email=email,
        devices=(a_device(), a_device(FAIR, pairing_id="pairing-2")),
        apps=(an_app(),),
        recovery=recovery_codes("code 1"),
        logins=(a_login(),),
    )


def _pair(owner: Owner) -> Decision[Account]:
    owner.take(a_further_phone())
    owner.take(a_pairing_start(login_id="add-1"))
    return owner.take(a_paired(at=AT, phone=a_phone("Third")))


def _report(owner: Owner) -> Decision[Account]:
    return owner.take(a_response(owner.challenge(a_sign_in("asked")), Verdict.REPORT, AT))


TOLD: dict[EmailKind, tuple[Callable[[Owner], Decision[Account]], str]] = {
    EmailKind.PHONE_PAIRED: (_pair, "Third"),
    EmailKind.PHONE_REMOVED: (lambda owner: owner.take(a_method_removal("pairing-2", AT)), "Fairphone 5"),
    EmailKind.APP_ADDED: (lambda owner: owner.take(an_app_added(at=AT)), "Desk app"),
    EmailKind.APP_REMOVED: (lambda owner: owner.take(a_method_removal("app-0", AT)), "Desk app"),
    EmailKind.RECOVERY_CODES_MADE: (lambda owner: owner.take(new_recovery_codes(AT)), ""),
    EmailKind.RECOVERY_CODE_USED: (lambda owner: owner.take(a_recovery_code(at=AT)), ""),
    EmailKind.PASSWORD_CHANGED: (lambda owner: owner.take(a_password_change(AT)), ""),
    EmailKind.SIGN_IN_REPORTED: (_report, ""),
    EmailKind.METHODS_RESET: (lambda owner: owner.take(a_reset(AT)), ""),
}


def _mails(decision: Decision[Account]) -> list[EmailDue]:
    return [each for each in decision.events if isinstance(each, EmailDue)]


@pytest.mark.parametrize("kind", TOLD)
def test_the_owner_is_notified_by_email(kind: EmailKind) -> None:
    do, method_name = TOLD[kind]
    (mail,) = _mails(do(_owner(ADDRESS)))
    assert (mail.kind, mail.method_name, mail.at) == (kind, method_name, AT)
    assert (mail.account_id, mail.account_name, mail.address) == ("alex", "Alex", ADDRESS)
    assert mail.browser == (None if kind is EmailKind.METHODS_RESET else a_browser())


@pytest.mark.parametrize("kind", TOLD)
def test_without_an_address_the_change_happens_without_an_email(kind: EmailKind) -> None:
    owner = _owner("")
    before = len(owner.account.history)
    assert _mails(TOLD[kind][0](owner)) == []
    assert len(owner.account.history) > before


def test_every_kind_of_notice_is_tested() -> None:
    assert TOLD.keys() == set(EmailKind) - {EmailKind.ENROLMENT_CODE}


@pytest.mark.parametrize(
    "command",
    [
        a_sign_in("another"),
        a_code(),
        a_choice("pairing-2"),
        a_renaming("pairing-2"),
        an_address("new@example.org"),
        an_invitation(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_other_commands_send_no_email(command: AccountCommand) -> None:
    assert _mails(_owner(ADDRESS).take(command)) == []


def test_rejected_commands_send_no_email() -> None:
    owner = _owner(ADDRESS)
    for command in (an_app_added(at=after(minutes=11)), a_password_change(old_password_hash="$argon2id$0")):
        assert owner.take(command).events == ()
    owner.take(a_code(100))
    assert owner.take(a_recovery_code("another")).events == ()


def test_the_address_is_not_in_the_repr() -> None:
    (mail,) = _mails(_owner(ADDRESS).take(new_recovery_codes(AT)))
    assert ADDRESS not in repr(mail)
    assert ADDRESS in mail.model_dump_json()
