"""Dead letters: poison messages, published whole with the reason and their position in the headers."""

from dataclasses import dataclass
from typing import Final

from schemas.codec import Headers, Record
from services.common.clock import now
from services.common.kafka.publisher import Publisher
from services.common.telemetry.metrics import Metrics

MESSAGE_CHARACTERS: Final = 500
REASON: Final = "dlq_reason"
SERVICE: Final = "dlq_service"
PARTITION: Final = "dlq_partition"
OFFSET: Final = "dlq_offset"
TIME: Final = "dlq_time"
ADDED: Final = frozenset({REASON, SERVICE, PARTITION, OFFSET, TIME})
"""The headers that a dead letter adds to the record's own."""


@dataclass(frozen=True, slots=True)
class RecordPosition:
    """The position of a record; `topic` is the full name."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetterWriter:
    """Publishes the dead letters of one service instance.

    Attributes:
        publisher: The publisher.
        prefix: The topics' prefix.
        service: The service's name.
        metrics: Counts the dead letters, if given.

    """

    publisher: Publisher
    prefix: str
    service: str
    metrics: Metrics | None = None

    async def write(
        self, position: RecordPosition, key: bytes | None, value: bytes | None, headers: Headers, reason: str
    ) -> None:
        """Publish a record to its topic's dead-letter topic, retrying until Kafka has acknowledged it."""
        topic = position.topic.removeprefix(self.prefix)
        added = [
            (REASON, reason[:MESSAGE_CHARACTERS].encode()),
            (SERVICE, self.service.encode()),
            (PARTITION, str(position.partition).encode()),
            (OFFSET, str(position.offset).encode()),
            (TIME, now().isoformat().encode()),
        ]
        await self.publisher.publish_until_acked(Record(f"{topic}.dlq", key, value, [*headers, *added]))
        if self.metrics is not None:
            self.metrics.dead_letters.labels(topic).inc()
