"""Two instances of each service: any of them will do. What they bear is in test_chaos.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import KafkaStartError
from deploy.kafka.embedded import EmbeddedKafka
from deploy.stack import Stack, StackOptions
from tests.integration.whole.acting import a_person


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack of two instances."""
    with Stack(StackOptions(tmp_path_factory.mktemp("stack"), instances=2)) as running:
        yield running


async def test_second_instances_serve_as_the_first_ones_do(stack: Stack) -> None:
    async with a_person(stack, computer="login-2", phone="push-2") as person:
        await person.enter_password()
        await person.pair()
        await person.browser.submit("/prompt")
        await person.approve()


def test_a_folder_keeps_its_number_of_brokers(tmp_path: Path) -> None:
    single = EmbeddedKafka(tmp_path)
    single.start()
    single.stop()
    with pytest.raises(KafkaStartError, match=r"made for one broker, not for 3 brokers\. Run it with BROKERS=1"):
        EmbeddedKafka(tmp_path, brokers=3).start()
