"""A device's socket at an instance whose clock is wrong: the frames that the device gets."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pytest
from aiohttp import web

from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from schemas.contract import ChallengeOutcome, PushReceipt, Verdict
from services.common.kafka.connection import KafkaConnection
from services.common.web.device_requests import Nonces, SignedRequestVerifier
from services.push import sockets
from services.push.domain.channel import Channel, PendingChallenge
from services.push.feed import ChallengeFeed
from services.push.sockets import Sockets
from tests.builders import an_event
from tests.events import an_ended_challenge
from tests.integration.services.devices import Device, a_challenge, news
from tests.polling import DEADLINE_SECONDS, eventually
from tests.unit.push.instance import Channels

NAME: Final = "Test phone"
AHEAD: Final = timedelta(seconds=45)
GOOD_SECONDS: Final = 30


class Instance:
    """An instance of the push service with only its sockets.

    Attributes:
        url: Its URL.
        ahead: How far its clock is ahead.
        channels: Its view.
        feed: Its feed.
        receipts: What it published.

    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.ahead = timedelta()
        self.channels = Channels()
        self.feed = ChallengeFeed(KafkaConnection("kafka.invalid:9092"), "", cast("Any", self.channels))
        self.receipts: list[PushReceipt] = []

    def now(self) -> datetime:
        """Return the time by its clock."""
        return datetime.now(UTC) + self.ahead

    async def publish_command(self, receipt: PushReceipt) -> None:
        """Publish a receipt, as Kafka's publisher does."""
        self.receipts.append(receipt)

    def connects(self, device: Device) -> Channel:
        """Register a device without pending challenges, and return its channel."""
        channel = Channel(device_id=device.device_id, device_name=NAME)
        self.channels.change(channel)
        return channel

    def ask(self, channel: Channel, challenge_id: str, good_seconds: float = GOOD_SECONDS) -> Channel:
        """Add a challenge with this lifetime by a correct clock, and return the channel."""
        issued = a_challenge(channel.device_id, challenge_id, good_seconds)
        pending = (*channel.pending, PendingChallenge.of(issued, ""))
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
    channels: Any = instance.channels
    served = Sockets(verifier, channels, instance.feed, cast("Any", instance), most_sockets=10)
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
    assert await news(socket) == {
        "type": "ended",
        "challenge_id": "one",
        "reason": "withdrawn",
        "outcome": "withdrawn",
    }


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
    assert frames[3] == {"type": "ended", "challenge_id": "one", "reason": "expired", "outcome": "expired"}


async def test_a_request_is_shown_and_ended_ahead_of_the_rows(instance: Instance, device: Device) -> None:
    instance.connects(device)
    socket = await device.connect(NAME)
    issued = a_challenge(device.device_id, "one", GOOD_SECONDS)
    instance.feed.apply(an_event(issued))
    assert (await news(socket))["challenge"] == issued.challenge
    await socket.send_json({"type": "receipt", "challenge_id": "one"})
    await eventually(lambda: [each.challenge_id for each in instance.receipts] == ["one"])
    instance.feed.apply(an_event(an_ended_challenge(issued, ChallengeOutcome.DENIED, verdict=Verdict.DENY)))
    assert await news(socket) == {"type": "ended", "challenge_id": "one", "reason": "answered", "outcome": "denied"}


@pytest.mark.parametrize(
    ("outcome", "verdict", "reason"),
    [
        (ChallengeOutcome.APPROVED, Verdict.APPROVE, "answered"),
        (ChallengeOutcome.WRONG_NUMBER, Verdict.APPROVE, "answered"),
        (ChallengeOutcome.ANSWERED_ELSEWHERE, None, "withdrawn"),
        (ChallengeOutcome.WITHDRAWN, None, "withdrawn"),
        (ChallengeOutcome.EXPIRED, None, "expired"),
    ],
)
async def test_each_way_to_end_has_its_reason(
    instance: Instance, device: Device, outcome: ChallengeOutcome, verdict: Verdict | None, reason: str
) -> None:
    waiting = instance.ask(instance.connects(device), "one")
    socket = await device.connect(NAME)
    assert (await news(socket))["challenge"] == waiting.pending[0].challenge
    issued = a_challenge(device.device_id, "one", GOOD_SECONDS)
    instance.feed.apply(an_event(an_ended_challenge(issued, outcome, verdict=verdict)))
    frame = await news(socket)
    assert (frame["type"], frame["reason"], frame["outcome"]) == ("ended", reason, outcome.value)
