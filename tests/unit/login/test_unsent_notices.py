"""A notice that is not sent: no mail server is set, or the service stops."""

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
from tests.unit.login.test_letters import CODES, a_notice

LETTERS = EmailBuilder("Account Manager", "https://account.example.org", "accounts@example.org", CODES)
UNREACHABLE = DeadLetterWriter(Publisher("kafka.invalid:9092", "", "login"), "", "login")


def came(**changes: Any) -> ConsumerRecord:
    """Return the record of a notice that is due."""
    record = encode(an_event(a_notice(**changes), event_id="event-1"))
    return ConsumerRecord("login.emails", 0, 7, 0, 0, record.key, record.value, None, 0, 0, record.headers)


async def test_without_a_mail_server_nothing_is_sent_and_nothing_set_aside() -> None:
    with capture_logs() as lines:
        await EmailSender(LETTERS, None, UNREACHABLE).handle(came())
    (line,) = lines
    assert line["event"] == "an e-mail was not sent: no mail server is set"
    assert (line["event_id"], line["email"]) == ("event-1", "phone_paired")
    assert "zoe@example.org" not in repr(lines)


class LosesCancellation:
    """A mail server that is away, asked by a library that takes a cancellation for that."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def send(self, _message: EmailMessage) -> None:
        self.asked.set()
        try:
            await asyncio.sleep(DEADLINE_SECONDS)
        except asyncio.CancelledError:
            text = "connection refused"
            raise ServerError(text) from None


async def test_a_stop_in_the_moment_of_a_failed_try_ends_the_tries() -> None:
    server = LosesCancellation()
    trying = asyncio.create_task(EmailSender(LETTERS, cast(Any, server), UNREACHABLE).handle(came(at=now())))
    await server.asked.wait()
    trying.cancel()
    await asyncio.wait({trying}, timeout=DEADLINE_SECONDS)
    assert trying.cancelled()
