"""A device as bare as the protocol: one key, one socket, signed requests. It checks nothing, so a test can break it."""

import uuid
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import aiohttp

from deploy.local.stack import Stack
from protocol.challenges import CHALLENGE_HEADER, Claims, issue_challenge, sign_answer
from protocol.jose import PrivateKey
from protocol.phrases import phrase_digest, read_phrase
from protocol.signed_requests import sign_request
from protocol.unpaired import Unpaired, issue_unpaired
from schemas.base import AgreementKey, Browser
from schemas.contract import ChallengeIssued, DeviceUnpaired, PairingRequested, Purpose, Verdict
from services.common.keys.keys import load_secret
from tests.polling import DEADLINE_SECONDS

ISSUER = PrivateKey.generate()
ISSUER_URL = "http://localhost:8100"
LIFETIME_SECONDS = 120


class Device:
    """A device that talks to one service.

    Attributes:
        key: Its key.
        url: The service's URL.

    """

    def __init__(self, url: str, key: PrivateKey | None = None) -> None:
        self.url = url
        self.key = key or PrivateKey.generate()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its sockets."""
        await self._session.close()

    @property
    def device_id(self) -> str:
        """The device's id."""
        return self.key.public.thumbprint

    async def nonce(self) -> str:
        """Get a nonce."""
        async with self._session.get(f"{self.url}/nonce") as response:
            return response.headers["Replay-Nonce"]

    async def post(self, path: str, body: str, challenge: str | None = None) -> tuple[int, dict[str, Any]]:
        """Post a body to a path, with the challenge that it is an answer to if that is given.

        Returns:
            The status, and the response's document.

        """
        along = {} if challenge is None else {CHALLENGE_HEADER: challenge}
        headers = {"Content-Type": "application/jose", **along}
        async with self._session.post(f"{self.url}{path}", data=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def request(self, path: str, payload: dict[str, object], **changes: Any) -> str:
        """Sign a request."""
        fields = {"url": f"{self.url}{path}", "nonce": await self.nonce(), "at": datetime.now(UTC), **changes}
        return sign_request(self.key, payload=payload, **fields)

    async def answer(self, issued: ChallengeIssued, verdict: Verdict = Verdict.APPROVE, **changes: Any) -> str:
        """Sign an answer."""
        url = f"{self.url}/challenges/{issued.challenge_id}/answer"
        fields = {
            "url": url,
            "nonce": await self.nonce(),
            "at": datetime.now(UTC),
            "challenge": issued.challenge,
            **changes,
        }
        return sign_answer(self.key, verdict=verdict, **fields)

    async def connect(self, name: str = "Test phone") -> aiohttp.ClientWebSocketResponse:
        """Open the socket."""
        socket = await self._session.ws_connect(f"{self.url}/socket")
        hello = await socket.receive_json(timeout=DEADLINE_SECONDS)
        url = f"{self.url.replace('http', 'ws', 1)}/socket"
        signed = sign_request(
            self.key, url=url, nonce=hello["nonce"], at=datetime.now(UTC), payload={"device_name": name}
        )
        await socket.send_json({"type": "open", "request": signed})
        ready = await socket.receive_json(timeout=DEADLINE_SECONDS)
        assert ready["type"] == "ready", ready
        return socket


async def news(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next frame about a challenge, its end, or the end of a pairing."""
    while True:
        frame: dict[str, Any] = await socket.receive_json(timeout=DEADLINE_SECONDS)
        if frame["type"] in {"challenge", "ended", "unpaired"}:
            return frame


def a_challenge(
    device_id: str, challenge_id: str, lifetime_seconds: float = LIFETIME_SECONDS, *, number_matching: bool = False
) -> ChallengeIssued:
    """Return a challenge for a device, as a login service that the test plays issues it."""
    at = datetime.now(UTC)
    expires_at = at + timedelta(seconds=lifetime_seconds)
    claims = Claims(
        iss=ISSUER_URL,
        aud=device_id,
        jti=challenge_id,
        iat=int(at.timestamp()),
        exp=int(expires_at.timestamp()),
        purpose=Purpose.LOGIN,
        reply_key="alex",
        service="Account Manager",
        account_id="alex",
        account_name="Alex",
        browser=Browser(name="Firefox on Linux", address="192.0.2.7"),
        number_matching=number_matching,
    )
    return ChallengeIssued(
        challenge_id=challenge_id,
        device_id=device_id,
        reply_key="alex",
        purpose=Purpose.LOGIN,
        challenge=issue_challenge(ISSUER, claims),
        issued_at=at,
        expires_at=expires_at,
    )


def a_claim(
    stack: Stack, phrase: str, lifetime_seconds: float = LIFETIME_SECONDS, issuer_agreement: AgreementKey | None = None
) -> PairingRequested:
    """Return what the same login service publishes when a phrase was entered."""
    at = datetime.now(UTC)
    return PairingRequested(
        phrase_digest=phrase_digest(load_secret(stack.secrets, "phrase"), read_phrase(phrase)),
        pairing_id=uuid.uuid4().hex,
        account_id="alex",
        account_name="Alex",
        service_name="Account Manager",
        issuer=ISSUER_URL,
        issuer_keys=(ISSUER.public.thumbprint,),
        issuer_agreement=issuer_agreement,
        browser=Browser(name="Firefox on Linux", address="192.0.2.7"),
        requested_at=at,
        expires_at=at + timedelta(seconds=lifetime_seconds),
    )


def an_unpairing(device_id: str, pairing_id: str) -> DeviceUnpaired:
    """Return the end of a device's pairing, as the same login service publishes it."""
    at = int(datetime.now(UTC).timestamp())
    statement = Unpaired(iss=ISSUER_URL, aud=device_id, iat=at, account_id="alex", pairing_id=pairing_id)
    return DeviceUnpaired(
        account_id="alex",
        device_id=device_id,
        pairing_id=pairing_id,
        reason="removed",
        statement=issue_unpaired(ISSUER, statement),
    )
