"""Publishes events; a call returns once all in-sync replicas have acknowledged the record."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from opentelemetry.trace import SpanKind, Tracer

from schemas.base import Command, Message
from schemas.codec import Event, Record, encode
from services.common.clock import new_id, now
from services.common.telemetry.tracing import NO_SPANS, current_traceparent, messaging_span

log = structlog.get_logger(__name__)
COMMAND_SECONDS: Final = 4.0
"""Maximum time for Kafka to acknowledge a command."""
RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between retries while Kafka is away; the last one repeats."""


class UnavailableError(Exception):
    """Kafka did not acknowledge the event in time."""


def unreachable_text(bootstrap: str) -> str:
    """Return the error message for a Kafka that cannot be reached at a ``host:port`` list."""
    return f"Kafka cannot be reached at {bootstrap}. Is it running? (--kafka HOST:PORT names another one.)"


class Publisher:
    """Publishes the messages of a service instance with two producers.

    The messages of a decision must reach Kafka, once and in order, however long that takes: their producer is
    idempotent and retries forever. A command must not: the page has reported a failure by then, and the user does not
    expect the command to take effect minutes later. So the commands' producer drops what Kafka does not acknowledge in
    time. It may send a command twice; that is harmless, because the row remembers the event's id
    (docs/adr/0008-commands-expire.md).
    """

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        source: str,
        tracer: Tracer = NO_SPANS,
        kafka_available: Callable[[], bool] = lambda: True,
    ) -> None:
        """Prepare the publisher; `start` connects.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            prefix: The topics' prefix in this deployment.
            source: This service's name, the first part of its events' CloudEvents source.
            tracer: Starts a span for each event; default none.
            kafka_available: Whether Kafka accepts writes; commands fail at once while it does not.

        """
        self._prefix = prefix
        self._source = source
        self._tracer = tracer
        self._kafka_available = kafka_available
        self._bootstrap = bootstrap
        self._decided: AIOKafkaProducer | None = None
        self._commands: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect."""
        self._decided = await self._start_producer("decided", enable_idempotence=True)
        self._commands = await self._start_producer("commands", request_timeout_ms=int(COMMAND_SECONDS * 1000))

    async def stop(self) -> None:
        """Send the pending records and disconnect."""
        for producer in (self._decided, self._commands):
            if producer is not None:
                await producer.stop()

    async def _start_producer(self, name: str, **options: object) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            linger_ms=0,
            client_id=f"{self._source}-{name}",
            metadata_max_age_ms=60_000,
            **options,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def publish_command(self, message: Message) -> str:
        """Publish a command of the web side.

        Returns:
            The event's id; the row holds the outcome under this id.

        Raises:
            UnavailableError: If Kafka does not acknowledge it in time.

        """
        if not self._kafka_available():
            raise UnavailableError
        event_id = new_id()
        with messaging_span(self._tracer, SpanKind.PRODUCER, message.topic.name, event_id):
            at = message.at if isinstance(message, Command) else now()
            event = Event(event_id, at, f"{self._source}/web", current_traceparent(), message)
            try:
                # The producer itself gives up; the extra second covers its own timer.
                async with asyncio.timeout(COMMAND_SECONDS + 1):
                    await self._send(self._commands, encode(event))
            except (KafkaError, TimeoutError) as error:
                raise UnavailableError from error
        return event_id

    async def publish_outputs(self, cause: Event[Message], source: str, messages: Iterable[Message]) -> None:
        """Publish a decision's messages under ids derived from the event's id; retry until Kafka acknowledges them.

        Args:
            cause: The event that was decided.
            source: The CloudEvents source: the table whose owner decided the event, or the relay that forwards it.
            messages: The messages, in order.

        """
        for index, message in enumerate(messages):
            event_id = f"{cause.id}.{index}"
            # With the trace of the cause, and not of this span: a repeated decision publishes the same (docs/adr/0003).
            event = Event(event_id, cause.time, source, cause.traceparent, message)
            with messaging_span(self._tracer, SpanKind.PRODUCER, message.topic.name, event_id):
                await self.publish_until_acked(encode(event))

    async def publish_until_acked(self, record: Record) -> None:
        """Publish a record, retrying until Kafka acknowledges it."""
        attempt = 0
        while True:
            try:
                await self._send(self._decided, record)
            except MessageSizeTooLargeError:
                raise
            except KafkaError as error:
                pause = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
                log.warning("kafka does not accept a record, retrying", topic=record.topic, error=repr(error))
                attempt += 1
                await asyncio.sleep(pause)
            else:
                return

    async def partition_counts(self) -> dict[str, int]:
        """Return the number of partitions of each topic in Kafka.

        Raises:
            KafkaError: If Kafka does not respond.

        """
        if self._decided is None:
            raise UnavailableError
        cluster = await self._decided.client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}

    async def _send(self, producer: AIOKafkaProducer | None, record: Record) -> None:
        if producer is None:
            raise UnavailableError
        topic = f"{self._prefix}{record.topic}"
        await producer.send_and_wait(topic, key=record.key, value=record.value, headers=record.headers)
