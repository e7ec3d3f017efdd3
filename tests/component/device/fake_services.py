"""Fake services in one process: they follow docs/protocol.md, and fail on demand."""

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.test_utils import TestServer

from protocol.agreement import AgreementPrivateKey
from protocol.challenges import ANSWER_TYPE, CHALLENGE_HEADER, Claims, PinnedIssuer, issue_challenge
from protocol.jose import PrivateKey
from protocol.signed_requests import REQUEST_TYPE, RequestRefusedError, SignedRequest, verify_request
from protocol.unpaired import Unpaired, issue_unpaired
from schemas.base import Browser
from schemas.contract import Purpose

STATUS: Final = {
    "stale": 401,
    "bad-nonce": 401,
    "wrong-url": 401,
    "unknown-device": 404,
    "unknown-challenge": 404,
    "replayed-nonce": 409,
    "already-answered": 409,
    "expired": 410,
    "too-many-requests": 429,
}
OUTCOMES = {"approve": "approved", "deny": "denied", "report": "reported"}


class FakeServices:
    """Push, pairing and login service at one origin.

    Attributes:
        origin: Where they are.
        refusals: Problems that the next signed requests meet, one each, before anything else is looked at.
        headers: Headers of those refusals.
        agreement: The login service's key pair for the secrets of verification codes.
        served: The keys in the key set.
        requests: The signed requests that were accepted, in order.
        parted: Statements by device that each of its sockets gets: that it no longer answers for an account.
        receipts: Ids of the challenges that devices say they show.
        outcomes: The outcomes of the next answers, one each; after those, as the answer says.
        sent_along: The challenges that came with answers.
        nonces_given: How many nonces were asked for on their own.
        openings: How many sockets were opened.
        socket_problem: A problem that each socket meets, or None.
        clock_offset: How far the services' clock is ahead of this machine's.

    """

    def __init__(self) -> None:
        self.origin = ""
        self.key = PrivateKey.generate()
        self.agreement = AgreementPrivateKey.generate()
        self.served = [self.key]
        self.refusals: list[str] = []
        self.headers: dict[str, str] = {}
        self.problem_members: dict[str, Any] = {}
        self.requests: list[SignedRequest] = []
        self.attempts = 0
        self.parted: dict[str, list[str]] = defaultdict(list)
        self.receipts: list[str] = []
        self.outcomes: list[str] = []
        self.sent_along: list[str] = []
        self.nonces_given = 0
        self.openings = 0
        self.socket_problem: str | None = None
        self.answer_gate = asyncio.Event()
        self.answer_gate.set()
        self.discovery_gate = asyncio.Event()
        self.discovery_gate.set()
        self.clock_offset = timedelta()
        self._sockets: dict[str, set[web.WebSocketResponse]] = defaultdict(set)
        self.waiting: dict[str, dict[str, str]] = {}
        self._nonces: set[str] = set()

    def now(self) -> datetime:
        """Return the services' time."""
        return datetime.now(UTC) + self.clock_offset

    def claims(self, device_id: str, purpose: Purpose, **changes: object) -> Claims:
        """Build the claims of a valid challenge, with changes."""
        now = int(self.now().timestamp())
        issuer = PinnedIssuer(issuer=self.origin, keys=(self.key.public.thumbprint,), agreement=self.agreement.public)
        fine: dict[str, object] = {
            "iss": self.origin,
            "aud": device_id,
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + 120,
            "purpose": purpose,
            "reply_key": "account-1",
            "service": "Account Manager",
            "account_id": "account-1",
            "account_name": "ann@example.com",
            "browser": Browser(name="Firefox on Linux", address="192.0.2.7"),
            "login_issuer": issuer if purpose is Purpose.PAIRING else None,
        }
        return Claims.model_validate({**fine, **changes})

    async def ask(self, claims: Claims, key: PrivateKey | None = None) -> str:
        """Send a challenge to its device, and keep it pending until the answer."""
        challenge = issue_challenge(self.key if key is None else key, claims)
        self.waiting.setdefault(claims.aud, {})[claims.jti] = challenge
        await self._send(claims.aud, {"type": "challenge", "challenge": challenge})
        return challenge

    def parting(self, device_id: str, pairing_id: str, key: PrivateKey | None = None, /, **changes: str) -> str:
        """Sign a statement that account-1 has removed the device, with changes."""
        fine = {
            "iss": self.origin,
            "aud": device_id,
            "iat": int(self.now().timestamp()),
            "account_id": "account-1",
            "pairing_id": pairing_id,
        }
        return issue_unpaired(self.key if key is None else key, Unpaired.model_validate({**fine, **changes}))

    async def part(self, device_id: str, statement: str) -> None:
        """Send a statement to a device now, and again whenever it connects."""
        self.parted[device_id].append(statement)
        await self._send(device_id, {"type": "unpaired", "statement": statement})

    async def end(self, claims: Claims, reason: str) -> None:
        """Notify the device that a challenge has ended."""
        self.end_unheard(claims)
        await self._send(claims.aud, {"type": "ended", "challenge_id": claims.jti, "reason": reason})

    def end_unheard(self, claims: Claims) -> None:
        """End a challenge without notifying its device."""
        self.waiting[claims.aud].pop(claims.jti, None)

    async def ping(self, device_id: str, *, with_time: bool = True) -> None:
        """Send the device a ping; older services omitted the time."""
        time: dict[str, object] = {"server_time": self.now().isoformat()} if with_time else {}
        await self._send(device_id, {"type": "ping", **time})

    async def hang_up(self, device_id: str | None = None, *, code: int = WSCloseCode.OK) -> None:
        """Close the sockets of a device, or of all."""
        devices = list(self._sockets) if device_id is None else [device_id]
        for socket in [socket for device in devices for socket in self._sockets.pop(device, ())]:
            await socket.close(code=code)

    async def _send(self, device_id: str, frame: dict[str, object]) -> None:
        for socket in tuple(self._sockets[device_id]):
            if not socket.closed:
                await socket.send_json(frame)

    def application(self) -> web.Application:
        """Return the web application."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/.well-known/countersign", self._discovery),
                web.get("/.well-known/jwks.json", self._key_set),
                web.get("/nonce", self._nonce),
                web.get("/socket", self._socket),
                web.post("/phrases", self._phrases),
                web.post("/challenges/{id}/answer", self._answer),
            ]
        )
        return application

    async def _discovery(self, _: web.Request) -> web.Response:
        await self.discovery_gate.wait()
        return web.json_response(
            {
                "product_name": "Salesforce Authenticator",
                "pairing_url": self.origin,
                "socket_url": f"{self.origin.replace('http', 'ws', 1)}/socket",
                "server_time": self.now().isoformat(),
                "not_known_yet": True,
            }
        )

    async def _key_set(self, _: web.Request) -> web.Response:
        keys = [{**key.public.jwk, "kid": key.public.thumbprint} for key in self.served]
        return web.json_response({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, *keys]})

    async def _nonce(self, _: web.Request) -> web.Response:
        self.nonces_given += 1
        return web.Response(status=204, headers={"Replay-Nonce": self._new_nonce()})

    def _new_nonce(self) -> str:
        nonce = secrets.token_urlsafe(12)
        self._nonces.add(nonce)
        return nonce

    def _problem(self, name: str) -> web.Response:
        document = {
            "type": f"urn:countersign:problem:{name}",
            "title": name,
            "status": STATUS.get(name, 503),
            "detail": f"It is {name}.",
            **self.problem_members,
        }
        return web.json_response(
            document,
            status=STATUS.get(name, 503),
            content_type="application/problem+json",
            headers={"Replay-Nonce": self._new_nonce(), **self.headers},
        )

    async def _signed(self, request: web.Request, typ: str) -> SignedRequest | web.Response:
        self.attempts += 1
        if self.refusals:
            return self._problem(self.refusals.pop(0))
        try:
            signed = verify_request(
                await request.text(), path=request.path, origins={self.origin}, now=self.now(), typ=typ
            )
        except RequestRefusedError as error:
            return self._problem(error.refusal)
        if signed.nonce not in self._nonces:
            return self._problem("bad-nonce")
        self._nonces.remove(signed.nonce)
        self.requests.append(signed)
        return signed

    async def _phrases(self, request: web.Request) -> web.Response:
        signed = await self._signed(request, REQUEST_TYPE)
        if isinstance(signed, web.Response):
            return signed
        expires_at = self.now() + timedelta(minutes=5)
        body = {"phrase": "crimson otter", "expires_at": expires_at.isoformat()}
        return web.json_response(body, status=201, headers={"Replay-Nonce": self._new_nonce()})

    async def _answer(self, request: web.Request) -> web.Response:
        signed = await self._signed(request, ANSWER_TYPE)
        if isinstance(signed, web.Response):
            return signed
        waiting, challenge_id = self.waiting.get(signed.device.thumbprint, {}), request.match_info["id"]
        if challenge_id not in waiting:
            return self._problem("unknown-challenge")
        self.sent_along.append(request.headers.get(CHALLENGE_HEADER, ""))
        verdict = signed.payload["verdict"]
        outcome = self.outcomes.pop(0) if self.outcomes else OUTCOMES[verdict]
        if outcome != "received":
            del waiting[challenge_id]
        await self.answer_gate.wait()
        body = {"verdict": verdict, "answered_at": self.now().isoformat(), "outcome": outcome}
        return web.json_response(body, headers={"Replay-Nonce": self._new_nonce()})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        nonce = self._new_nonce()
        await socket.send_json({"type": "hello", "nonce": nonce})
        opening = json.loads(await socket.receive_str())
        url = f"{self.origin.replace('http', 'ws', 1)}"
        if self.socket_problem is not None:
            document = {"type": f"urn:countersign:problem:{self.socket_problem}", "status": 401, "detail": "No."}
            await socket.send_json({"type": "problem", "problem": document})
            await socket.close(code=4400)
            return socket
        signed = verify_request(opening["request"], path="/socket", origins={url}, now=self.now())
        if signed.nonce != nonce:
            await socket.close(code=4400)
            return socket
        self.openings += 1
        device_id = signed.device.thumbprint
        self._sockets[device_id].add(socket)
        await socket.send_json({"type": "ready", "server_time": self.now().isoformat()})
        for challenge in self.waiting.get(device_id, {}).values():
            await socket.send_json({"type": "challenge", "challenge": challenge})
        for statement in self.parted[device_id]:
            await socket.send_json({"type": "unpaired", "statement": statement})
        await socket.send_json({"type": "waiting", "challenge_ids": list(self.waiting.get(device_id, {}))})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.receipts.append(json.loads(message.data)["challenge_id"])
        self._sockets[device_id].discard(socket)
        return socket


@asynccontextmanager
async def fake_services() -> AsyncIterator[FakeServices]:
    """Serve them on a free port."""
    services = FakeServices()
    server = TestServer(services.application())
    await server.start_server()
    services.origin = str(server.make_url("")).rstrip("/")
    try:
        yield services
    finally:
        await services.hang_up()
        await server.close()
