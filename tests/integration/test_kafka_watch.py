"""The watch notices that Kafka rejects writes while one of three brokers still responds, and that it recovers."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.local.kafka.embedded import EmbeddedKafka
from operations.deployment import ALL
from operations.topics import apply_topics
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.partitions import PartitionsError
from services.common.kafka.topic_watch import TopicRequirements
from tests.broker import PARTITIONS
from tests.polling import eventually


@pytest.fixture
def three_brokers(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """Provide a running Kafka of three brokers."""
    embedded = EmbeddedKafka(tmp_path, brokers=3)
    embedded.start()
    yield embedded
    embedded.kill()


async def test_two_lost_brokers_of_three_are_noticed_and_their_return_too(three_brokers: EmbeddedKafka) -> None:
    await apply_topics(KafkaConnection(three_brokers.bootstrap), "", partitions=1, replication=3)
    watch = KafkaWatch(KafkaConnection(three_brokers.bootstrap), TopicRequirements(ALL, replication=3))
    await watch.wait_for_topics()
    looking = asyncio.create_task(watch.run())
    await eventually(lambda: watch.available)
    first, second, _ = three_brokers.brokers
    await asyncio.to_thread(first.kill)
    await asyncio.to_thread(second.kill)
    await eventually(lambda: not watch.available)
    await eventually(lambda: watch.reason == ": 1 of 3 brokers do, too few to keep records", watch.reason)
    for broker in (first, second):
        broker.begin()
    await eventually(lambda: watch.available)
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    await watch.stop()


async def test_another_number_of_partitions_ends_the_watch(kafka: str, topics: str) -> None:
    watch = KafkaWatch(KafkaConnection(kafka), TopicRequirements(ALL, topics, PARTITIONS + 1))
    with pytest.raises(PartitionsError, match=f"this instance is set to {PARTITIONS + 1}"):
        await watch.wait_for_topics()
    await watch.stop()
