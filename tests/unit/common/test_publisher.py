"""Commands fail while Kafka is away; the messages of decisions wait for it."""

import pytest
from aiokafka import AIOKafkaProducer

from schemas.codec import Record
from services.common.kafka.publisher import Publisher, UnavailableError
from tests.builders import an_event
from tests.events import an_issued_challenge
from tests.messages import a_cancel


class Sent(Publisher):
    """A publisher that records its messages."""

    def __init__(self, *, kafka_available: bool) -> None:
        super().__init__("kafka.invalid:9092", "", "login", kafka_available=lambda: kafka_available)
        self.topics: list[str] = []

    async def _send(self, _producer: AIOKafkaProducer | None, record: Record) -> None:
        self.topics.append(record.topic)


async def test_a_command_fails_at_once_while_kafka_is_known_to_be_away() -> None:
    publisher = Sent(kafka_available=False)
    with pytest.raises(UnavailableError):
        await publisher.publish_command(a_cancel())
    await publisher.publish_outputs(an_event(a_cancel()), "login/accounts", [an_issued_challenge()])
    assert publisher.topics == ["auth.challenge"]


async def test_a_command_is_sent_while_kafka_available() -> None:
    publisher = Sent(kafka_available=True)
    await publisher.publish_command(a_cancel())
    assert publisher.topics == ["login.commands"]
