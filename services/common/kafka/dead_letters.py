"""Dead letters: a record that a service could not use, whole, with the reason and its place in its headers."""

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
"""The headers that a dead letter has on top of its own."""


@dataclass(frozen=True, slots=True)
class RecordPosition:
    """Where a record is.

    Attributes:
        topic: Its topic's full name.
        partition: Its partition.
        offset: Its offset.

    """

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetterWriter:
    """The dead letters of one service instance.

    Attributes:
        publisher: Takes them.
        prefix: What stands before each topic's name.
        service: The service's name.
        metrics: Counts them, if given.

    """

    publisher: Publisher
    prefix: str
    service: str
    metrics: Metrics | None = None

    async def set_aside(
        self, place: RecordPosition, key: bytes | None, value: bytes | None, headers: Headers, reason: str
    ) -> None:
        """Publish a record to its topic's dead-letter topic, trying until Kafka has it."""
        topic = place.topic.removeprefix(self.prefix)
        added = [
            (REASON, reason[:MESSAGE_CHARACTERS].encode()),
            (SERVICE, self.service.encode()),
            (PARTITION, str(place.partition).encode()),
            (OFFSET, str(place.offset).encode()),
            (TIME, now().isoformat().encode()),
        ]
        await self.publisher.publish_until_acked(Record(f"{topic}.dlq", key, value, [*headers, *added]))
        if self.metrics is not None:
            self.metrics.dead_letters.labels(topic).inc()
