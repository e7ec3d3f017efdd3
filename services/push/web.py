"""The push service's endpoints: answers of devices, their sockets, and the authenticator web app itself."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import ValidationError

from protocol.challenges import ANSWER_TYPE, Answer
from protocol.signed_requests import Refusal, RequestRefusedError, SignedRequest
from schemas.push_commands import SubmitAnswer
from services.common.clock import now
from services.common.decisions import OK
from services.common.instance.health import Health
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.common.telemetry.telemetry import Telemetry
from services.common.telemetry.tracing import Tracing
from services.common.web.device_requests import CORS, STATUS, SignedRequestVerifier, allow_any_origin
from services.common.web.openapi import serve_document
from services.common.web.web import make_web, problem, render_problem
from services.push.domain.rows import Channel
from services.push.openapi import describe
from services.push.settings import PushSettings
from services.push.sockets import Sockets

WEB_APP: Final = Path(__file__).parents[2] / "authenticator" / "web"
DETAILS: Final[dict[str, str]] = {
    Refusal.REPLAYED: "This request was here before; the first one counted.",
    Refusal.TOO_MANY: "Too many requests of this device; wait a little.",
    Refusal.UNKNOWN_CHALLENGE: "No such request waits for this device. It may have been cancelled.",
    Refusal.ALREADY_ANSWERED: "This request was answered before.",
    Refusal.EXPIRED: "The answer came too late; the request has expired.",
    Refusal.WRONG_CHALLENGE: "The answer is to another challenge than the one that was sent.",
}


class PushWeb:
    """The web side of one instance."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of one web side
        self,
        settings: PushSettings,
        gate: SignedRequestVerifier,
        channels: View[Channel],
        publisher: Publisher,
        sockets: Sockets,
        tracing: Tracing,
    ) -> None:
        """Take the parts that it needs."""
        self._settings = settings
        self._gate = gate
        self._channels = channels
        self._publisher = publisher
        self._sockets = sockets
        self._tracing = tracing

    def make(self, health: Health, telemetry: Telemetry) -> web.Application:
        """Return the web application."""
        application = make_web(health, telemetry, render_problem, self._content_security_policy(), CORS)
        router = application.router
        router.add_get("/.well-known/countersign", self.discovery)
        router.add_get("/nonce", self._gate.serve_nonce)
        router.add_post("/challenges/{challenge_id}/answer", self.answer)
        router.add_options("/challenges/{challenge_id}/answer", allow_any_origin)
        router.add_get("/socket", self._sockets.serve)
        router.add_get("/", self.index)
        serve_document(application, describe(self._settings.url, WEB_APP))
        router.add_static("/", WEB_APP, append_version=False)
        application.on_shutdown.append(self._sockets.close_all)
        return application

    async def index(self, _request: web.Request) -> web.FileResponse:
        """Serve the authenticator."""
        return web.FileResponse(WEB_APP / "index.html", headers={"Cache-Control": "no-cache"})

    async def discovery(self, _request: web.Request) -> web.Response:
        """Tell a device where everything is (docs/protocol.md, section 2)."""
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
        """Take a device's answer; reply once Kafka has the decision on it (docs/protocol.md, section 7)."""
        try:
            signed = await self._gate.read(request, ANSWER_TYPE)
            said = _read_answer(signed)
        except RequestRefusedError as error:
            return self._gate.refuse(error.refusal, str(error))
        channel = self._channels.get(signed.device.thumbprint)
        if channel is None:
            return self._gate.refuse(Refusal.UNKNOWN_DEVICE, "Open the socket first, so that this device is known.")
        challenge_id = request.match_info["challenge_id"]
        waiting = channel.waiting(challenge_id)
        if waiting is not None:
            self._tracing.join(waiting.traceparent)
        return await self._submit(signed, said, challenge_id)

    async def _submit(self, signed: SignedRequest, said: Answer, challenge_id: str) -> web.Response:
        device_id = signed.device.thumbprint
        try:
            command = SubmitAnswer(
                device_id=device_id,
                at=now(),
                challenge_id=challenge_id,
                nonce=signed.nonce,
                verdict=said.verdict,
                challenge_digest=said.challenge_digest,
                answer=signed.compact,
            )
        except ValidationError:
            return self._gate.refuse(Refusal.MALFORMED, "The challenge's id in the URL is not one.")
        decided = await self._channels.await_outcome(device_id, await self._publisher.publish_command(command))
        if decided is None:
            raise UnavailableError
        outcome, channel = decided
        answered = channel.answer_to(challenge_id)
        if outcome == OK:
            body = {"verdict": said.verdict.value, "answered_at": command.at.isoformat()}
            return web.json_response(body, headers=self._gate.headers())
        refusal = Refusal(outcome)
        if refusal is Refusal.ALREADY_ANSWERED and answered is not None:
            extra = {"verdict": answered.verdict.value}
            return problem(STATUS[refusal], refusal, DETAILS[refusal], self._gate.headers(), extra)
        return self._gate.refuse(refusal, DETAILS[refusal])

    def _content_security_policy(self) -> str:
        origins = {_origin(url) for url in (self._settings.pairing_url, *self._settings.issuer_urls)}
        socket = self._settings.url.replace("http", "ws", 1)
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
