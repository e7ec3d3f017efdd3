"""A consumer group for slow work: each record goes to one instance, in order.

A rebalance of the processors' group waits for the events in progress, and all decisions wait with it. Slow work, for
example with a mail server that is down, may take minutes. So it has its own consumer group, which delays no decision.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.common.cancellation import raise_if_cancelled
from services.common.kafka.connection import KafkaConnection

log = structlog.get_logger(__name__)
PAUSE_SECONDS: Final = 1.0
LONGEST_WORK_SECONDS: Final = 60 * 60
"""Maximum time for one record; after it, Kafka gives the partition to another instance."""


class GroupReader:
    """Handles the records of one topic, shared with the other instances."""

    def __init__(
        self, connection: KafkaConnection, topic: str, group: str, handle: Callable[[ConsumerRecord], Awaitable[None]]
    ) -> None:
        """Prepare the reader; `run` connects.

        Args:
            connection: How to reach Kafka.
            topic: The topic's full name.
            group: The consumer group's full name.
            handle: Handles a record and raises nothing. A record is redelivered after a crash or a cancellation.

        """
        self._connection = connection
        self._topic = topic
        self._group = group
        self._handle = handle
        self._consumer: AIOKafkaConsumer | None = None
        self._handled: dict[TopicPartition, int] = {}

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return the number of unhandled records by topic and partition of this instance.

        A partition without a fetched record is omitted.
        """
        if self._consumer is None:
            return {}
        own = self._consumer.assignment() & self._handled.keys()
        ends = {each: self._consumer.highwater(each) or 0 for each in own}
        return {(each.topic, each.partition): max(0, end - self._handled[each]) for each, end in ends.items()}

    async def run(self) -> None:
        """Read until cancelled; retry while Kafka is away."""
        while True:
            consumer = self._connection.consumer(
                self._topic,
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_interval_ms=LONGEST_WORK_SECONDS * 1000,
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except KafkaError as error:
                log.warning("cannot read a topic, retrying", topic=self._topic, error=repr(error))
            finally:
                self._consumer = None
                await consumer.stop()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        async for record in consumer:
            partition = TopicPartition(record.topic, record.partition)
            self._handled[partition] = record.offset
            await self._handle(record)
            self._handled[partition] = record.offset + 1
            if partition in consumer.assignment():
                await consumer.commit({partition: record.offset + 1})
            raise_if_cancelled()
