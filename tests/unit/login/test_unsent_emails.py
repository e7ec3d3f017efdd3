"""E-mails are not sent without a mail server, or when the service stops."""

import asyncio
from email.message import EmailMessage
from typing import Any, cast

from aiokafka import ConsumerRecord
from structlog.testing import capture_logs

from schemas.codec import encode
from services.common.clock import now
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.publisher import Publisher
from services.login.emails.builder import EmailBuilder
from services.login.emails.sender import EmailSender
from services.login.emails.smtp import ServerError
from tests.builders import an_event
from tests.polling import DEADLINE_SECONDS
from tests.unit.login.test_email_texts import CODES, an_email_due

BUILDER = EmailBuilder("Account Manager", "https://account.example.org", "accounts@example.org", CODES)
UNREACHABLE = DeadLetterWriter(Publisher("kafka.invalid:9092", "", "login"), "", "login")


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
