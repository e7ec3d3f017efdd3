"""An instance whose disk is full ends, and makes no dead letter of an event."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import Stack
from protocol.encoding import digest
from schemas.topics import AUTH_CHALLENGE
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.publisher import Publisher
from services.common.rows.view import View
from services.push.domain.channel import Channel
from services.push.tables import CHANNELS as CHANNELS_TABLE
from tests.builders import present
from tests.integration.services.devices import a_challenge
from tests.integration.services.wire import Wire
from tests.polling import DEADLINE_SECONDS, eventually

resource = pytest.importorskip("resource", reason="this system bounds no process")
DEVICE = digest(b"a phone")


@pytest.fixture
async def channels(stack: Stack, tmp_path: Path) -> AsyncIterator[View[Channel]]:
    """Give what the push service decided."""
    name = f"{stack.topic_prefix}{CHANNELS_TABLE.changelog.name}"
    topic = KafkaChangelog(stack.connection, name, Publisher(stack.connection, "", "test"))
    view = View(topic, Channel, tmp_path)
    running = asyncio.create_task(view.run())
    await view.wait_ready()
    yield view
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds another process")
async def test_an_event_waits_for_an_instance_that_can_write(
    run: Callable[[str], InstanceProcess], wire: Wire, channels: View[Channel], stack: Stack
) -> None:
    push = run("push")
    # Not one byte more fits into any file of it.
    resource.prlimit(present(push.pid), resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    await wire.publisher.publish_command(a_challenge(DEVICE, "one"))
    await eventually(lambda: push.exit_code is not None, "it goes on without a disk")
    assert push.exit_code == 1
    await asyncio.to_thread(stack.restart_service, "push")
    present(await channels.wait_until(DEVICE, lambda row: row.waiting("one") is not None, DEADLINE_SECONDS))
    second = digest(b"a second phone")
    await wire.publisher.publish_command(a_challenge(second, "two"))
    assert await channels.wait_until(second, lambda _row: True, DEADLINE_SECONDS) is not None
    assert [each.topic for each in wire.records if each.topic.endswith(f"{AUTH_CHALLENGE.name}.dlq")] == []
