"""Tails a topic's every partition without a consumer group: every instance sees everything."""

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
"""Few enough to be taken in within milliseconds: the event loop has other work."""
ASK_SECONDS: Final = 30.0
"""How often Kafka is asked what there is, once all was read that was there before."""
PAUSE_SECONDS: Final = 0.5
LAG_SECONDS: Final = 1.0
Apply = Callable[[Sequence[ConsumerRecord], int], None]
"""Takes records of one partition, in order, and how many partitions the topic has."""
Seek = Callable[[AIOKafkaConsumer], Awaitable[None]]
"""Moves a consumer to where reading begins."""


async def tail(  # noqa: PLR0913 - where to read, and whom to tell what
    bootstrap: str,
    topic: str,
    apply: Apply,
    *,
    seek: Seek,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_caught_up: Callable[[float], None] = lambda _asked_at: None,
    on_lag: Callable[[int], None] = lambda _records: None,
) -> None:
    """Read a topic, and go on reading until cancelled.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        topic: The topic's full name; it is waited for if it is not there yet.
        apply: Takes records of one partition, in order, and how many partitions the topic has.
        seek: Moves the consumer to where to begin.
        on_progress: Told how far reading has come, until all that was there at the start has been read.
        on_caught_up: Told a Unix time; all that Kafka had then has been read. The first time when all that was there at
            the start has been read, then every half a minute.
        on_lag: Told about once a second how many records have yet to be read, as far as Kafka has told.

    """
    consumer = await _start_consumer(bootstrap, topic)
    asking: asyncio.Task[_EndOffsets] | None = None
    try:
        await seek(consumer)
        goal: _EndOffsets | None = await _EndOffsets.now(consumer)
        tell = on_progress
        partitions = len(consumer.assignment())
        looks_at = 0.0
        while True:
            if goal is not None:
                progress = await goal.progress(consumer)
                tell(progress)
                if progress.complete:
                    on_caught_up(goal.asked_at)
                    goal, tell = None, lambda _progress: None
                    set_fetch_max_wait(consumer, TAIL_MILLISECONDS)
                    asking = asyncio.create_task(_ask_later(consumer))
            elif asking is not None and asking.done():
                goal = asking.result()
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=BATCH_RECORDS)).values():
                # The number only grows; while metadata is fetched, fewer may be assigned.
                partitions = max(partitions, len(consumer.assignment()))
                apply(records, partitions)
            if time.monotonic() >= looks_at:
                on_lag(await _lag(consumer))
                looks_at = time.monotonic() + LAG_SECONDS
    finally:
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        await consumer.stop()


async def _lag(consumer: AIOKafkaConsumer) -> int:
    """Return how many records a consumer has yet to give; partitions that Kafka has told nothing of count as read."""
    behind = 0
    for partition in consumer.assignment():
        with suppress(IllegalStateError):  # its topic was removed just now
            position = await consumer.position(partition)
            end = consumer.highwater(partition) if partition in consumer.assignment() else None
            behind += max(0, (end or 0) - position)
    return behind


def from_offsets(offsets: Mapping[int, int]) -> Seek:
    """Begin at the given offsets, in partitions that have none at the beginning."""

    async def seek(consumer: AIOKafkaConsumer) -> None:
        for partition in consumer.assignment():
            if partition.partition in offsets:
                consumer.seek(partition, offsets[partition.partition])

    return seek


def from_time(milliseconds: int) -> Seek:
    """Begin with the first record at or after a time, Unix time in milliseconds."""

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
    """What Kafka had at a time, and what of it had been read then: the offset of the next record, by partition."""

    asked_at: float
    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]

    @classmethod
    async def now(cls, consumer: AIOKafkaConsumer) -> Self:
        asked_at = time.time()
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        return cls(asked_at, {each: await consumer.position(each) for each in ends}, ends)

    async def progress(self, consumer: AIOKafkaConsumer) -> Progress:
        done = [
            min(await consumer.position(each), end) - min(self.begins[each], end) for each, end in self.ends.items()
        ]
        total = [end - min(self.begins[each], end) for each, end in self.ends.items()]
        return Progress(sum(done), sum(total))


async def _ask_later(consumer: AIOKafkaConsumer) -> _EndOffsets:
    """Ask Kafka after a while what there is, until it answers."""
    while True:
        await asyncio.sleep(ASK_SECONDS)
        try:
            return await _EndOffsets.now(consumer)
        except KafkaError as error:
            log.warning("kafka does not tell what there is, asking again", error=repr(error))


async def _start_consumer(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    """Return a consumer of all partitions of a topic, from the beginning; new partitions are taken up as they come."""
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
            log.warning("cannot read a topic yet, trying again", topic=topic, error=repr(error))
            await consumer.stop()
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return consumer
