"""A device's socket at an instance whose clock is wrong: the frames that the device gets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import aiohttp
import pytest
from aiohttp import web

from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from schemas.contract import ChallengeOutcome, PushReceipt, Verdict
from schemas.push_messages import RegisterDevice
from services.common.kafka.connection import KafkaConnection
from services.common.web.device_requests import Nonces, SignedRequestVerifier
from services.push import sockets
from services.push.domain.channel import Channel, PendingChallenge
from services.push.feed import ChallengeFeed
from services.push.settings import PushSettings
from services.push.sockets import REPLACED_CODE, Sockets
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
        receipts: The receipts that it published.
        registrations: The devices that it registered.

    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.ahead = timedelta()
        self.channels = Channels()
        self.feed = ChallengeFeed(KafkaConnection("kafka.invalid:9092"), "", cast("Any", self.channels))
        self.receipts: list[PushReceipt] = []
        self.registrations: list[RegisterDevice] = []

    def now(self) -> datetime:
        """Return the time by its clock."""
        return datetime.now(UTC) + self.ahead

    async def publish_command(self, message: PushReceipt | RegisterDevice) -> str:
        """Publish a message, as Kafka's publisher does."""
        if isinstance(message, PushReceipt):
            self.receipts.append(message)
        else:
            self.registrations.append(message)
        return "event"

    def connects(self, device: Device) -> Channel:
        """Register a device without pending challenges, and return its channel."""
        channel = Channel(device_id=device.device_id, device_name=NAME, paired=True)
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
    settings = PushSettings(port=port, most_sockets=10, most_strangers_per_network=3)
    served = Sockets(
        verifier=verifier,
        channels=channels,
        feed=instance.feed,
        publisher=cast("Any", instance),
        settings=settings,
    )
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


async def _code_of(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Return the code that a socket is closed with."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return socket.close_code


async def test_a_device_s_newest_socket_replaces_the_one_before(instance: Instance, device: Device) -> None:
    instance.connects(device)
    first = await device.connect(NAME)
    second = await device.connect(NAME)
    assert await _code_of(first) == REPLACED_CODE
    updated = instance.ask(instance.connects(device), "one")
    assert (await news(second))["challenge"] == updated.pending[0].challenge


async def test_strangers_of_one_network_have_a_few_sockets_and_leave_nothing(instance: Instance) -> None:
    devices = [Device(instance.url) for _ in range(5)]
    sockets = [await each.connect() for each in devices]
    assert [await _code_of(each) for each in sockets[:2]] == [1013, 1013]
    assert not any(each.closed for each in sockets[2:])
    assert instance.registrations == []
    for each in devices:
        await each.close()


async def test_strangers_leave_room_for_paired_devices(instance: Instance) -> None:
    owners = [Device(instance.url) for _ in range(10)]
    for each in owners:
        instance.connects(each)
    inside = [await each.connect(NAME) for each in owners[:9]]
    stranger, another = Device(instance.url), Device(instance.url)
    outside = await stranger.connect()
    inside.append(await owners[9].connect(NAME))
    assert await _code_of(outside) == 1013
    with pytest.raises(TypeError):
        await another.connect()
    assert not any(each.closed for each in inside)
    for each in (*owners, stranger, another):
        await each.close()


async def test_a_device_is_registered_once_a_pairing_has_named_it(instance: Instance, device: Device) -> None:
    socket = await device.connect(NAME)
    issued = a_challenge(device.device_id, "one", GOOD_SECONDS)
    instance.feed.apply(an_event(issued))
    assert (await news(socket))["challenge"] == issued.challenge
    assert instance.registrations == []
    instance.channels.change(Channel(device_id=device.device_id))
    await eventually(lambda: [each.device_name for each in instance.registrations] == [NAME])
    await socket.send_json({"type": "receipt", "challenge_id": "one"})
    await eventually(lambda: [each.device_name for each in instance.receipts] == [NAME])


@pytest.mark.parametrize(
    "headers", [{}, {"Upgrade": "websocket"}, {"Connection": "Upgrade"}, {"Connection": "close", "Upgrade": "h2c"}]
)
async def test_a_request_without_an_upgrade_hears_what_lacks(instance: Instance, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as session:
        response = await session.get(f"{instance.url}/socket", headers=headers)
        problem = await response.json(content_type="application/problem+json")
    assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
    assert problem["type"] == "urn:countersign:problem:upgrade-required"
    assert "proxy" in problem["detail"]


ODD_FRAMES: Final = {
    "deep": "[" * 8000,
    "two members": '{"type": "open", "type": "open", "request": "a.b.c"}',
    "byte order mark": '\ufeff{"type": "open", "request": "a.b.c"}',
    "lone surrogate": '{"type": "open", "request": "\\ud800"}',
    "no object": "17",
    "nothing": "",
    "no JSON": "{",
    "request of another kind": '{"type": "open", "request": {"a": 1}}',
}


@pytest.mark.parametrize("frame", ODD_FRAMES.values(), ids=ODD_FRAMES)
async def test_a_first_frame_that_is_none_closes_the_socket_by_its_code(instance: Instance, frame: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{instance.url}/socket") as socket:
        await socket.receive_json(timeout=DEADLINE_SECONDS)
        await socket.send_str(frame)
        while (message := await socket.receive(timeout=DEADLINE_SECONDS)).type != aiohttp.WSMsgType.CLOSE:
            assert message.json()["problem"]["status"] == 400
        assert message.data == sockets.REFUSED_CODE


@pytest.mark.parametrize("name", ["\ud800", "a\u202eb", "\x1b[31mX", "a\nb\x00", " ", "x" * 61], ids=repr)
async def test_a_name_that_cannot_be_shown_closes_the_socket_by_its_code(
    instance: Instance, device: Device, name: str
) -> None:
    with pytest.raises(AssertionError, match=r"malformed|bad-signature"):
        await device.connect(name)
    assert instance.receipts == []


async def test_a_later_frame_that_is_none_is_passed_over(instance: Instance, device: Device) -> None:
    channel = instance.connects(device)
    socket = await device.connect(NAME)
    for frame in ODD_FRAMES.values():
        await socket.send_str(frame)
    updated = instance.ask(channel, "one")
    assert (await news(socket))["challenge"] == updated.pending[0].challenge
