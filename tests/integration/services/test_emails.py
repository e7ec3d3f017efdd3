"""E-mails that are due reach a real mail server, once each and in order, or the dead letters with the reason."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.instance_process import InstanceProcess
from deploy.local.ports import free_port
from deploy.local.stack import Stack
from schemas.codec import encode
from schemas.login_messages import EmailDue, EmailKind
from services.common.clock import now
from services.common.keys.keys import load_secret
from services.login.emails.sender import RETRY_PERIOD
from services.login.pairing.enrolment_codes import EnrolmentCodes
from tests.builders import a_browser, an_event
from tests.integration.services.wire import Wire
from tests.polling import eventually
from tests.session_messages import a_removal
from tests.smtp import HOST, PASSWORD, USERNAME, Certificate, PostOffice, a_certificate, a_mail_server

MAIL_PORT = free_port()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Give the mail server's certificate."""
    return a_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def settings(certificate: Certificate) -> dict[str, str]:
    """Give settings with which the login service sends mail."""
    return {
        "LOGIN_SMTP_HOST": HOST,
        "LOGIN_SMTP_PORT": str(MAIL_PORT),
        "LOGIN_SMTP_USERNAME": USERNAME,
        "LOGIN_SMTP_PASSWORD": PASSWORD,
        "LOGIN_MAIL_FROM": "account@example.org",
        "SSL_CERT_FILE": str(certificate.path),
    }


@pytest.fixture
def due(run: Callable[[str], InstanceProcess], wire: Wire) -> "Due":
    """Give what makes e-mails due while the login service runs."""
    run("login")
    return Due(wire)


class Due:
    """Makes e-mails due."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def email(self, account_id: str, kind: EmailKind = EmailKind.PHONE_PAIRED, **changes: Any) -> None:
        """Publish one, as the account's owner would."""
        fields = {
            "account_id": account_id,
            "account_name": "Zoë",
            "sign_in_name": "zoë",
            "address": f"{account_id}@example.org",
            "kind": kind,
            "at": now(),
            "browser": a_browser(),
            "method_name": "Pixel 9",
            **changes,
        }
        await self.wire.publisher.publish_command(EmailDue.model_validate(fields))


def a_name() -> str:
    return f"zoe-{uuid.uuid4().hex[:8]}"


async def test_a_e_mail_is_sent_over_a_protected_connection(due: Due, certificate: Certificate) -> None:
    name = a_name()
    with a_mail_server(port=MAIL_PORT, starttls=certificate) as (office, _):
        await due.email(name)
        await eventually(lambda: office.messages)
    (message,) = office.messages
    assert message["To"] == f"{name}@example.org"
    assert "Pixel 9" in message.get_content()
    assert office.secured == [True]


async def test_the_e_mails_of_an_account_go_out_in_order(due: Due, certificate: Certificate) -> None:
    name = a_name()
    devices = [f"Phone {number}" for number in range(5)]
    with a_mail_server(port=MAIL_PORT, starttls=certificate) as (office, _):
        for device in devices:
            await due.email(name, method_name=device)
        await eventually(lambda: len(office.messages) == len(devices))
    for device, message in zip(devices, office.messages, strict=True):
        assert device in message.get_content()


async def test_a_server_that_is_away_gets_everything_once_it_is_back(due: Due, certificate: Certificate) -> None:
    names = [a_name() for _ in range(3)]
    for name in names:
        await due.email(name)
    office = PostOffice()
    with a_mail_server(office, port=MAIL_PORT, starttls=certificate):
        await eventually(lambda: len(office.messages) == len(names))
    assert sorted(message["To"] for message in office.messages) == sorted(f"{name}@example.org" for name in names)


async def test_a_server_that_asks_to_try_again_is_tried_again(due: Due, certificate: Certificate) -> None:
    office = PostOffice(answers=["451 4.7.1 try again", "451 4.7.1 try again"])
    with a_mail_server(office, port=MAIL_PORT, starttls=certificate):
        await due.email(a_name())
        await eventually(lambda: office.messages)
    assert office.answers == []


async def test_a_refused_e_mail_goes_to_the_dead_letters_and_the_next_one_out(
    due: Due, certificate: Certificate
) -> None:
    name = a_name()
    office = PostOffice(answers=["550 5.1.1 no such user"])
    with a_mail_server(office, port=MAIL_PORT, starttls=certificate):
        await due.email(name, method_name="Refused")
        await due.email(name, method_name="Taken")
        letter = await due.wire.dead_letter("login.emails", name.encode())
        await eventually(lambda: office.messages)
    assert dict(letter.headers)["dlq_reason"].startswith(b"550")
    assert b"Refused" in letter.value
    assert "Taken" in office.messages[0].get_content()


async def test_a_e_mail_that_waited_too_long_for_the_server_is_a_dead_letter(due: Due) -> None:
    name = a_name()
    await due.email(name, at=now() - RETRY_PERIOD - timedelta(minutes=1))
    letter = await due.wire.dead_letter("login.emails", name.encode())
    assert b"localhost" in dict(letter.headers)["dlq_reason"]


@pytest.mark.parametrize("value", [b"{}", b"", None])
async def test_what_is_no_e_mail_is_a_dead_letter(due: Due, value: bytes | None) -> None:
    name = a_name()
    record = encode(an_event(a_removal(now()).model_copy(update={"account_id": name})))
    await due.wire.publisher.publish_until_acked(replace(record, topic="login.emails"))
    letter = await due.wire.dead_letter("login.emails", name.encode())
    assert b"not an e-mail: countersign.login.remove_account.v1" in dict(letter.headers)["dlq_reason"]
    other = a_name()
    await due.wire.publisher.publish_until_acked(replace(record, topic="login.emails", key=other.encode(), value=value))
    letter = await due.wire.dead_letter("login.emails", other.encode())
    assert letter.value == value


async def test_an_enrolment_code_is_in_the_e_mail_and_nowhere_in_kafka(
    due: Due, certificate: Certificate, stack: Stack
) -> None:
    name = a_name()
    with a_mail_server(port=MAIL_PORT, starttls=certificate) as (office, _):
        await due.email(name, EmailKind.ENROLMENT_CODE, identifier="enrolment-1", method_name="")
        await eventually(lambda: office.messages)
    code = EnrolmentCodes(load_secret(stack.secrets, "enrolment")).code(name, "enrolment-1")
    assert f"{code[:3]} {code[3:]}" in office.messages[0].get_content()
    log = (stack.logs / "login.log").read_text()
    assert code not in log
    assert not any(code.encode() in (record.value or b"") for record in due.wire.records)


async def test_no_password_and_no_address_is_in_the_log(due: Due, stack: Stack, certificate: Certificate) -> None:
    name = a_name()
    office = PostOffice(answers=[f"550 5.1.1 <{name}@example.org> no such user"])
    with a_mail_server(office, port=MAIL_PORT, starttls=certificate):
        await due.email(name)
        await due.wire.dead_letter("login.emails", name.encode())
    log = (stack.logs / "login.log").read_text()
    assert "550 5.1.1" in log
    assert f"{name}@example.org" not in log
    assert PASSWORD not in log


async def test_a_stop_does_not_wait_for_a_mail_server_that_is_away_and_loses_no_e_mail(
    due: Due, stack: Stack, certificate: Certificate
) -> None:
    name = a_name()
    await due.email(name)
    await eventually(lambda: "mail server unavailable" in (stack.logs / "login.log").read_text())
    instance = stack.instances["login"]
    instance.stop()
    assert instance.exit_code == 0
    with a_mail_server(port=MAIL_PORT, starttls=certificate) as (office, _):
        stack.restart_service("login")
        await eventually(lambda: office.messages)
    assert office.messages[0]["To"] == f"{name}@example.org"
