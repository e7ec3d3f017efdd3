"""E-mails: which changes send one, what it says, and when it is not sent."""

import asyncio
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord
from structlog.testing import capture_logs

from schemas.codec import encode
from schemas.contract import Verdict
from schemas.login_messages import AccountCommand, EmailDue, EmailKind
from services.common.clock import now
from services.common.decisions import Decision
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.publisher import Publisher
from services.common.settings import load_settings
from services.login.domain.account import Account
from services.login.emails.builder import EmailBuilder
from services.login.emails.sender import EmailSender
from services.login.emails.smtp import MailRejectedError, ServerError
from services.login.pairing.enrolment_codes import EnrolmentCodes
from services.login.settings import LoginSettings
from tests.builders import T0, a_browser, a_device, a_login, a_phone, after, an_app, an_event, recovery_codes
from tests.events import a_paired, a_response
from tests.messages import a_code, a_pairing_start, a_recovery_code, a_sign_in
from tests.polling import DEADLINE_SECONDS
from tests.session_messages import (
    a_choice,
    a_further_phone,
    a_method_removal,
    a_password_change,
    a_password_set,
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
CODES = EnrolmentCodes(b"k" * 32)
BUILDER = EmailBuilder("Account Manager", "https://account.example.org", "account@example.org", CODES)
UNREACHABLE = DeadLetterWriter(Publisher(KafkaConnection("kafka.invalid:9092"), "", "login"), "", "login")


def _load(**environment: str) -> LoginSettings:
    """Load the settings from an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(f"LOGIN_{name}", value)
        return load_settings(LoginSettings, "program", [])


def test_no_mail_server_is_set_by_default() -> None:
    assert _load().smtp_host == ""


def test_starttls_is_the_default() -> None:
    settings = _load(SMTP_HOST="mail.example.org", MAIL_FROM="account@example.org")
    assert (settings.smtp_port, settings.smtp_security) == (587, "starttls")


def test_the_password_is_not_in_the_settings_text() -> None:
    settings = _load(
        SMTP_HOST="mail.example.org", MAIL_FROM="a@example.org", SMTP_USERNAME="a", SMTP_PASSWORD="hunter2"
    )
    assert settings.smtp_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("environment", "named", "why"),
    [
        ({"SMTP_HOST": "mail.example.org"}, "MAIL_FROM", "it is required with LOGIN_SMTP_HOST"),
        ({"SMTP_HOST": "mail.example.org", "MAIL_FROM": "account"}, "MAIL_FROM", "not an e-mail address"),
        ({"MAIL_FROM": "a@example.org\nBcc: eve@example.org"}, "MAIL_FROM", "not an e-mail address"),
        ({"SMTP_USERNAME": "a", "SMTP_SECURITY": "none"}, "SMTP_USERNAME", "password would be sent unencrypted"),
        ({"SMTP_SECURITY": "ssl"}, "SMTP_SECURITY", "'tls'"),
        ({"SMTP_PORT": "0"}, "SMTP_PORT", "greater than"),
    ],
)
def test_an_invalid_setting_is_named(
    environment: dict[str, str], named: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        _load(**environment)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert f"setting LOGIN_{named} " in error
    assert why in error


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
    EmailKind.PASSWORD_SET: (lambda owner: owner.take(a_password_set(AT)), ""),
}


def _mails(decision: Decision[Account]) -> list[EmailDue]:
    return [each for each in decision.events if isinstance(each, EmailDue)]


@pytest.mark.parametrize("kind", TOLD)
def test_the_owner_is_notified_by_email(kind: EmailKind) -> None:
    do, method_name = TOLD[kind]
    (mail,) = _mails(do(_owner(ADDRESS)))
    assert (mail.kind, mail.method_name, mail.at) == (kind, method_name, AT)
    assert (mail.account_id, mail.account_name, mail.address) == ("alex", "Alex", ADDRESS)
    assert mail.browser == (None if kind in {EmailKind.METHODS_RESET, EmailKind.PASSWORD_SET} else a_browser())


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


def an_email_due(kind: EmailKind = EmailKind.PHONE_PAIRED, **changes: Any) -> EmailDue:
    """Return an e-mail that is due."""
    fields = {
        "account_id": "alex",
        "account_name": "Zoë",
        "sign_in_name": "alex",
        "address": "zoe@example.org",
        "kind": kind,
        "at": T0,
        "browser": a_browser(place="Geneva, Switzerland"),
        "method_name": "Pixel 9",
        "identifier": "code-1",
        "left": 3,
    }
    return EmailDue.model_validate({**fields, **changes})


def the_text(due: EmailDue) -> str:
    """Return its text."""
    return str(BUILDER.build(an_event(due)).get_content())


@pytest.mark.parametrize("kind", EmailKind)
def test_every_email_names_the_account_time_browser_and_next_step(kind: EmailKind) -> None:
    message = BUILDER.build(an_event(an_email_due(kind)))
    text = message.get_content()
    assert message["To"] == "zoe@example.org"
    assert message["From"] == "Account Manager <account@example.org>"
    assert message["Subject"].startswith("Account Manager: ")
    assert text.startswith("Hello Zoë,\n")
    for part in ("2026-03-02 09:00 UTC", "Firefox on Linux", "192.0.2.7, Geneva, Switzerland", "If ", "alex"):
        assert part in text
    assert "{" not in text
    assert ("Pixel 9" in text) == (kind.value.startswith(("phone", "app")))
    assert "—" not in text


def test_each_kind_has_its_own_subject() -> None:
    assert len({BUILDER.build(an_event(an_email_due(kind)))["Subject"] for kind in EmailKind}) == len(EmailKind)


@pytest.mark.parametrize("kind", EmailKind)
def test_an_email_without_details_has_no_gaps(kind: EmailKind) -> None:
    text = the_text(an_email_due(kind, browser=None, method_name="", left=None))
    assert "None" not in text
    assert "  \n" not in text
    assert "\u201c\u201d" not in text


@pytest.mark.parametrize(("left", "text"), [(0, "None are left."), (1, "One is left."), (7, "7 are left.")])
def test_an_email_says_how_many_recovery_codes_are_left(left: int, text: str) -> None:
    assert text in the_text(an_email_due(EmailKind.RECOVERY_CODE_USED, left=left))


def test_an_email_is_determined_by_its_event() -> None:
    event = an_event(an_email_due(), event_id="event-1")
    assert BUILDER.build(event).as_bytes() == BUILDER.build(event).as_bytes()
    other = an_event(an_email_due(), event_id="event-2")
    assert BUILDER.build(event)["Message-ID"] != BUILDER.build(other)["Message-ID"]
    assert BUILDER.build(event)["Message-ID"].endswith("@example.org>")


def test_the_headers_mark_an_email_as_automatic() -> None:
    message = BUILDER.build(an_event(an_email_due()))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == T0
    assert message.get_content_type() == "text/plain"


def test_only_the_enrolment_email_contains_the_code() -> None:
    code = CODES.code("alex", "code-1")
    assert f"{code[:3]} {code[3:]}" in the_text(an_email_due(EmailKind.ENROLMENT_CODE))
    for kind in set(EmailKind) - {EmailKind.ENROLMENT_CODE}:
        text = the_text(an_email_due(kind))
        assert code not in text
        assert f"{code[:3]} {code[3:]}" not in text
    assert code[:3] not in BUILDER.build(an_event(an_email_due(EmailKind.ENROLMENT_CODE)))["Subject"]


def test_an_enrolment_email_without_a_code_id_is_rejected() -> None:
    with pytest.raises(MailRejectedError):
        the_text(an_email_due(EmailKind.ENROLMENT_CODE, identifier=None))


@pytest.mark.parametrize(
    "name",
    [
        "Pixel\n\nCall us at once: +1 555 0100",
        "Pixel\r\nBcc: eve@example.org",
        "\u202egnihtyna",
        "x" * 200,
        "{product} {0}",
    ],
)
def test_a_name_cannot_add_lines_or_headers(name: str) -> None:
    event = an_event(an_email_due(method_name=name, account_name=name))
    message = BUILDER.build(event)
    for line in message.get_content().splitlines():
        assert line.isprintable()
    lines = [line for line in message.get_content().splitlines() if "\u201c" in line]
    assert len(lines) == 1
    assert len(lines[0]) < 250
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zoe",
        "@example.org",
        "zoe@",
        "a b@example.org",
        "zoe@example.org, eve@example.org",
        "zoe@example.org\nBcc: eve@example.org",
        "zoë@example.org",
    ],
)
def test_an_invalid_address_is_rejected(address: str) -> None:
    with pytest.raises(MailRejectedError):
        the_text(an_email_due(address=address))


def test_a_product_name_cannot_break_a_header() -> None:
    builder = EmailBuilder("Door\r\nBcc: eve@example.org", "https://door.example", "door@example.org", CODES)
    message = builder.build(an_event(an_email_due()))
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Door Bcc: eve@example.org: ")


def a_record(**changes: Any) -> ConsumerRecord:
    """Return the record of an e-mail that is due."""
    record = encode(an_event(an_email_due(**changes), event_id="event-1"))
    return ConsumerRecord("login.emails", 0, 7, 0, 0, record.key, record.value, None, 0, 0, record.headers)


async def test_without_a_mail_server_an_email_is_neither_sent_nor_dead_lettered() -> None:
    with capture_logs() as lines:
        await EmailSender(BUILDER, None, UNREACHABLE).handle(a_record())
    (line,) = lines
    assert line["event"] == "e-mail not sent: no mail server is set"
    assert (line["event_id"], line["email"]) == ("event-1", "phone_paired")
    assert "zoe@example.org" not in repr(lines)


class LosesCancellation:
    """An unavailable mail server, through a library that turns a cancellation into a connection error."""

    def __init__(self) -> None:
        self.called = asyncio.Event()

    async def send(self, _message: EmailMessage) -> None:
        self.called.set()
        try:
            await asyncio.sleep(DEADLINE_SECONDS)
        except asyncio.CancelledError:
            text = "connection refused"
            raise ServerError(text) from None


async def test_a_cancellation_during_a_failed_try_ends_the_tries() -> None:
    server = LosesCancellation()
    trying = asyncio.create_task(EmailSender(BUILDER, cast(Any, server), UNREACHABLE).handle(a_record(at=now())))
    await server.called.wait()
    trying.cancel()
    await asyncio.wait({trying}, timeout=DEADLINE_SECONDS)
    assert trying.cancelled()
