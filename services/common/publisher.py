"""Publishes events and returns once Kafka has them on all in-sync replicas."""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.base import Message
from schemas.codec import Event, Record, encode
from services.common.clock import new_id, now
from services.common.tracing import current_traceparent

log = structlog.get_logger(__name__)
RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between tries while Kafka is away; the last one repeats."""


class UnavailableError(Exception):
    """Kafka did not take the event in time."""


class Publisher:
    """One idempotent producer for all that a service instance publishes."""

    def __init__(self, bootstrap: str, prefix: str, source: str, timeout_seconds: float = 4.0) -> None:
        """Prepare it.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            prefix: What stands before each topic's name in this deployment.
            source: This service's name, the first part of its events' CloudEvents source.
            timeout_seconds: How long a command of the web side may take to reach Kafka.

        """
        self._prefix = prefix
        self._source = source
        self._timeout_seconds = timeout_seconds
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            client_id=f"{self._source}-publisher",
            metadata_max_age_ms=60_000,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is pending, and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def command(self, message: Message) -> str:
        """Publish a command of the web side.

        Returns:
            The event's id, by which its outcome is found in the row.

        Raises:
            UnavailableError: If Kafka does not take it in time.

        """
        event = Event(new_id(), now(), f"{self._source}/web", current_traceparent(), message)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._send(encode(event))
        except (KafkaError, TimeoutError) as error:
            raise UnavailableError from error
        return event.id

    async def decided(self, cause: Event[Message], table: str, messages: Iterable[Message]) -> None:
        """Publish what a decision leads to, under ids that the cause gives; try until Kafka has it.

        Args:
            cause: The event that was decided.
            table: The table whose owner decided it.
            messages: What to publish, in order.

        """
        for index, message in enumerate(messages):
            source = f"{self._source}/{table}"
            event = Event(f"{cause.id}.{index}", cause.time, source, cause.traceparent, message)
            await self.surely(encode(event))

    async def surely(self, record: Record) -> None:
        """Publish a record, trying until Kafka has it."""
        attempt = 0
        while True:
            try:
                await self._send(record)
            except MessageSizeTooLargeError:
                raise
            except KafkaError as error:
                pause = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
                log.warning("kafka does not take a record, trying again", topic=record.topic, error=repr(error))
                attempt += 1
                await asyncio.sleep(pause)
            else:
                return

    async def ping(self) -> None:
        """Ask Kafka for its metadata.

        Raises:
            KafkaError: If it does not answer.
            UnavailableError: If this producer has not been started.

        """
        await self._ready().client.fetch_all_metadata()

    async def _send(self, record: Record) -> None:
        topic = f"{self._prefix}{record.topic}"
        await self._ready().send_and_wait(topic, key=record.key, value=record.value, headers=record.headers)

    def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise UnavailableError
        return self._producer
