"""A device's socket at an instance whose clock is wrong: the frames that the device gets."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pytest
from aiohttp import web

from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from services.common.waiters import Waiters
from services.common.web.device_requests import Nonces, SignedRequestVerifier
from services.push import sockets
from services.push.domain.channel import Channel, PendingChallenge
from services.push.sockets import Sockets
from tests.integration.services.devices import Device, a_challenge, news
from tests.polling import DEADLINE_SECONDS

NAME: Final = "Test phone"
AHEAD: Final = timedelta(seconds=45)
GOOD_SECONDS: Final = 30


class Channels:
    """The view of one device's channel, which a test changes.

    Attributes:
        channel: The channel as it is now.

    """

    def __init__(self) -> None:
        self._waiters = Waiters()
        self.channel: Channel | None = None

    def get(self, _key: str) -> Channel | None:
        """Return the channel."""
        return self.channel

    def watch(self, key: str) -> AbstractContextManager[Any]:
        """Provide an event that is set at each change."""
        return self._waiters.watch(key)

    def change(self, channel: Channel) -> None:
        """Let another instance change the channel."""
        self.channel = channel
        self._waiters.wake(channel.device_id)


class Instance:
    """An instance of the push service with only its sockets.

    Attributes:
        url: Its URL.
        ahead: How far its clock is ahead.
        channels: Its view.

    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.ahead = timedelta()
        self.channels = Channels()

    def now(self) -> datetime:
        """Return the time by its clock."""
        return datetime.now(UTC) + self.ahead

    def connects(self, device: Device) -> Channel:
        """Register a device without pending challenges, and return its channel."""
        channel = Channel(device_id=device.device_id, device_name=NAME)
        self.channels.change(channel)
        return channel

    def ask(self, channel: Channel, challenge_id: str, good_seconds: float = GOOD_SECONDS) -> Channel:
        """Add a challenge with this lifetime by a correct clock, and return the channel."""
        issued = a_challenge(channel.device_id, challenge_id, good_seconds)
        fields = issued.model_dump(include={"challenge_id", "reply_key", "purpose", "challenge", "expires_at"})
        pending = (*channel.pending, PendingChallenge(**fields))
        updated = replace(channel, pending=pending)
        self.channels.change(updated)
        return updated


@pytest.fixture
async def instance(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Instance]:
    """Serve one instance's sockets."""
    port = free_port()
    instance = Instance(f"http://{HOST}:{port}")
    monkeypatch.setattr(sockets, "now", instance.now)
    verifier = SignedRequestVerifier(Nonces(b"a key of the push service's nonces"), instance.url)
    served = Sockets(verifier, cast("Any", instance.channels), cast("Any", None), most_sockets=10)
    application = web.Application()
    application.router.add_get("/socket", served.serve)
    application.on_shutdown.append(served.close_all)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    yield instance
    await runner.cleanup()


@pytest.fixture
async def device(instance: Instance) -> AsyncIterator[Device]:
    """Provide a device of that instance."""
    async with Device(instance.url) as device:
        yield device


async def test_a_live_request_does_not_end_when_the_clock_is_moved_ahead(instance: Instance, device: Device) -> None:
    channel = instance.connects(device)
    socket = await device.connect(NAME)
    updated = instance.ask(channel, "one")
    assert (await news(socket))["challenge"] == updated.pending[0].challenge
    instance.ahead = AHEAD
    updated = instance.ask(updated, "two")
    assert (await news(socket))["challenge"] == updated.pending[1].challenge
    instance.channels.change(replace(channel, pending=updated.pending[1:]))
    assert await news(socket) == {"type": "ended", "challenge_id": "one", "reason": "withdrawn"}


async def test_a_request_that_waited_does_not_end_when_the_clock_is_moved_ahead(
    instance: Instance, device: Device
) -> None:
    waiting = instance.ask(instance.connects(device), "one")
    socket = await device.connect(NAME)
    assert (await news(socket))["challenge"] == waiting.pending[0].challenge
    instance.ahead = AHEAD
    updated = instance.ask(waiting, "two")
    assert (await news(socket))["challenge"] == updated.pending[1].challenge


async def test_a_request_that_waited_at_a_clock_ahead_is_sent_once_that_is_right(
    instance: Instance, device: Device
) -> None:
    instance.ahead = AHEAD
    waiting = instance.ask(instance.connects(device), "one")
    socket = await device.connect(NAME)
    assert await socket.receive_json(timeout=DEADLINE_SECONDS) == {"type": "waiting", "challenge_ids": []}
    instance.ahead = timedelta()
    instance.channels.change(waiting)
    assert (await news(socket))["challenge"] == waiting.pending[0].challenge


async def test_a_ping_has_the_time_and_an_overdue_challenge_expires(instance: Instance, device: Device) -> None:
    channel = instance.connects(device)
    socket = await device.connect(NAME)
    instance.ask(channel, "one", good_seconds=1)
    frames = [await socket.receive_json(timeout=DEADLINE_SECONDS) for _ in range(4)]
    assert [frame["type"] for frame in frames] == ["waiting", "challenge", "ping", "ended"]
    server_time = datetime.fromisoformat(frames[2]["server_time"])
    assert abs(instance.now() - server_time) < timedelta(seconds=DEADLINE_SECONDS)
    assert frames[3] == {"type": "ended", "challenge_id": "one", "reason": "expired"}
