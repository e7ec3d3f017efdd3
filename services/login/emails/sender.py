"""Sends the e-mails that are due; in a group of its own, so that an unavailable mail server delays no decision."""

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
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.dead_letters import DeadLetterWriter, RecordPosition
from services.common.kafka.group_reader import GroupReader
from services.common.rows.table import own_group
from services.common.telemetry.tracing import continue_trace
from services.login.emails.builder import EmailBuilder
from services.login.emails.smtp import MailRejectedError, MailServer, PostponedError, ServerError
from services.login.settings import LoginSettings

log = structlog.get_logger(__name__)
PAUSE_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses between tries; the last one repeats."""
RETRY_PERIOD: Final = timedelta(minutes=30)
"""While the server is unavailable, an e-mail is retried until it reaches this age; it is tried at least once."""
TRIES_IF_POSTPONED: Final = 4
"""Most tries for a message that the server postpones; other messages wait behind it."""


class EmailSender:
    """Sends the e-mails of one instance's partitions."""

    def __init__(self, builder: EmailBuilder, server: MailServer | None, dead_letters: DeadLetterWriter) -> None:
        """Take the parts; without a mail server, nothing is sent."""
        self._builder = builder
        self._server = server
        self._dead_letters = dead_letters

    async def handle(self, record: ConsumerRecord) -> None:
        """Send one e-mail; one that cannot be sent becomes a dead letter with the reason."""
        position = RecordPosition(record.topic, record.partition, record.offset)
        continue_trace(record.headers)
        with bound_contextvars(record=str(position)):
            try:
                await self._deliver(_read(record))
            except (UndecodableError, MailRejectedError, PostponedError, ServerError) as error:
                reason = str(error)
                log.warning("dead letter", reason=reason)
            except Exception as error:
                reason = f"unexpected: {type(error).__name__}: {error}"
                log.exception("dead letter after an unexpected error")
            else:
                return
            await self._dead_letters.write(position, record.key, record.value, list(record.headers), reason)

    async def _deliver(self, event: Event[EmailDue]) -> None:
        kind = event.data.kind
        if self._server is None:
            log.warning("e-mail not sent: no mail server is set", event_id=event.id, email=kind)
            return
        message = self._builder.build(event)
        for tries, pause_seconds in enumerate(chain(PAUSE_SECONDS, repeat(PAUSE_SECONDS[-1])), start=1):
            try:
                await self._server.send(message)
            except ServerError as error:
                if now() - event.data.at > RETRY_PERIOD:
                    raise
                log.warning("mail server unavailable, retrying", tries=tries, reason=str(error))
            except PostponedError as error:
                if tries == TRIES_IF_POSTPONED:
                    raise
                log.info("mail server postponed the e-mail, retrying", tries=tries, reason=str(error))
            else:
                log.info("e-mail sent", event_id=event.id, email=kind, tries=tries)
                return
            raise_if_cancelled()
            await asyncio.sleep(pause_seconds)


def email_reader(
    connection: KafkaConnection, settings: LoginSettings, builder: EmailBuilder, dead_letters: DeadLetterWriter
) -> GroupReader:
    """Return the reader of the topic ``login.emails``, which sends the e-mails."""
    server = MailServer(settings) if settings.smtp_host else None
    topic = f"{settings.topic_prefix}{LOGIN_EMAILS.name}"
    group = f"{settings.topic_prefix}{own_group(LOGIN_EMAILS)}"
    handle = EmailSender(builder, server, dead_letters).handle
    return GroupReader(connection, topic, group, handle)


def _read(record: ConsumerRecord) -> Event[EmailDue]:
    event = decode(record.key, record.value, record.headers)
    if not isinstance(event.data, EmailDue):
        text = f"not an e-mail: {event.data.type}"
        raise UndecodableError(text)
    return Event(event.id, event.time, event.source, event.traceparent, event.data)
