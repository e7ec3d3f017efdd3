"""The devices' WebSockets, which a signed nonce opens (docs/protocol.md, section 5)."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from protocol.signed_requests import REQUEST_TYPE, Refusal, RequestRefusedError
from protocol.strict_json import read_json
from schemas.contract import ChallengeOutcome, Delivery, PushReceipt
from schemas.push_messages import RegisterDevice
from services.common.clock import now
from services.common.fair_places import FairPlaces
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.common.telemetry.tracing import join_trace
from services.common.web.device_requests import STATUS, SignedRequestVerifier, device_name_in
from services.common.web.networks import network_of
from services.common.web.proxies import client_address
from services.common.web.web import problem, problem_document
from services.push.domain.channel import Channel
from services.push.feed import ChallengeFeed
from services.push.open_challenges import OpenChallenges
from services.push.settings import PushSettings

log = structlog.get_logger(__name__)
OPEN_SECONDS: Final = 10.0
PING_SECONDS: Final = 20.0
FRAME_BYTES: Final = 8 * 1024
REFUSED_CODE: Final = 4400
REPLACED_CODE: Final = 4409
"""The device has opened another socket; it shall not replace that one in turn (docs/protocol.md, section 5)."""
FULL: Final = b"full"
UPGRADE: Final[Mapping[str, str]] = {hdrs.UPGRADE: "websocket"}
NO_UPGRADE: Final = (
    "This request did not ask for a WebSocket. If it did when it was sent, a proxy in front of the service does not "
    "pass WebSockets on: let it send the headers Upgrade and Connection along."
)


@dataclass(slots=True, eq=False)
class DeviceSocket:
    """A socket, and what is known of its device.

    Attributes:
        socket: The WebSocket.
        network: The network that it comes from.
        device_id: The device; empty until it has signed.
        device_name: Its name, as it gave it.
        paired: True if the device is paired with an account.
        leaving: Set once this instance closes it, with a code and a reason.

    """

    socket: web.WebSocketResponse
    network: str
    device_id: str = ""
    device_name: str = ""
    paired: bool = False
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    close_code: int = WSCloseCode.OK
    close_reason: bytes = b""


class Sockets:
    """The sockets of one instance: one for each device, and at most half of all for devices that are not paired.

    Anyone can make keys, and so devices. Those that no account is paired with share their half by network.
    """

    def __init__(
        self,
        *,
        verifier: SignedRequestVerifier,
        channels: View[Channel],
        feed: ChallengeFeed,
        publisher: Publisher,
        settings: PushSettings,
    ) -> None:
        self._verifier = verifier
        self._channels = channels
        self._feed = feed
        self._publisher = publisher
        self._settings = settings
        self._sockets: set[DeviceSocket] = set()
        self._by_device: dict[str, DeviceSocket] = {}
        self._paired = 0
        self._strangers = FairPlaces[DeviceSocket](settings.most_sockets // 2, settings.most_strangers_per_network)

    @property
    def count(self) -> int:
        """The number of connected devices."""
        return self._paired + self._strangers.count

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one device until its socket closes."""
        if _lacks_upgrade(request):
            log.warning("a request for the socket came without Upgrade", address=request.remote)
            return problem(web.HTTPUpgradeRequired.status_code, "upgrade-required", NO_UPGRADE, UPGRADE)
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, max_msg_size=FRAME_BYTES)
        try:
            await socket.prepare(request)
        except ValueError as error:  # a key that is not text, which aiohttp does not handle
            raise web.HTTPBadRequest(text="The WebSocket's handshake is malformed.") from error
        address = client_address(request, self._settings.trusted_proxies)
        connected = DeviceSocket(socket, network_of(address))
        if not self._take_place(connected):
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=FULL)
            return socket
        self._sockets.add(connected)
        talking = asyncio.create_task(self._talk(connected, request.path))
        leaving = asyncio.create_task(connected.leaving.wait())
        try:
            await asyncio.wait({talking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave(connected)
            talking.cancel()
            leaving.cancel()
            (outcome, _) = await asyncio.gather(talking, leaving, return_exceptions=True)
        if isinstance(outcome, Exception):
            log.error("a socket failed", exc_info=outcome)
            await socket.close(code=WSCloseCode.INTERNAL_ERROR)
        else:
            await socket.close(code=connected.close_code, message=connected.close_reason)
        return socket

    async def _talk(self, connected: DeviceSocket, path: str) -> None:
        try:
            if await self._authenticate(connected, path):
                await self._receive(connected)
        except (ConnectionError, UnavailableError):
            await connected.socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"unavailable")

    async def close_all(self, _application: web.Application) -> None:
        """Close every socket; the devices connect to another instance."""
        for each in tuple(self._sockets):
            self._close(each, WSCloseCode.SERVICE_RESTART, b"restart")

    def _take_place(self, connected: DeviceSocket) -> bool:
        """Give a socket the place of a stranger, until its device is known; return False if there is none."""
        if self.count >= self._settings.most_sockets and not self._strangers.count:
            return False
        if self.count >= self._settings.most_sockets:
            self._close(self._strangers.take_from_crowd(), WSCloseCode.TRY_AGAIN_LATER, FULL)
        self._close(self._strangers.add(connected.network, connected), WSCloseCode.TRY_AGAIN_LATER, FULL)
        return True

    def _leave(self, connected: DeviceSocket) -> None:
        self._sockets.discard(connected)
        if connected.paired:
            self._paired -= 1
        else:
            self._strangers.remove(connected.network, connected)
        if self._by_device.get(connected.device_id) is connected:
            del self._by_device[connected.device_id]

    def _admit(self, connected: DeviceSocket, device_id: str, name: str) -> None:
        """Note the device of a socket, which replaces the device's earlier one."""
        connected.device_id, connected.device_name = device_id, name
        self._close(self._by_device.pop(device_id, None), REPLACED_CODE, b"replaced")
        self._by_device[device_id] = connected
        self._note_pairing(connected)

    def _note_pairing(self, connected: DeviceSocket) -> None:
        """Give a paired device a place among the paired ones."""
        channel = self._feed.channel(connected.device_id)
        if channel is not None and channel.paired and not connected.paired:
            connected.paired = True
            self._strangers.remove(connected.network, connected)
            self._paired += 1

    def _close(self, connected: DeviceSocket | None, code: int, reason: bytes) -> None:
        """Let a socket's own task close it: two tasks that read from it at once would lose the device's reply."""
        if connected is not None and not connected.leaving.is_set():
            connected.close_code, connected.close_reason = code, reason
            connected.leaving.set()

    async def _authenticate(self, connected: DeviceSocket, path: str) -> bool:
        """Check the device's signature; return False if the socket is closed."""
        socket, nonce = connected.socket, self._verifier.nonce()
        await socket.send_json({"type": "hello", "nonce": nonce})
        try:
            frame = await socket.receive_json(loads=read_json, timeout=OPEN_SECONDS)
            signed = self._verifier.check(_request_in(frame), path, REQUEST_TYPE, nonce)
            name = device_name_in(signed)
        except RequestRefusedError as error:
            document = problem_document(STATUS[error.refusal], error.refusal, str(error))
            await socket.send_json({"type": "problem", "problem": document})
            await socket.close(code=REFUSED_CODE, message=error.refusal.encode())
            return False
        except (TimeoutError, TypeError, ValueError):
            await socket.close(code=REFUSED_CODE, message=Refusal.MALFORMED.encode())
            return False
        self._admit(connected, signed.device.thumbprint, name)
        event_id = await self._register(connected)
        if event_id is not None and await self._channels.await_outcome(connected.device_id, event_id) is None:
            raise UnavailableError
        await socket.send_json({"type": "ready", "server_time": now().isoformat()})
        log.info("device connected", device_id=connected.device_id)
        return True

    async def _register(self, connected: DeviceSocket) -> str | None:
        """Let the device's channel know its name; return the command's event id, or None if there is nothing to do.

        A device has no channel before a pairing names it: strangers leave nothing behind.
        """
        channel = self._channels.get(connected.device_id)
        if channel is None or channel.device_name == connected.device_name:
            return None
        return await self._publisher.publish_command(
            RegisterDevice(device_id=connected.device_id, at=now(), device_name=connected.device_name)
        )

    async def _receive(self, connected: DeviceSocket) -> None:
        socket, device_id = connected.socket, connected.device_id
        sender = asyncio.create_task(self._send(connected))
        received: set[str] = set()
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                challenge_id = _receipt_in(message.data)
                if challenge_id not in received and await self._publish_receipt(connected, challenge_id):
                    received.add(challenge_id)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            log.info("device disconnected", device_id=device_id)

    async def _send(self, connected: DeviceSocket) -> None:
        """Send challenges, their ends, and ends of pairings as they happen, and pings in between."""
        socket, device_id = connected.socket, connected.device_id
        challenges = OpenChallenges()
        sent: set[str] = set()
        sent_unpaired: set[str] = set()
        waiting_sent = registered = False
        with self._feed.watch(device_id) as changed:
            while not socket.closed:
                changed.clear()
                channel = self._feed.channel(device_id)
                current = challenges.update(channel, now())
                for ended in sent - current.keys():
                    await socket.send_json({"type": "ended", "challenge_id": ended, **_end(channel, ended)})
                sent_unpaired = await _send_unpaired(socket, channel, sent_unpaired)
                for challenge_id, pending in current.items():
                    if challenge_id not in sent:
                        await socket.send_json({"type": "challenge", "challenge": pending.challenge})
                sent = set(current)
                if not waiting_sent:
                    await socket.send_json({"type": "waiting", "challenge_ids": list(current)})
                    waiting_sent = True
                self._note_pairing(connected)
                registered = registered or await self._is_registered_later(connected)
                await _wait_for_change(socket, changed, challenges.seconds_to_next_end(PING_SECONDS))

    async def _is_registered_later(self, connected: DeviceSocket) -> bool:
        """Register a device whose channel began after it connected; return whether that is done."""
        with suppress(UnavailableError):  # the next change, or the next connection, registers it
            return await self._register(connected) is not None
        return False

    async def _publish_receipt(self, connected: DeviceSocket, challenge_id: str) -> bool:
        channel = self._feed.channel(connected.device_id)
        waiting = None if channel is None else channel.waiting(challenge_id)
        if channel is None or waiting is None:
            return False
        join_trace(waiting.traceparent)
        await self._publisher.publish_command(
            PushReceipt(
                challenge_id=waiting.challenge_id,
                reply_key=waiting.reply_key,
                device_name=connected.device_name,
                delivery=Delivery.DELIVERED,
            )
        )
        return True


def _lacks_upgrade(request: web.Request) -> bool:
    """Return whether a request does not ask for a WebSocket (RFC 6455, section 4.2.1)."""
    connection = {each.strip().lower() for each in request.headers.get(hdrs.CONNECTION, "").split(",")}
    return request.headers.get(hdrs.UPGRADE, "").lower() != "websocket" or "upgrade" not in connection


async def _send_unpaired(socket: web.WebSocketResponse, channel: Channel | None, sent: set[str]) -> set[str]:
    """Send the statements that were not sent before; return the pairings of all of them."""
    statements = () if channel is None else channel.unpaired
    for each in statements:
        if each.pairing_id not in sent:
            await socket.send_json({"type": "unpaired", "statement": each.statement})
    return {each.pairing_id for each in statements}


async def _wait_for_change(socket: web.WebSocketResponse, changed: asyncio.Event, longest_seconds: float) -> None:
    """Wait until the channel changes; after the longest wait, send a ping, which is a frame so that scripts see it."""
    try:
        async with asyncio.timeout(longest_seconds):
            await changed.wait()
    except TimeoutError:
        await socket.send_json({"type": "ping", "server_time": now().isoformat()})


def _request_in(frame: Any) -> str:
    request = frame.get("request") if isinstance(frame, dict) and frame.get("type") == "open" else None
    if not isinstance(request, str) or not request.isascii():
        raise RequestRefusedError(Refusal.MALFORMED, 'The first frame must be {"type": "open", "request": JWS}.')
    return request


def _receipt_in(text: str) -> str:
    try:
        frame = read_json(text)
    except ValueError:
        return ""
    found = frame.get("challenge_id") if isinstance(frame, dict) and frame.get("type") == "receipt" else None
    return found if isinstance(found, str) else ""


def _end(channel: Channel | None, challenge_id: str) -> dict[str, str]:
    """Return the reason for which a challenge is asked no more, and its outcome."""
    ended = None if channel is None else channel.end_of(challenge_id)
    if ended is not None:
        reason = "answered" if ended.verdict is not None else "withdrawn"
        expired = ended.outcome is ChallengeOutcome.EXPIRED
        return {"reason": "expired" if expired else reason, "outcome": ended.outcome.value}
    outcome = "expired" if channel is not None and channel.waiting(challenge_id) else "withdrawn"
    return {"reason": outcome, "outcome": outcome}
