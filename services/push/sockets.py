"""The devices' WebSockets, which a signed nonce opens (docs/protocol.md, section 5)."""

import asyncio
from typing import Any, Final

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from protocol.signed_requests import REQUEST_TYPE, Refusal, RequestRefusedError
from protocol.strict_json import read_json
from schemas.contract import ChallengeOutcome, Delivery, PushReceipt
from schemas.push_messages import RegisterDevice
from services.common.clock import now
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.common.telemetry.tracing import join_trace
from services.common.web.device_requests import STATUS, SignedRequestVerifier, device_name_in
from services.common.web.web import problem_document
from services.push.domain.channel import Channel
from services.push.feed import ChallengeFeed
from services.push.open_challenges import OpenChallenges

log = structlog.get_logger(__name__)
OPEN_SECONDS: Final = 10.0
PING_SECONDS: Final = 20.0
FRAME_BYTES: Final = 8 * 1024
REFUSED_CODE: Final = 4400


class Sockets:
    """The sockets of one instance."""

    def __init__(
        self,
        verifier: SignedRequestVerifier,
        channels: View[Channel],
        feed: ChallengeFeed,
        publisher: Publisher,
        most_sockets: int,
    ) -> None:
        self._verifier = verifier
        self._channels = channels
        self._feed = feed
        self._publisher = publisher
        self._most_sockets = most_sockets
        self._open: set[web.WebSocketResponse] = set()

    @property
    def count(self) -> int:
        """The number of connected devices."""
        return len(self._open)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one device until its socket closes."""
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, max_msg_size=FRAME_BYTES)
        try:
            await socket.prepare(request)
        except ValueError as error:  # a key that is not text, which aiohttp does not handle
            raise web.HTTPBadRequest(text="The WebSocket's handshake is malformed.") from error
        if self.count >= self._most_sockets:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"full")
            return socket
        self._open.add(socket)
        try:
            device_id = await self._authenticate(socket, request.path)
            if device_id is not None:
                await self._receive(socket, device_id)
        except (ConnectionError, UnavailableError):
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"unavailable")
        finally:
            self._open.discard(socket)
        return socket

    async def close_all(self, _application: web.Application) -> None:
        """Close every socket; the devices connect to another instance."""
        for socket in tuple(self._open):
            await socket.close(code=WSCloseCode.SERVICE_RESTART, message=b"restart")

    async def _authenticate(self, socket: web.WebSocketResponse, path: str) -> str | None:
        nonce = self._verifier.nonce()
        await socket.send_json({"type": "hello", "nonce": nonce})
        try:
            frame = await socket.receive_json(loads=read_json, timeout=OPEN_SECONDS)
            signed = self._verifier.check(_request_in(frame), path, REQUEST_TYPE, nonce)
            name = device_name_in(signed)
        except RequestRefusedError as error:
            document = problem_document(STATUS[error.refusal], error.refusal, str(error))
            await socket.send_json({"type": "problem", "problem": document})
            await socket.close(code=REFUSED_CODE, message=error.refusal.encode())
            return None
        except (TimeoutError, TypeError, ValueError):
            await socket.close(code=REFUSED_CODE, message=Refusal.MALFORMED.encode())
            return None
        device_id = signed.device.thumbprint
        await self._register(device_id, name)
        await socket.send_json({"type": "ready", "server_time": now().isoformat()})
        log.info("device connected", device_id=device_id)
        return device_id

    async def _register(self, device_id: str, name: str) -> None:
        channel = self._channels.get(device_id)
        if channel is not None and channel.device_name == name:
            return
        event_id = await self._publisher.publish_command(
            RegisterDevice(device_id=device_id, at=now(), device_name=name)
        )
        if await self._channels.await_outcome(device_id, event_id) is None:
            raise UnavailableError

    async def _receive(self, socket: web.WebSocketResponse, device_id: str) -> None:
        sender = asyncio.create_task(self._send(socket, device_id))
        received: set[str] = set()
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                challenge_id = _receipt_in(message.data)
                if challenge_id not in received and await self._publish_receipt(device_id, challenge_id):
                    received.add(challenge_id)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            log.info("device disconnected", device_id=device_id)

    async def _send(self, socket: web.WebSocketResponse, device_id: str) -> None:
        """Send challenges, their ends, and ends of pairings as they happen, and pings in between."""
        challenges = OpenChallenges()
        sent: set[str] = set()
        sent_unpaired: set[str] = set()
        waiting_sent = False
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
                await _wait_for_change(socket, changed, challenges.seconds_to_next_end(PING_SECONDS))

    async def _publish_receipt(self, device_id: str, challenge_id: str) -> bool:
        channel = self._feed.channel(device_id)
        waiting = None if channel is None else channel.waiting(challenge_id)
        if channel is None or waiting is None:
            return False
        join_trace(waiting.traceparent)
        await self._publisher.publish_command(
            PushReceipt(
                challenge_id=waiting.challenge_id,
                reply_key=waiting.reply_key,
                device_name=channel.device_name,
                delivery=Delivery.DELIVERED,
            )
        )
        return True


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
