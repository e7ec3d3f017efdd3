"""Guards the processors against poison messages.

A record that cannot be decoded, or whose decision fails, goes to its topic's dead-letter topic with the reason in its
headers, and the processor continues. Repeated unexpected errors turn readiness red.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog
from opentelemetry.trace import SpanKind
from structlog.contextvars import bound_contextvars

from schemas.base import Message
from schemas.codec import Event, UndecodableError, decode
from schemas.topics import Topic
from services.common.decisions import UnacceptableError
from services.common.kafka.dead_letters import DeadLetterWriter, RecordPosition
from services.common.kafka.membership import SourceRecord
from services.common.kafka.publisher import NotAcknowledgedError
from services.common.streams.owner import FencedError
from services.common.telemetry.telemetry import Telemetry
from services.common.telemetry.tracing import continue_trace, messaging_span

log = structlog.get_logger(__name__)
ERRORS_UNTIL_RED: Final = 3


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
        self.failures = 0

    @property
    def healthy(self) -> bool:
        """False once unexpected errors repeat."""
        return self.failures < ERRORS_UNTIL_RED

    @asynccontextmanager
    async def protect(self, record: SourceRecord) -> AsyncIterator[None]:
        """Dead-letter a record if its handling fails."""
        continue_trace(record.headers)
        with bound_contextvars(record=str(_position(record))):
            try:
                yield
            except (FencedError, NotAcknowledgedError):
                # No dead letter: the record is not done, so it comes again, here or at another instance.
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
    def decoded(self, record: SourceRecord) -> Iterator[Event[Message]]:
        """Decode a record, with a span for its handling.

        Raises:
            UndecodableError: If it is not a known message.

        """
        event = decode(record.key, record.value, record.headers, record.timestamp)
        attributes: dict[str, str | int] = {
            "messaging.consumer.group.name": self._group,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
            "countersign.event.type": event.data.type,
        }
        tracer = self._telemetry.tracer
        with messaging_span(tracer, SpanKind.CONSUMER, self._topic(record), event.id, attributes):
            yield event

    def _topic(self, record: SourceRecord) -> str:
        return record.topic.removeprefix(self._prefix)

    async def _write_dead_letter(self, record: SourceRecord, reason: str) -> None:
        await self._dead_letters.write(_position(record), record.key, record.value, list(record.headers), reason)


def _position(record: SourceRecord) -> RecordPosition:
    return RecordPosition(record.topic, record.partition, record.offset)
