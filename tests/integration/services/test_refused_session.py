"""A session that Kafka refuses for good ends a service with the reason, instead of a wait for partitions."""

import pytest

from deploy.local.stack import Stack
from tests.polling import eventually


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Ask for a session that is shorter than any Kafka of the tests grants."""
    return {"PUSH_SESSION_TIMEOUT_SECONDS": "1"}


async def test_a_session_that_kafka_does_not_grant_ends_the_start_with_what_to_do(stack: Stack) -> None:
    push = stack.instances["push"]
    push.start()
    await eventually(lambda: push.exit_code is not None, "it goes on")
    assert push.exit_code == 2
    (line,) = (line for line in push.log_path.read_text().splitlines() if '"event": "cannot serve"' in line)
    assert "SESSION_TIMEOUT_SECONDS" in line
