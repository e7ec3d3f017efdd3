"""Each service alone on the real Kafka; its neighbours are played by the test."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import READY_TIMEOUT_SECONDS, Stack, StackOptions
from tests.integration.services.wire import Wire


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Give the services' settings where they are not the usual ones; modules have their own."""
    return {}


@pytest.fixture(scope="module")
def stack(stack_options: StackOptions, settings: dict[str, str]) -> Iterator[Stack]:
    """Give the services of one module, with topics of their own; none of them runs until it is asked for."""
    made = Stack(replace(stack_options, environment=settings))
    made.logs.mkdir(parents=True)
    made.apply_topics()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def run(stack: Stack) -> Callable[[str], InstanceProcess]:
    """Give a function that starts one service of the module's stack and returns it once it serves."""

    def start(service: str) -> InstanceProcess:
        instance = stack.instances[service]
        if instance.pid is None:
            instance.start()
            instance.await_ready(READY_TIMEOUT_SECONDS)
        return instance

    return start


@pytest.fixture
async def wire(stack: Stack, kafka: str) -> AsyncIterator[Wire]:
    """Give a connection to the module's topics."""
    async with Wire(kafka, stack.topic_prefix) as connected:
        yield connected
