"""The push service's endpoints: discovery, devices' answers, and the authenticator web app."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import ValidationError

from protocol.challenges import ANSWER_TYPE, CHALLENGE_HEADER
from protocol.signed_requests import Refusal, RequestRefusedError
from schemas.contract import ChallengeOutcome
from services.common.clock import now
from services.common.web.device_requests import STATUS, SignedRequestVerifier
from services.common.web.web import problem
from services.push.answers import Answers, read_answer
from services.push.domain.channel import EndedChallenge
from services.push.settings import PushSettings

WEB_APP: Final = Path(__file__).parents[2] / "authenticator" / "web"
DETAILS: Final[dict[str, str]] = {
    Refusal.UNKNOWN_CHALLENGE: "This request is not waiting for this device. It may have been canceled.",
    Refusal.ALREADY_ANSWERED: "This request was already answered.",
    Refusal.EXPIRED: "The request expired before the answer arrived.",
}
RECEIVED: Final = "received"
"""The outcome while the issuer has not decided yet."""


class PushWeb:
    """Serves the endpoints."""

    def __init__(
        self,
        settings: PushSettings,
        verifier: SignedRequestVerifier,
        answers: Answers,
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._answers = answers

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
        """Take a device's answer, and respond with what the issuer decided (docs/protocol.md, section 7)."""
        challenge_id = request.match_info["challenge_id"]
        try:
            signed = await self._verifier.read(request, ANSWER_TYPE)
            answer = read_answer(signed)
            challenge = request.headers.get(CHALLENGE_HEADER)
            submission = await self._answers.submit(signed, answer, challenge_id, challenge)
        except RequestRefusedError as error:
            return self._verifier.refuse(error.refusal, str(error))
        except ValidationError:
            return self._verifier.refuse(Refusal.MALFORMED, "The URL has a malformed challenge id.")
        ended = submission.ended
        if ended is not None and not submission.counted:
            return self._too_late(ended)
        body = {
            "verdict": answer.verdict.value,
            "answered_at": submission.at.isoformat(),
            "outcome": RECEIVED if ended is None else ended.outcome.value,
        }
        return web.json_response(body, headers=self._verifier.headers())

    def _too_late(self, ended: EndedChallenge) -> web.Response:
        """Refuse an answer to a challenge that had ended."""
        if ended.verdict is not None:
            refusal = Refusal.ALREADY_ANSWERED
            extra = {"verdict": ended.verdict.value, "outcome": ended.outcome.value}
            return problem(STATUS[refusal], refusal, DETAILS[refusal], self._verifier.headers(), extra)
        expired = ended.outcome is ChallengeOutcome.EXPIRED
        refusal = Refusal.EXPIRED if expired else Refusal.UNKNOWN_CHALLENGE
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


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
