"""Tails all partitions of a topic without a consumer group, so that every instance reads every record."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from services.common.kafka.fetch_max_wait import REBALANCE_MILLISECONDS, TAIL_MILLISECONDS, set_fetch_max_wait
from services.common.progress import Progress

log = structlog.get_logger(__name__)
POLL_MILLISECONDS: Final = 1000
BATCH_RECORDS: Final = 500
"""Small enough to apply within milliseconds, since the event loop has other work."""
END_OFFSETS_SECONDS: Final = 30.0
"""Interval between requests for the end offsets, once the tail has caught up with the previous ones."""
PAUSE_SECONDS: Final = 0.5
LAG_SECONDS: Final = 1.0
Apply = Callable[[Sequence[ConsumerRecord], int], None]
"""Takes records of one partition, in order, and the topic's number of partitions."""
Seek = Callable[[AIOKafkaConsumer], Awaitable[None]]
"""Moves a consumer to its first offsets."""


async def tail(  # noqa: PLR0913 - the topic and one callback for each kind of news
    bootstrap: str,
    topic: str,
    apply: Apply,
    *,
    seek: Seek,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_caught_up: Callable[[float], None] = lambda _fetched_at: None,
    on_lag: Callable[[int], None] = lambda _records: None,
) -> None:
    """Read a topic until cancelled.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        topic: The topic's full name; if it is missing, the tail waits for it.
        apply: Takes records of one partition, in order, and the topic's number of partitions.
        seek: Moves the consumer to its first offsets.
        on_progress: Takes the progress of reading the records that Kafka had at the start.
        on_caught_up: Takes a Unix time in seconds: all records that Kafka had then are read. Called after the records
            that Kafka had at the start, then every half a minute.
        on_lag: Takes the number of unread records, about once a second.

    """
    consumer = await _start_consumer(bootstrap, topic)
    refresh: asyncio.Task[_EndOffsets] | None = None
    try:
        await seek(consumer)
        target: _EndOffsets | None = await _EndOffsets.fetch(consumer)
        report = on_progress
        partitions = len(consumer.assignment())
        next_lag_at = 0.0
        while True:
            if target is not None:
                progress = await target.progress(consumer)
                report(progress)
                if progress.complete:
                    on_caught_up(target.fetched_at)
                    target, report = None, lambda _progress: None
                    set_fetch_max_wait(consumer, TAIL_MILLISECONDS)
                    refresh = asyncio.create_task(_refresh_end_offsets(consumer))
            elif refresh is not None and refresh.done():
                target = refresh.result()
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=BATCH_RECORDS)).values():
                # The number only grows, but during a metadata fetch fewer partitions may be assigned.
                partitions = max(partitions, len(consumer.assignment()))
                apply(records, partitions)
            if time.monotonic() >= next_lag_at:
                on_lag(await _lag(consumer))
                next_lag_at = time.monotonic() + LAG_SECONDS
    finally:
        if refresh is not None:
            refresh.cancel()
            await asyncio.gather(refresh, return_exceptions=True)
        await consumer.stop()


async def _lag(consumer: AIOKafkaConsumer) -> int:
    """Return the number of unread records; a partition whose high watermark is unknown counts as read."""
    lag = 0
    for partition in consumer.assignment():
        with suppress(IllegalStateError):  # the topic was deleted in between
            position = await consumer.position(partition)
            end = consumer.highwater(partition) if partition in consumer.assignment() else None
            lag += max(0, (end or 0) - position)
    return lag


def from_offsets(offsets: Mapping[int, int]) -> Seek:
    """Start at the given offsets, by partition; other partitions start at their beginning."""

    async def seek(consumer: AIOKafkaConsumer) -> None:
        for partition in consumer.assignment():
            if partition.partition in offsets:
                consumer.seek(partition, offsets[partition.partition])

    return seek


def from_time(milliseconds: int) -> Seek:
    """Start with the first record at or after a Unix time in milliseconds."""

    async def seek(consumer: AIOKafkaConsumer) -> None:
        partitions = sorted(consumer.assignment())
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds))
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            offset = found.get(partition)
            consumer.seek(partition, ends[partition] if offset is None else offset.offset)

    return seek


@dataclass(frozen=True, slots=True)
class _EndOffsets:
    """The end offset of each partition at a Unix time, and the consumer's position at that time."""

    fetched_at: float
    positions: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]

    @classmethod
    async def fetch(cls, consumer: AIOKafkaConsumer) -> Self:
        fetched_at = time.time()
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        return cls(fetched_at, {each: await consumer.position(each) for each in ends}, ends)

    async def progress(self, consumer: AIOKafkaConsumer) -> Progress:
        starts = {each: min(self.positions[each], end) for each, end in self.ends.items()}
        done = [min(await consumer.position(each), end) - starts[each] for each, end in self.ends.items()]
        return Progress(sum(done), sum(end - starts[each] for each, end in self.ends.items()))


async def _refresh_end_offsets(consumer: AIOKafkaConsumer) -> _EndOffsets:
    """Fetch the end offsets after the interval, retrying until Kafka responds."""
    while True:
        await asyncio.sleep(END_OFFSETS_SECONDS)
        try:
            return await _EndOffsets.fetch(consumer)
        except KafkaError as error:
            log.warning("cannot read end offsets from kafka, retrying", error=repr(error))


async def _start_consumer(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    """Return a consumer of all partitions of a topic from their beginning; it picks up new partitions."""
    while True:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=REBALANCE_MILLISECONDS,
        )
        try:
            await consumer.start()
        except KafkaError as error:
            log.warning("cannot read a topic, retrying", topic=topic, error=repr(error))
            await consumer.stop()
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return consumer
