"""Silent brokers: a client asks others than those that left a request without an answer, for a while."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import NodeNotReadyError, RequestTimedOutError
from aiokafka.structs import BrokerMetadata

from services.common.kafka import silent_brokers
from services.common.kafka.silent_brokers import SILENT_SECONDS, avoid_silent_brokers


class Client:
    """A client of three brokers, some of which are silent."""

    def __init__(self) -> None:
        self.silent: dict[int, Exception] = {}
        nodes = {BrokerMetadata(number, "127.0.0.1", 9092, None) for number in (1, 2, 3)}
        self.cluster = SimpleNamespace(brokers=lambda: set(nodes))

    async def send(self, node_id: int, request: Any, *, group: str = "") -> str:
        """Send a request."""
        if node_id in self.silent:
            raise self.silent[node_id]
        return f"{request} {group} from {node_id}"

    @property
    def asked(self) -> set[int]:
        """The brokers that may be asked for metadata."""
        return {each.nodeId for each in self.cluster.brokers()}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give a clock that the test moves."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(silent_brokers, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def client() -> Client:
    """Return a client that avoids silent brokers."""
    client = Client()
    avoid_silent_brokers(client)
    return client


async def test_answered_request_is_passed_on_as_it_is(client: Client) -> None:
    assert await client.send(2, "metadata", group="coordination") == "metadata coordination from 2"
    assert client.asked == {1, 2, 3}


@pytest.mark.parametrize("error", [RequestTimedOutError(), NodeNotReadyError()])
async def test_silent_broker_is_not_asked_for_a_while(client: Client, clock: SimpleNamespace, error: Exception) -> None:
    client.silent[2] = error
    with pytest.raises(type(error)):
        await client.send(2, "fetch")
    assert client.asked == {1, 3}
    clock.now += SILENT_SECONDS
    assert client.asked == {1, 2, 3}


async def test_silent_broker_that_answers_again_is_asked_again(client: Client) -> None:
    client.silent[2] = RequestTimedOutError()
    with pytest.raises(RequestTimedOutError):
        await client.send(2, "fetch")
    client.silent.clear()
    await client.send(2, "fetch")
    assert client.asked == {1, 2, 3}


async def test_all_are_asked_if_all_were_silent(client: Client) -> None:
    for node in (1, 2, 3):
        client.silent[node] = RequestTimedOutError()
        with pytest.raises(RequestTimedOutError):
            await client.send(node, "fetch")
    assert client.asked == {1, 2, 3}
