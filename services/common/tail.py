"""Tails a topic's every partition without a consumer group: every instance sees everything."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from services.common.partitions import is_astray

log = structlog.get_logger(__name__)
POLL_MILLISECONDS: Final = 1000
BATCH_RECORDS: Final = 2000
PAUSE_SECONDS: Final = 0.5
LAG_SECONDS: Final = 1.0


async def tail(  # noqa: PLR0913 - what to read, and who hears of it
    bootstrap: str,
    topic: str,
    apply: Callable[[ConsumerRecord], None],
    *,
    on_caught_up: Callable[[], None],
    on_lag: Callable[[int], None] = lambda _records: None,
    since_milliseconds: int | None = None,
    skip_astray: bool = False,
) -> None:
    """Read a topic from its beginning, or from a time on, and go on reading until cancelled.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        topic: The topic's full name; it is waited for if it is not there yet.
        apply: Takes each record, in order within its partition.
        on_caught_up: Called once, when all that was there at the start has been read.
        on_lag: Called about once a second with how many records have yet to be read, as far as Kafka has told.
        since_milliseconds: Unix time in milliseconds to start from; None is the beginning.
        skip_astray: Leave aside records that lie in another partition than their key's: what a repartition moved away.

    """
    consumer = await _start_consumer(bootstrap, topic)
    try:
        partitions = sorted(consumer.assignment())
        if since_milliseconds is not None:
            await _seek(consumer, partitions, since_milliseconds)
        missing = await consumer.end_offsets(partitions)
        count = len(partitions)
        caught_up = False
        looks_at = 0.0
        while True:
            if not caught_up:
                missing = {each: end for each, end in missing.items() if await consumer.position(each) < end}
                caught_up = not missing
                if caught_up:
                    on_caught_up()
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=BATCH_RECORDS)).values():
                # The number only grows; while metadata is fetched, fewer may be assigned.
                count = max(count, len(consumer.assignment()))
                for record in records:
                    if not (skip_astray and is_astray(record.key, record.partition, count)):
                        apply(record)
            if time.monotonic() >= looks_at:
                on_lag(await _lag(consumer))
                looks_at = time.monotonic() + LAG_SECONDS
    finally:
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


async def _start_consumer(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    """Return a consumer of all partitions of a topic, from the beginning; new partitions are taken up as they come."""
    while True:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
        except KafkaError as error:
            log.warning("cannot read a topic yet, trying again", topic=topic, error=repr(error))
            await consumer.stop()
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return consumer


async def _seek(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], since_milliseconds: int) -> None:
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_milliseconds))
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        offset = found.get(partition)
        consumer.seek(partition, ends[partition] if offset is None else offset.offset)
