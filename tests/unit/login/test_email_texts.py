"""E-mails say what happened, when, where and what to do; names cannot change them."""

from typing import Any

import pytest

from schemas.login_messages import EmailDue, EmailKind
from services.login.emails.builder import EmailBuilder
from services.login.emails.smtp import MailRejectedError
from services.login.pairing.enrolment_codes import EnrolmentCodes
from tests.builders import T0, a_browser, an_event

CODES = EnrolmentCodes(b"k" * 32)
BUILDER = EmailBuilder("Account Manager", "https://account.example.org", "account@example.org", CODES)


def an_email_due(kind: EmailKind = EmailKind.PHONE_PAIRED, **changes: Any) -> EmailDue:
    """Return an e-mail that is due."""
    fields = {
        "account_id": "alex",
        "account_name": "Zoë",
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
