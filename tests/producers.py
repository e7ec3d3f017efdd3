"""A producer that keeps what it is given instead of sending it."""

import asyncio
from dataclasses import dataclass, field

from schemas.codec import Headers
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.publisher import Producer, Publisher


@dataclass
class KeepingProducer:
    """Takes records, and acknowledges them when the test says so.

    Attributes:
        sent: The topics, partitions, keys and values of the records, in order.
        acknowledged: Of each record, what its sender waits for.
        error: Raised instead of taking a record, if given.
        at_once: True if each record is acknowledged as it is taken.

    """

    sent: list[tuple[str, int | None, bytes | None, bytes | None]] = field(default_factory=list)
    acknowledged: list[asyncio.Future[object]] = field(default_factory=list)
    error: Exception | None = None
    at_once: bool = True

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Disconnect."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        *,
        headers: Headers,
    ) -> asyncio.Future[object]:
        """Take a record."""
        del headers
        if self.error is not None:
            raise self.error
        self.sent.append((topic, partition, key, value))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if self.at_once:
            future.set_result(None)
        self.acknowledged.append(future)
        return future


class KeepingPublisher(Publisher):
    """A publisher whose producers keep what it publishes.

    Attributes:
        producer: The producer for all.

    """

    def __init__(self, *, kafka_available: bool = True) -> None:
        super().__init__(
            KafkaConnection("kafka.invalid:9092"), "test.", "login", kafka_available=lambda: kafka_available
        )
        self.producer = KeepingProducer()

    async def _start_producer(self, name: str, **options: object) -> Producer:
        del name, options
        return self.producer
