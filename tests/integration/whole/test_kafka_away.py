"""While Kafka is away, pages and /ready say so and nothing is lost; once it is back, all goes on by itself."""

import asyncio
import http.client
import time
from collections.abc import Callable, Iterator

import pytest

from deploy.local.stack import Stack, StackOptions
from tests.broker import PARTITIONS
from tests.integration.whole.acting import a_person
from tests.polling import DEADLINE_SECONDS

POLL_SECONDS = 0.1


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack with a Kafka of its own, to be taken away."""
    with Stack(StackOptions(tmp_path_factory.mktemp("stack"), partitions=PARTITIONS)) as running:
        yield running


async def until(stack: Stack, holds: Callable[[str], bool]) -> None:
    """Wait until something holds of what every service's /ready says."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    for name in stack.instances:
        while not holds(reason := await asyncio.to_thread(why_not_ready, stack, name)):
            assert time.monotonic() < deadline, f"{name}: {reason}"
            await asyncio.sleep(POLL_SECONDS)


def why_not_ready(stack: Stack, name: str) -> str:
    """Return what a service's /ready says, empty if it is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.instances[name].port, timeout=10)
    connection.request("GET", "/ready")
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return "" if answer.status == http.client.OK else body


async def test_services_say_that_kafka_is_away_and_go_on_once_it_is_back_and_stop_even_without_it(stack: Stack) -> None:
    assert stack.kafka is not None
    async with a_person(stack) as person:
        await person.enter_password()
        await person.enter_new_phrase()
        await asyncio.to_thread(stack.kafka.kill)
        await until(stack, lambda reason: "kafka does not answer" in reason)
        person.browser.patience_seconds = 0
        await person.browser.submit("/cancel")
        assert person.browser.status == 503
        assert "Nothing is lost" in person.browser.text
        await asyncio.to_thread(stack.kafka.start)
        await until(stack, lambda reason: not reason)
        await person.browser.open("/")
        assert person.browser.path in {"/pair/wait", "/pair"}, "what failed must not be carried out later"
        if person.browser.path == "/pair":
            await person.enter_new_phrase()
        await person.phone.accept_pairing()
        if person.browser.path == "/pair/wait":
            await person.wait()
        await person.browser.open("/")
        person.browser.expect("DEVICE PAIRING SUCCESSFUL")
        await person.send_challenge()
        await person.approve()

    await asyncio.to_thread(stack.kafka.kill)
    await until(stack, lambda reason: "kafka does not answer" in reason)
    for instance in stack.instances.values():
        instance.terminate()
    async with asyncio.timeout(DEADLINE_SECONDS):
        for instance in stack.instances.values():
            while instance.exit_code is None:
                await asyncio.sleep(POLL_SECONDS)
