"""Publishes events; a call returns once all in-sync replicas have acknowledged the record."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from opentelemetry.trace import SpanKind, Tracer

from schemas.base import Command, Message
from schemas.codec import Event, Headers, Record, encode
from services.common.clock import new_id, now
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.silent_brokers import REQUEST_MILLISECONDS, avoid_silent_brokers
from services.common.telemetry.tracing import NO_SPANS, current_traceparent, messaging_span

log = structlog.get_logger(__name__)
COMMAND_SECONDS: Final = 4.0
"""Maximum time for Kafka to acknowledge a command."""


class NotAcknowledgedError(Exception):
    """Kafka did not acknowledge a record, so it is unknown whether the log has it.

    The producer has used up the record's sequence number, and Kafka refuses what comes after. The instance must end;
    what it had not finished comes again.
    """


class UnavailableError(Exception):
    """Kafka did not acknowledge the event in time."""


class Producer(Protocol):
    """Sends records; aiokafka's producer is of this shape."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Send the pending records and disconnect."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        *,
        headers: Headers,
    ) -> "asyncio.Future[object]":
        """Take a record. The future ends once all in-sync replicas have it; records keep their order.

        Raises:
            KafkaError: Itself or in the future, if Kafka did not acknowledge it.

        """


class Publisher:
    """Publishes the messages of a service instance with two producers.

    The rows and messages of a decision must reach Kafka, once and in order: their producer is idempotent, and retries
    for ever. Only where a partition has no leader for 40 s it gives a record up. The record's place in that order is
    used up then, so the instance ends (`NotAcknowledgedError`), and the event comes again. A command must not wait as
    long: the page has reported a failure by then, and the user does not expect the command to take effect minutes
    later. So the commands' producer drops what Kafka does not acknowledge in time. It may send a command twice; that is
    harmless, because the row remembers the event's id (docs/adr/0008-commands-expire.md).
    """

    def __init__(
        self,
        connection: KafkaConnection,
        prefix: str,
        source: str,
        tracer: Tracer = NO_SPANS,
        kafka_available: Callable[[], bool] = lambda: True,
    ) -> None:
        """Prepare the publisher; `start` connects.

        Args:
            connection: How to reach Kafka.
            prefix: The topics' prefix in this deployment.
            source: This service's name, the first part of its events' CloudEvents source.
            tracer: Starts a span for each event; default none.
            kafka_available: Whether Kafka accepts writes; commands fail at once while it does not.

        """
        self._prefix = prefix
        self._source = source
        self._tracer = tracer
        self._kafka_available = kafka_available
        self._connection = connection
        self._decided: Producer | None = None
        self._commands: Producer | None = None

    async def start(self) -> None:
        """Connect."""
        self._decided = await self._start_producer("decided", enable_idempotence=True)
        self._commands = await self._start_producer("commands", request_timeout_ms=int(COMMAND_SECONDS * 1000))

    async def stop(self) -> None:
        """Send the pending records and disconnect."""
        producers, self._decided, self._commands = (self._decided, self._commands), None, None
        for producer in producers:
            if producer is not None:
                await producer.stop()

    async def _start_producer(self, name: str, **options: object) -> Producer:
        producer = self._connection.producer(
            acks="all",
            linger_ms=0,
            client_id=f"{self._source}-{name}",
            metadata_max_age_ms=60_000,
            **options,
        )
        # A broker that stands still answers nothing; the records go to the next leader, in the same order, once.
        producer.client._request_timeout_ms = REQUEST_MILLISECONDS  # noqa: SLF001 - aiokafka's one setting ends batches as well
        avoid_silent_brokers(producer.client)
        try:
            await self._connection.start(producer)
        except BaseException:
            await producer.stop()
            raise
        started: Producer = producer
        return started

    async def publish_command(self, message: Message, event_id: str | None = None) -> str:
        """Publish a command of the web side, or another message from outside.

        Args:
            message: The message.
            event_id: The event's id; default a new one.

        Returns:
            The event's id; the row holds the outcome under this id.

        Raises:
            UnavailableError: If Kafka does not acknowledge it in time.

        """
        if not self._kafka_available():
            raise UnavailableError
        event_id = event_id or new_id()
        with messaging_span(self._tracer, SpanKind.PRODUCER, message.topic.name, event_id):
            at = message.at if isinstance(message, Command) else now()
            event = Event(event_id, at, f"{self._source}/web", current_traceparent(), message)
            try:
                # The producer itself gives up; the extra second covers its own timer.
                async with asyncio.timeout(COMMAND_SECONDS + 1):
                    await (await self._send(self._commands, encode(event)))
            except (KafkaError, TimeoutError) as error:
                raise UnavailableError from error
        return event_id

    async def publish_outputs(self, cause: Event[Message], source: str, messages: Iterable[Message]) -> None:
        """Publish a decision's messages under ids derived from the event's id, and wait until Kafka has them.

        Args:
            cause: The event that was decided.
            source: The CloudEvents source: the table whose owner decided the event, or the relay that forwards it.
            messages: The messages, in order.

        Raises:
            NotAcknowledgedError: If Kafka does not acknowledge them in the producer's time.

        """
        acknowledged = []
        for index, message in enumerate(messages):
            event_id = f"{cause.id}.{index}"
            # With the trace of the cause, and not of this span: a repeated decision publishes the same (docs/adr/0003).
            event = Event(event_id, cause.time, source, cause.traceparent, message)
            with messaging_span(self._tracer, SpanKind.PRODUCER, message.topic.name, event_id), _acknowledged():
                acknowledged.append(await self._send(self._decided, encode(event)))
        for each in acknowledged:
            with _acknowledged():
                await each

    async def publish_until_acked(self, record: Record) -> None:
        """Publish a record and wait until Kafka acknowledges it.

        Raises:
            MessageSizeTooLargeError: If Kafka does not take a record of this size.
            NotAcknowledgedError: If Kafka does not acknowledge it in the producer's time.

        """
        with _acknowledged():
            await (await self._send(self._decided, record))

    async def append(self, topic: str, partition: int, key: bytes, value: bytes | None, headers: Headers) -> None:
        """Append a record to a partition and wait until Kafka acknowledges it.

        Args:
            topic: The topic's full name.
            partition: The partition.
            key: The record's key.
            value: The record's value; None for a tombstone.
            headers: The record's headers.

        Raises:
            MessageSizeTooLargeError: If Kafka does not take a record of this size.
            NotAcknowledgedError: If Kafka does not acknowledge it in the producer's time.

        """
        producer = _require(self._decided)
        with _acknowledged():
            await (await producer.send(topic, key=key, value=value, partition=partition, headers=headers))

    async def _send(self, producer: Producer | None, record: Record) -> "asyncio.Future[object]":
        topic = f"{self._prefix}{record.topic}"
        return await _require(producer).send(topic, key=record.key, value=record.value, headers=record.headers)


def _require(producer: Producer | None) -> Producer:
    if producer is None:
        raise UnavailableError
    return producer


@contextmanager
def _acknowledged() -> Iterator[None]:
    """Turn the errors of a producer that has given a record up into the one that ends the instance."""
    try:
        yield
    except MessageSizeTooLargeError:
        raise
    except KafkaError as error:
        raise NotAcknowledgedError(repr(error)) from error
