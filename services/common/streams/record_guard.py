"""Guards the agents against poison messages, and serialises the records of a key.

A record that cannot be decoded, or whose decision fails, goes to its topic's dead-letter topic with the reason in its
headers, and the agent continues. Repeated unexpected errors turn readiness red.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import structlog
from faust.types import EventT
from opentelemetry.trace import SpanKind
from structlog.contextvars import bound_contextvars

from schemas.base import Message
from schemas.codec import Event, Headers, UndecodableError, decode
from schemas.topics import Topic
from services.common.decisions import UnacceptableError
from services.common.kafka.dead_letters import DeadLetterWriter, RecordPosition
from services.common.streams.row_table import StorageError
from services.common.telemetry.telemetry import Telemetry
from services.common.telemetry.tracing import continue_trace, messaging_span

log = structlog.get_logger(__name__)
LOCKS: Final = 256
ERRORS_UNTIL_RED: Final = 3


def headers_of(record: EventT[Any]) -> Headers:
    """Return a record's headers."""
    headers = record.message.headers or ()
    return list(headers.items() if isinstance(headers, Mapping) else headers)


class RecordGuard:
    """Guards the agents of one service instance.

    Attributes:
        failures: The number of consecutive unexpected errors.

    """

    def __init__(
        self, dead_letters: DeadLetterWriter, prefix: str, service: str, consumes: Iterable[Topic], telemetry: Telemetry
    ) -> None:
        """Prepare the guard.

        Args:
            dead_letters: Publishes the dead letters.
            prefix: The topics' prefix.
            service: The service's name.
            consumes: The topics whose records must be processed or dead-lettered.
            telemetry: The instance's metrics and traces.

        """
        self._dead_letters = dead_letters
        self._telemetry = telemetry
        self._prefix = prefix
        self._group = f"{prefix}{service}"
        # Prometheus sees no increase in a counter that appears with its first event, so these start at 0.
        for topic in consumes:
            telemetry.metrics.dead_letters.labels(topic.name)
            telemetry.metrics.unexpected_errors.labels(topic.name)
        self._locks = tuple(asyncio.Lock() for _ in range(LOCKS))
        self.failures = 0

    @property
    def healthy(self) -> bool:
        """False once unexpected errors repeat."""
        return self.failures < ERRORS_UNTIL_RED

    @asynccontextmanager
    async def protect(self, record: EventT[Any]) -> AsyncIterator[None]:
        """Hold the key's lock while a record is handled; dead-letter the record if that fails.

        Agents of several topics change one row; the lock makes load, decide and save atomic.
        """
        message = record.message
        continue_trace(headers_of(record))
        async with self._locks[hash(message.key) % LOCKS]:
            with bound_contextvars(record=str(_position(record))):
                try:
                    yield
                except StorageError:
                    # No dead letter: no offset is committed from now on, so Kafka redelivers the event.
                    raise
                except (UndecodableError, UnacceptableError) as error:
                    log.warning("dead letter", reason=str(error))
                    await self._write_dead_letter(record, str(error))
                except Exception as error:
                    self.failures += 1
                    self._telemetry.metrics.unexpected_errors.labels(self._topic(record)).inc()
                    log.exception("dead letter after an unexpected error")
                    await self._write_dead_letter(record, f"unexpected: {type(error).__name__}: {error}")
                else:
                    self.failures = 0

    @contextmanager
    def decoded(self, record: EventT[Any]) -> Iterator[Event[Message]]:
        """Decode a record, with a span for its handling.

        Raises:
            UndecodableError: If it is not a known message.

        """
        message = record.message
        event = decode(message.key, message.value, headers_of(record))
        attributes: dict[str, str | int] = {
            "messaging.consumer.group.name": self._group,
            "messaging.destination.partition.id": str(message.partition),
            "messaging.kafka.offset": message.offset,
            "countersign.event.type": event.data.type,
        }
        tracer = self._telemetry.tracer
        with messaging_span(tracer, SpanKind.CONSUMER, self._topic(record), event.id, attributes):
            yield event

    def _topic(self, record: EventT[Any]) -> str:
        return record.message.topic.removeprefix(self._prefix)

    async def _write_dead_letter(self, record: EventT[Any], reason: str) -> None:
        message = record.message
        await self._dead_letters.write(_position(record), message.key, message.value, headers_of(record), reason)


def _position(record: EventT[Any]) -> RecordPosition:
    message = record.message
    return RecordPosition(message.topic, message.partition, message.offset)
