"""Tails a topic's every partition without a consumer group: every instance sees everything."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

log = structlog.get_logger(__name__)
Record = ConsumerRecord[bytes, bytes]
POLL_MILLISECONDS: Final = 1000
BATCH_RECORDS: Final = 2000
MISSING_PAUSE_SECONDS: Final = 0.5


async def tail(
    bootstrap: str,
    topic: str,
    apply: Callable[[Record], None],
    *,
    on_caught_up: Callable[[], None],
    since_milliseconds: int | None = None,
) -> None:
    """Read a topic from its beginning, or from a time on, and go on reading until cancelled.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        topic: The topic's full name; it is waited for if it is not there yet.
        apply: Takes each record, in order within its partition.
        on_caught_up: Called once, when all that was there at the start has been read.
        since_milliseconds: Unix time in milliseconds to start from; None is the beginning.

    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = await _partitions(consumer, topic)
        consumer.assign(partitions)
        await _seek(consumer, partitions, since_milliseconds)
        missing = await consumer.end_offsets(partitions)
        while True:
            if missing:
                missing = {each: end for each, end in missing.items() if await consumer.position(each) < end}
                if not missing:
                    on_caught_up()
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=BATCH_RECORDS)).values():
                for record in records:
                    apply(record)
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    while True:
        try:
            await consumer.topics()
            numbers = consumer.partitions_for_topic(topic)
        except KafkaError as error:
            log.warning("kafka does not tell its topics, asking again", error=repr(error))
            numbers = None
        if numbers:
            return [TopicPartition(topic, number) for number in sorted(numbers)]
        await asyncio.sleep(MISSING_PAUSE_SECONDS)


async def _seek(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], since_milliseconds: int | None) -> None:
    if since_milliseconds is None:
        await consumer.seek_to_beginning(*partitions)
        return
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_milliseconds))
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        offset = found.get(partition)
        consumer.seek(partition, ends[partition] if offset is None else offset.offset)
