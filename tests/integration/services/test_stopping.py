"""An instance that stops is not ready first, serves on for a while, and then takes nothing new."""

import http.client
from collections.abc import Callable

import pytest

from deploy.local.instance_process import InstanceProcess
from tests.polling import DEADLINE_SECONDS, eventually

UNREADY_SECONDS = 5


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Give settings with which a load balancer has time to take an instance out."""
    return {"LOGIN_UNREADY_SECONDS": str(UNREADY_SECONDS)}


async def test_it_is_not_ready_first_then_takes_nothing_new_then_has_stopped(
    run: Callable[[str], InstanceProcess],
) -> None:
    login = run("login")
    login.terminate()
    await eventually(lambda: status(login, "/ready") == http.client.SERVICE_UNAVAILABLE)
    assert status(login, "/sign-in") == http.client.OK
    await eventually(lambda: status(login, "/ready") is None)
    await eventually(lambda: login.exit_code is not None)
    assert login.exit_code == 0


def status(instance: InstanceProcess, path: str) -> int | None:
    """Ask for a page; return its status, or None where nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=DEADLINE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (ConnectionRefusedError, ConnectionResetError, http.client.RemoteDisconnected):
        return None
    finally:
        connection.close()
