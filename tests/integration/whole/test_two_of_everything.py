"""Three brokers and two instances of each service: any of them will do, and one broker may die."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import KafkaStartError
from deploy.kafka.embedded import EmbeddedKafka
from deploy.stack import Stack, StackOptions
from tests.integration.whole.acting import a_person


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack of two instances and three brokers."""
    often = {"LOGIN_MOST_PROMPTS": "20"}
    with Stack(StackOptions(tmp_path_factory.mktemp("stack"), instances=2, brokers=3, environment=often)) as running:
        yield running


async def test_second_instances_serve_as_the_first_ones_do(stack: Stack) -> None:
    async with a_person(stack, computer="login-2", phone="push-2") as person:
        await person.enter_password()
        await person.pair()
        await person.browser.submit("/prompt")
        await person.approve()


async def test_people_sign_in_while_any_of_the_brokers_is_away(stack: Stack) -> None:
    assert stack.kafka is not None
    async with a_person(stack) as person:
        await person.enter_password()
        await person.pair()
        await person.browser.submit("/prompt")
        await person.approve()
        for broker in stack.kafka.brokers:
            await asyncio.to_thread(broker.kill)
            await person.browser.submit("/sign-out")
            await person.enter_password()
            await person.approve()
            await asyncio.to_thread(broker.start)


def test_a_folder_keeps_its_number_of_brokers(tmp_path: Path) -> None:
    single = EmbeddedKafka(tmp_path)
    single.start()
    single.stop()
    with pytest.raises(KafkaStartError, match=r"made for one broker, not for 3 brokers\. Run it with BROKERS=1"):
        EmbeddedKafka(tmp_path, brokers=3).start()
