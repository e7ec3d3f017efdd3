"""The publisher: commands fail while Kafka is away; what an owner publishes is acknowledged, or ends the instance."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from schemas.base import Message
from schemas.codec import encode
from services.common.kafka.publisher import NotAcknowledgedError, Publisher, UnavailableError
from tests.builders import an_event
from tests.events import an_issued_challenge
from tests.messages import a_cancel
from tests.producers import KeepingPublisher

OUTPUTS: tuple[Message, ...] = (an_issued_challenge(), an_issued_challenge())
PUBLISHING: dict[str, Callable[[Publisher], Awaitable[None]]] = {
    "outputs": lambda publisher: publisher.publish_outputs(an_event(a_cancel()), "login/accounts", OUTPUTS),
    "dead letter": lambda publisher: publisher.publish_until_acked(encode(an_event(a_cancel()))),
    "row": lambda publisher: publisher.append("test.rows", 0, b"key", b"row", []),
}


@pytest.fixture
async def publisher() -> KeepingPublisher:
    """Return a publisher that has started."""
    publisher = KeepingPublisher()
    await publisher.start()
    return publisher


async def test_command_while_kafka_is_away_fails_at_once_and_outputs_do_not() -> None:
    publisher = KeepingPublisher(kafka_available=False)
    await publisher.start()
    with pytest.raises(UnavailableError):
        await publisher.publish_command(a_cancel())
    await PUBLISHING["outputs"](publisher)
    assert [topic for topic, *_ in publisher.producer.sent] == ["test.auth.challenge"] * 2


async def test_command_while_kafka_is_there_is_sent(publisher: KeepingPublisher) -> None:
    await publisher.publish_command(a_cancel())
    assert [topic for topic, *_ in publisher.producer.sent] == ["test.login.commands"]


async def test_command_that_kafka_does_not_acknowledge_is_unavailable(publisher: KeepingPublisher) -> None:
    publisher.producer.error = KafkaTimeoutError()
    with pytest.raises(UnavailableError):
        await publisher.publish_command(a_cancel())


async def test_outputs_are_all_sent_before_the_first_is_acknowledged(publisher: KeepingPublisher) -> None:
    publisher.producer.at_once = False
    publishing = asyncio.ensure_future(PUBLISHING["outputs"](publisher))
    while len(publisher.producer.sent) < len(OUTPUTS):
        await asyncio.sleep(0)
    assert not publishing.done()
    for each in publisher.producer.acknowledged:
        each.set_result(None)
    await publishing


@pytest.mark.parametrize("kind", PUBLISHING)
@pytest.mark.parametrize("later", [False, True], ids=["not taken", "not acknowledged"])
async def test_record_that_the_producer_gives_up_ends_the_instance(
    publisher: KeepingPublisher, kind: str, *, later: bool
) -> None:
    producer = publisher.producer
    producer.at_once, producer.error = not later, None if later else KafkaTimeoutError()
    publishing = asyncio.ensure_future(PUBLISHING[kind](publisher))
    while later and not producer.acknowledged:
        await asyncio.sleep(0)
    for each in producer.acknowledged:
        each.set_exception(KafkaTimeoutError())
    with pytest.raises(NotAcknowledgedError):
        await publishing


async def test_record_that_is_too_large_is_the_fault_of_the_record(publisher: KeepingPublisher) -> None:
    publisher.producer.error = MessageSizeTooLargeError()
    with pytest.raises(MessageSizeTooLargeError):
        await PUBLISHING["row"](publisher)


async def test_publisher_before_its_start_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        await KeepingPublisher().publish_command(a_cancel())
