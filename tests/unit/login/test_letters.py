"""E-mails say what happened, when, where from and what to do, and nothing that somebody else put into a name."""

from typing import Any

import pytest

from schemas.login_messages import EmailDue, EmailKind
from services.login.emails.builder import EmailBuilder
from services.login.emails.smtp import MailRejectedError
from services.login.pairing.enrolment_codes import EnrolmentCodes
from tests.builders import T0, a_browser, an_event

CODES = EnrolmentCodes(b"k" * 32)
LETTERS = EmailBuilder("Account Manager", "https://account.example.org", "account@example.org", CODES)


def a_notice(kind: EmailKind = EmailKind.PHONE_PAIRED, **changes: Any) -> EmailDue:
    """Return a notice."""
    fields = {
        "account_id": "alex",
        "account_name": "Zoë",
        "address": "zoe@example.org",
        "kind": kind,
        "at": T0,
        "browser": a_browser(place="Geneva, Switzerland"),
        "method_name": "Pixel 9",
        "identifier": "notice-1",
        "left": 3,
    }
    return EmailDue.model_validate({**fields, **changes})


def the_text(notice: EmailDue) -> str:
    """Return the text of a notice's e-mail."""
    return str(LETTERS.of(an_event(notice)).get_content())


@pytest.mark.parametrize("kind", EmailKind)
def test_every_notice_says_to_whom_when_where_from_and_what_to_do(kind: EmailKind) -> None:
    message = LETTERS.of(an_event(a_notice(kind)))
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


def test_each_kind_has_a_subject_of_its_own() -> None:
    assert len({LETTERS.of(an_event(a_notice(kind)))["Subject"] for kind in EmailKind}) == len(EmailKind)


@pytest.mark.parametrize("kind", EmailKind)
def test_a_notice_without_details_reads_well(kind: EmailKind) -> None:
    text = the_text(a_notice(kind, browser=None, method_name="", left=None))
    assert "None" not in text
    assert "  \n" not in text
    assert "\u201c\u201d" not in text


@pytest.mark.parametrize(("left", "said"), [(0, "None are left."), (1, "One is left."), (7, "7 are left.")])
def test_the_codes_that_are_left_are_counted(left: int, said: str) -> None:
    assert said in the_text(a_notice(EmailKind.RECOVERY_CODE_USED, left=left))


def test_the_same_notice_gives_the_same_e_mail_and_another_one_another_id() -> None:
    event = an_event(a_notice(), event_id="event-1")
    assert LETTERS.of(event).as_bytes() == LETTERS.of(event).as_bytes()
    other = an_event(a_notice(), event_id="event-2")
    assert LETTERS.of(event)["Message-ID"] != LETTERS.of(other)["Message-ID"]
    assert LETTERS.of(event)["Message-ID"].endswith("@example.org>")


def test_the_headers_tell_machines_what_it_is() -> None:
    message = LETTERS.of(an_event(a_notice()))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == T0
    assert message.get_content_type() == "text/plain"


def test_the_code_is_in_its_own_e_mail_alone() -> None:
    code = CODES.code("alex", "notice-1")
    assert f"{code[:3]} {code[3:]}" in the_text(a_notice(EmailKind.ENROLMENT_CODE))
    for kind in set(EmailKind) - {EmailKind.ENROLMENT_CODE}:
        text = the_text(a_notice(kind))
        assert code not in text
        assert f"{code[:3]} {code[3:]}" not in text
    assert code[:3] not in LETTERS.of(an_event(a_notice(EmailKind.ENROLMENT_CODE)))["Subject"]


def test_a_code_that_has_no_id_is_refused() -> None:
    with pytest.raises(MailRejectedError):
        the_text(a_notice(EmailKind.ENROLMENT_CODE, identifier=None))


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
def test_a_name_stays_one_line_of_ordinary_text(name: str) -> None:
    event = an_event(a_notice(method_name=name, account_name=name))
    message = LETTERS.of(event)
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
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(MailRejectedError):
        the_text(a_notice(address=address))


def test_a_products_name_cannot_break_a_header() -> None:
    letters = EmailBuilder("Door\r\nBcc: eve@example.org", "https://door.example", "door@example.org", CODES)
    message = letters.of(an_event(a_notice()))
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Door Bcc: eve@example.org: ")
