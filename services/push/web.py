"""The push service's endpoints: discovery, devices' answers, and the authenticator web app."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import ValidationError

from protocol.challenges import ANSWER_TYPE, Answer
from protocol.signed_requests import Refusal, RequestRefusedError, SignedRequest
from schemas.push_messages import SubmitAnswer
from services.common.clock import now
from services.common.decisions import OK
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.common.telemetry.tracing import join_trace
from services.common.web.device_requests import STATUS, SignedRequestVerifier
from services.common.web.web import problem
from services.push.domain.channel import Channel
from services.push.settings import PushSettings

WEB_APP: Final = Path(__file__).parents[2] / "authenticator" / "web"
DETAILS: Final[dict[str, str]] = {
    Refusal.REPLAYED: "This request was already sent; the first one counted.",
    Refusal.TOO_MANY: "This device sent too many requests. Wait a moment.",
    Refusal.UNKNOWN_CHALLENGE: "This request is not waiting for this device. It may have been canceled.",
    Refusal.ALREADY_ANSWERED: "This request was already answered.",
    Refusal.EXPIRED: "The request expired before the answer arrived.",
    Refusal.WRONG_CHALLENGE: "The answer is for another challenge than the one that was sent.",
}


class PushWeb:
    """Serves the endpoints."""

    def __init__(
        self,
        settings: PushSettings,
        verifier: SignedRequestVerifier,
        channels: View[Channel],
        publisher: Publisher,
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._channels = channels
        self._publisher = publisher

    async def index(self, _request: web.Request) -> web.FileResponse:
        """Serve the web app's page."""
        return web.FileResponse(WEB_APP / "index.html", headers={"Cache-Control": "no-cache"})

    async def discovery(self, _request: web.Request) -> web.Response:
        """Serve the services' addresses and the time (docs/protocol.md, section 2)."""
        url = self._settings.url
        return web.json_response(
            {
                "product_name": self._settings.product_name,
                "pairing_url": self._settings.pairing_url.rstrip("/"),
                "socket_url": f"{url.replace('http', 'ws', 1)}/socket",
                "server_time": now().isoformat(),
            },
            headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"},
        )

    async def answer(self, request: web.Request) -> web.Response:
        """Submit a device's answer, and respond once Kafka has the decision (docs/protocol.md, section 7)."""
        try:
            signed = await self._verifier.read(request, ANSWER_TYPE)
            answer = _read_answer(signed)
        except RequestRefusedError as error:
            return self._verifier.refuse(error.refusal, str(error))
        channel = self._channels.get(signed.device.thumbprint)
        if channel is None:
            return self._verifier.refuse(Refusal.UNKNOWN_DEVICE, "This device is unknown. Open the socket first.")
        challenge_id = request.match_info["challenge_id"]
        waiting = channel.waiting(challenge_id)
        if waiting is not None:
            join_trace(waiting.traceparent)
        return await self._submit(signed, answer, challenge_id)

    async def _submit(self, signed: SignedRequest, answer: Answer, challenge_id: str) -> web.Response:
        device_id = signed.device.thumbprint
        try:
            command = SubmitAnswer(
                device_id=device_id,
                at=now(),
                challenge_id=challenge_id,
                nonce=signed.nonce,
                verdict=answer.verdict,
                challenge_digest=answer.challenge_digest,
                answer=signed.compact,
            )
        except ValidationError:
            return self._verifier.refuse(Refusal.MALFORMED, "The URL has a malformed challenge id.")
        decided = await self._channels.await_outcome(device_id, await self._publisher.publish_command(command))
        if decided is None:
            raise UnavailableError
        outcome, channel = decided
        answered = channel.answer_to(challenge_id)
        if outcome == OK:
            body = {"verdict": answer.verdict.value, "answered_at": command.at.isoformat()}
            return web.json_response(body, headers=self._verifier.headers())
        refusal = Refusal(outcome)
        if refusal is Refusal.ALREADY_ANSWERED and answered is not None:
            extra = {"verdict": answered.verdict.value}
            return problem(STATUS[refusal], refusal, DETAILS[refusal], self._verifier.headers(), extra)
        return self._verifier.refuse(refusal, DETAILS[refusal])


def content_security_policy(settings: PushSettings) -> str:
    """Return the policy of the authenticator's pages (CSP level 3)."""
    origins = {_origin(url) for url in (settings.pairing_url, *settings.issuer_urls)}
    socket = settings.url.replace("http", "ws", 1)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; "
        f"worker-src 'self'; connect-src 'self' {socket} {' '.join(sorted(origins))}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _read_answer(signed: SignedRequest) -> Answer:
    try:
        return Answer.model_validate(signed.payload)
    except ValidationError as error:
        raise RequestRefusedError(Refusal.MALFORMED, "The payload needs challenge_digest and verdict.") from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
