"""Sends people the e-mails that are due, beside everything else: a mail server that is away holds no decision up."""

import asyncio
from datetime import timedelta
from itertools import chain, repeat
from typing import Final

import structlog
from aiokafka import ConsumerRecord
from structlog.contextvars import bound_contextvars

from schemas.codec import Event, UndecodableError, decode
from schemas.login_messages import EmailDue
from schemas.topics import LOGIN_EMAILS
from services.common.cancellation import raise_if_cancelled
from services.common.clock import now
from services.common.kafka.dead_letters import DeadLetterWriter, RecordPosition
from services.common.kafka.group_reader import GroupReader
from services.common.rows.table import own_group
from services.common.telemetry.tracing import continue_trace
from services.login.emails.builder import EmailBuilder
from services.login.emails.smtp import MailRejectedError, MailServer, PostponedError, ServerError
from services.login.settings import LoginSettings

log = structlog.get_logger(__name__)
PAUSE_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Between tries; the last one repeats."""
PATIENCE: Final = timedelta(minutes=30)
"""While the server is away, an e-mail is tried until it is so old; whatever its age, once."""
TRIES_IF_POSTPONED: Final = 4
"""Of a message that the server asks to try again: others wait behind it."""


class EmailSender:
    """Sends the emails of one instance's partitions."""

    def __init__(self, letters: EmailBuilder, server: MailServer | None, dead_letters: DeadLetterWriter) -> None:
        """Take the parts that it needs.

        Args:
            letters: Composes.
            server: Sends; None where no mail server is set, and then nothing is sent.
            dead_letters: Takes the emails that could not be sent.

        """
        self._letters = letters
        self._server = server
        self._dead_letters = dead_letters

    async def handle(self, record: ConsumerRecord) -> None:
        """Send one email; what cannot be sent is set aside with the reason."""
        place = RecordPosition(record.topic, record.partition, record.offset)
        continue_trace(record.headers)
        with bound_contextvars(record=str(place)):
            try:
                await self._deliver(_read(record))
            except (UndecodableError, MailRejectedError, PostponedError, ServerError) as error:
                reason = str(error)
                log.warning("an e-mail was set aside", reason=reason)
            except Exception as error:
                reason = f"unexpected: {type(error).__name__}: {error}"
                log.exception("an e-mail was set aside after an unexpected error")
            else:
                return
            await self._dead_letters.set_aside(place, record.key, record.value, list(record.headers), reason)

    async def _deliver(self, event: Event[EmailDue]) -> None:
        kind = event.data.kind
        if self._server is None:
            log.warning("an e-mail was not sent: no mail server is set", event_id=event.id, email=kind)
            return
        message = self._letters.of(event)
        for tries, pause_seconds in enumerate(chain(PAUSE_SECONDS, repeat(PAUSE_SECONDS[-1])), start=1):
            try:
                await self._server.send(message)
            except ServerError as error:
                if now() - event.data.at > PATIENCE:
                    raise
                log.warning("the mail server takes nothing, trying again", tries=tries, reason=str(error))
            except PostponedError as error:
                if tries == TRIES_IF_POSTPONED:
                    raise
                log.info("the mail server asks to try again", tries=tries, reason=str(error))
            else:
                log.info("an e-mail was sent", event_id=event.id, email=kind, tries=tries)
                return
            raise_if_cancelled()
            await asyncio.sleep(pause_seconds)


def email_reader(settings: LoginSettings, letters: EmailBuilder, dead_letters: DeadLetterWriter) -> GroupReader:
    """Return what reads the emails that are due and sends them.

    Args:
        settings: Of the service.
        letters: Composes the e-mails.
        dead_letters: Takes the emails that could not be sent.

    """
    server = MailServer(settings) if settings.smtp_host else None
    topic = f"{settings.topic_prefix}{LOGIN_EMAILS.name}"
    group = f"{settings.topic_prefix}{own_group(LOGIN_EMAILS)}"
    handle = EmailSender(letters, server, dead_letters).handle
    return GroupReader(settings.kafka_bootstrap, topic, group, handle)


def _read(record: ConsumerRecord) -> Event[EmailDue]:
    event = decode(record.key, record.value, record.headers)
    if not isinstance(event.data, EmailDue):
        text = f"not an e-mail: {event.data.type}"
        raise UndecodableError(text)
    return Event(event.id, event.time, event.source, event.traceparent, event.data)
