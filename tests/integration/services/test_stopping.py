"""An instance that is told to stop says so first, serves on for a while, and then takes nothing new."""

import http.client
import uuid
from collections.abc import Callable, Iterator

import pytest

from deploy.instance import Instance
from deploy.stack import Stack, StackOptions
from tests.broker import PARTITIONS
from tests.polling import DEADLINE_SECONDS, eventually

UNREADY_SECONDS = 5


@pytest.fixture(scope="module")
def stack(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give services that a load balancer has time to take out."""
    options = StackOptions(
        tmp_path_factory.mktemp("stack"),
        kafka_bootstrap=kafka,
        topic_prefix=f"s{uuid.uuid4().hex[:10]}.",
        partitions=PARTITIONS,
        environment={"LOGIN_UNREADY_SECONDS": str(UNREADY_SECONDS)},
    )
    made = Stack(options)
    made.logs.mkdir(parents=True)
    made.apply_topics()
    yield made
    made.stop()


async def test_it_is_not_ready_first_then_takes_nothing_new_then_has_stopped(run: Callable[[str], Instance]) -> None:
    login = run("login")
    login.terminate()
    await eventually(lambda: status(login, "/ready") == http.client.SERVICE_UNAVAILABLE)
    assert status(login, "/sign-in") == http.client.OK
    await eventually(lambda: status(login, "/ready") is None)
    await eventually(lambda: login.exit_code is not None)
    assert login.exit_code == 0


def status(instance: Instance, path: str) -> int | None:
    """Ask for a page; return its status, or None where nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=DEADLINE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (ConnectionRefusedError, ConnectionResetError, http.client.RemoteDisconnected):
        return None
    finally:
        connection.close()
