"""Redelivered commands change nothing and publish the same messages."""

from functools import partial

import pytest

from schemas.codec import TYPES, decode, encode
from schemas.login_messages import AccountCommand
from services.common.decisions import Decision, decide_once
from services.common.rows.codec import read_row, write_row
from services.login.domain.account import Account
from services.login.domain.decide import decide_account
from services.login.domain.limits import Enrolment
from services.login.domain.login import LoginKind, LoginState
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
    policy,
    recovery_codes,
)
from tests.messages import (
    a_cancel,
    a_code,
    a_pairing_start,
    a_recovery_code,
    a_send,
    a_sign_in,
    a_sign_out,
    a_wrong_code,
    a_wrong_password,
    an_enrolment,
    an_enrolment_mail,
)
from tests.session_messages import (
    a_choice,
    a_confirmation,
    a_creation,
    a_forgetting,
    a_further_phone,
    a_method_removal,
    a_password_change,
    a_removal,
    a_renaming,
    a_reset,
    a_revocation,
    a_touch,
    an_address,
    an_app_added,
    an_invitation,
    new_recovery_codes,
)
from tests.unit.login.owner import same

AT = after(5)
COMMANDS: tuple[AccountCommand, ...] = (
    a_sign_in("another", AT),
    a_wrong_password(AT),
    a_pairing_start(at=AT, login_id="adding"),
    a_send("login-1", AT),
    a_code(login_id="login-1", at=AT),
    a_recovery_code(login_id="login-1", at=AT),
    a_wrong_code(AT),
    an_enrolment_mail(login_id="enrolling", at=AT),
    an_enrolment("enrolling", AT, invitation_digest=a_digest("invitation")),
    a_cancel("login-1", AT),
    a_sign_out("s-login", AT),
    a_touch(AT),
    a_revocation(a_digest("session of s-login"), AT),
    a_forgetting(a_digest("r"), AT),
    a_confirmation(at=AT),
    a_further_phone(at=AT),
    an_app_added(at=AT),
    a_choice("pairing-2", AT),
    a_renaming("pairing-2", at=AT),
    a_method_removal("pairing-2", AT),
    new_recovery_codes(AT),
    a_password_change(AT),
    an_address("new@example.org", AT),
    an_invitation("another", AT),
    a_reset(AT),
    a_removal(AT),
)
_decide = partial(decide_account, policy=policy(enrolment=Enrolment.EMAIL))


def _account() -> Account:
    """Return an account in which each of the commands does something."""
    fair = a_device(a_phone("Fairphone 5"), pairing_id="pairing-2")
    return an_account(
        email="alex@example.org",
        devices=(a_device(), fair),
        apps=(an_app(),),
        recovery=recovery_codes("code 1"),
        invitation={"digest": a_digest("invitation"), "expires_at": after(minutes=60)},
        logins=(
            a_login("login-1"),
            a_login("adding", kind=LoginKind.ADD_PHONE, state=LoginState.NEEDS_PHONE),
            a_login("enrolling", state=LoginState.NEEDS_ENROLMENT),
        ),
        sessions=(a_session(idle_until=after(60)), a_session("session of s-login")),
        remembered=(a_remembered_browser(),),
    )


def _decided(row: Account | None, command: AccountCommand, event_id: str) -> Decision[Account]:
    record = encode(an_event(command, event_id=event_id))
    return decide_once(row, decode(record.key, record.value, record.headers), _decide)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_repeated_command_changes_nothing_and_publishes_the_same(command: AccountCommand) -> None:
    first = _decided(_account(), command, "event")
    assert first.row is not None
    assert not same(first.row.settled(), _account())
    stored = read_row(Account, write_row(first.row).decode())
    again = _decided(stored, command, "event")
    assert again == Decision(stored, first.events, first.outcome)
    assert stored == first.row.settled()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_decisions_are_deterministic(command: AccountCommand) -> None:
    assert _decided(_account(), command, "event") == _decided(_account(), command, "event")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_only_create_account_creates_an_account(command: AccountCommand) -> None:
    assert _decided(None, command, "event").row is None


def test_every_command_is_tested() -> None:
    known = {kind for kind in TYPES.values() if issubclass(kind, AccountCommand)}
    assert {type(command) for command in COMMANDS} == known - {type(a_creation())}
