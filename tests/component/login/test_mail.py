"""E-mails reach a real mail server as configured, and each kind of rejection is recognised."""

import asyncio
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import free_port
from services.login.emails.smtp import MailRejectedError, MailServer, PostponedError, ServerError
from services.login.settings import LoginSettings
from tests.polling import DEADLINE_SECONDS
from tests.smtp import HOST, PASSWORD, USERNAME, Certificate, PostOffice, a_certificate, a_mail_server


def a_server(port: int, **changes: Any) -> MailServer:
    """Return a mail client for a server on this machine."""
    fields = {"smtp_host": HOST, "smtp_port": port, "smtp_security": "none", "mail_from": "account@example.org"}
    return MailServer(LoginSettings.model_validate({**fields, **changes}))


def a_message(to: str = "zoe@example.org") -> EmailMessage:
    """Return a message."""
    message = EmailMessage()
    message["From"] = "Account Manager <account@example.org>"
    message["To"] = to
    message["Subject"] = "Zoë's phone"
    message.set_content("A phone was connected: “Pixel 9”.\n.\nEnd.\n")
    return message


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """Provide a certificate that this process trusts."""
    made = a_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


async def test_a_message_arrives_as_it_was_written() -> None:
    with a_mail_server() as (office, port):
        await a_server(port).send(a_message())
    (arrived,) = office.messages
    assert arrived["Subject"] == "Zoë's phone"
    assert arrived.get_content().splitlines() == a_message().get_content().splitlines()


async def test_starttls_and_a_password_are_used(certificate: Certificate) -> None:
    with a_mail_server(starttls=certificate) as (office, port):
        server = a_server(port, smtp_security="starttls", smtp_username=USERNAME, smtp_password=PASSWORD)
        await server.send(a_message())
    assert office.secured == [True]


async def test_tls_from_the_first_byte_is_used(certificate: Certificate) -> None:
    with a_mail_server(tls=certificate) as (office, port):
        await a_server(port, smtp_security="tls").send(a_message())
    assert len(office.messages) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_server_without_a_trusted_certificate_gets_nothing(security: str, tmp_path: Path) -> None:
    certificate = a_certificate(tmp_path)
    how: dict[str, Any] = {security: certificate}
    with a_mail_server(**how) as (office, port):
        with pytest.raises(ServerError) as refused:
            await a_server(port, smtp_security=security, smtp_username=USERNAME, smtp_password=PASSWORD).send(
                a_message()
            )
        assert PASSWORD not in str(refused.value)
    assert office.messages == []


async def test_a_server_without_starttls_gets_nothing() -> None:
    with a_mail_server() as (office, port), pytest.raises(MailRejectedError, match="STARTTLS"):
        await a_server(port, smtp_security="starttls").send(a_message())
    assert office.messages == []


async def test_a_wrong_password_is_a_server_error_and_not_a_rejected_message(certificate: Certificate) -> None:
    with a_mail_server(starttls=certificate) as (office, port):
        server = a_server(port, smtp_security="starttls", smtp_username=USERNAME, smtp_password="wrong")
        with pytest.raises(ServerError, match="535"):
            await server.send(a_message())
    assert office.messages == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.1.1 <zoe@example.org> no such user", MailRejectedError),
        ("451 4.7.1 <zoe@example.org> greylisted", PostponedError),
        ("421 4.3.2 going down", ServerError),
    ],
)
async def test_a_servers_reply_about_a_recipient_is_reported_without_the_address(
    answer: str, kind: type[Exception]
) -> None:
    with a_mail_server(PostOffice(answers=[answer])) as (office, port):
        with pytest.raises(kind, match=answer[:3]) as refused:
            await a_server(port).send(a_message())
        assert "zoe@example.org" not in str(refused.value)
        assert office.messages == []
        await a_server(port).send(a_message())
    assert len(office.messages) == 1


async def test_an_unreachable_server_is_not_a_rejection() -> None:
    with pytest.raises(ServerError):
        await a_server(free_port()).send(a_message())
    with pytest.raises(ServerError):
        await a_server(25, smtp_host="nowhere.invalid").send(a_message())


@pytest.mark.parametrize("greeting", [b"", b"220 here\r\n", b"554 no service here\r\n", b"\xff\x00" * 1000 + b"\r\n"])
async def test_a_server_without_a_valid_greeting_is_abandoned(greeting: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    left = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read()
        writer.close()
        left.set()

    monkeypatch.setattr("services.login.emails.smtp.REPLY_SECONDS", 0.2)
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server, asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(ServerError):
            await a_server(server.sockets[0].getsockname()[1]).send(a_message())
        await left.wait()
