"""The pairing service's endpoint: a device requests a phrase."""

from math import ceil
from typing import Final

from aiohttp import hdrs, web

from protocol.phrases import draw_phrase, phrase_digest, read_phrase
from protocol.signed_requests import REQUEST_TYPE, Refusal, RequestRefusedError
from schemas.pairing_messages import RequestPhrase
from services.common.clock import now
from services.common.decisions import OK
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.common.web.device_requests import SignedRequestVerifier, device_name_in
from services.common.web.network_throttles import NetworkThrottles
from services.common.web.networks import network_of
from services.common.web.proxies import client_address
from services.pairing.domain.limits import PairingLimits
from services.pairing.domain.phrase import Phrase
from services.pairing.domain.requester import Requester

DRAWS: Final = 10
ISSUE_SECONDS: Final = 5.0
CONTENT_SECURITY_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
DETAILS: Final[dict[str, str]] = {
    Refusal.REPLAYED: "This request was already sent; the first one counted.",
    Refusal.TOO_MANY: "This device requested many phrases recently. Wait a moment.",
}

NETWORK_PAUSED: Final = "Devices of this network requested many phrases recently. Wait a moment."


class PairingWeb:
    """Serves the endpoint."""

    def __init__(  # noqa: PLR0913 - the parts of one web side
        self,
        *,
        verifier: SignedRequestVerifier,
        requesters: View[Requester],
        phrases: View[Phrase],
        publisher: Publisher,
        phrase_key: bytes,
        limits: PairingLimits,
        trusted_proxies: int,
    ) -> None:
        self._verifier = verifier
        self._requesters = requesters
        self._phrases = phrases
        self._publisher = publisher
        self._phrase_key = phrase_key
        self._limits = limits
        self._networks = NetworkThrottles(limits.networks)
        self._trusted_proxies = trusted_proxies

    async def new_phrase(self, request: web.Request) -> web.Response:
        """Issue a phrase, and return it once Kafka has it (docs/protocol.md, section 4)."""
        try:
            signed = await self._verifier.read(request, REQUEST_TYPE)
            name = device_name_in(signed)
        except RequestRefusedError as error:
            return self._verifier.refuse(error.refusal, str(error))
        device_id, moment = signed.device.thumbprint, now()
        paused_until = self._networks.count(network_of(client_address(request, self._trusted_proxies)), moment)
        if paused_until is not None:
            refusal = self._verifier.refuse(Refusal.TOO_MANY, NETWORK_PAUSED)
            refusal.headers[hdrs.RETRY_AFTER] = str(ceil((paused_until - moment).total_seconds()))
            return refusal
        phrase = self._draw()
        command = RequestPhrase(
            device_id=device_id,
            device_name=name,
            nonce=signed.nonce,
            phrase_digest=self._digest(phrase),
            at=moment,
            expires_at=moment + self._limits.phrase_lifetime,
        )
        decided = await self._requesters.await_outcome(device_id, await self._publisher.publish_command(command))
        if decided is None:
            raise UnavailableError
        if decided[0] != OK:
            return self._verifier.refuse(Refusal(decided[0]), DETAILS[decided[0]])
        issued = await self._phrases.wait_until(
            command.phrase_digest, lambda row: (row.device_id, row.issued_at) == (device_id, moment), ISSUE_SECONDS
        )
        if issued is None:
            raise UnavailableError
        body = {"phrase": phrase, "expires_at": command.expires_at.isoformat()}
        return web.json_response(body, status=201, headers=self._verifier.headers())

    def _draw(self) -> str:
        """Draw a phrase that is not in use."""
        for _ in range(DRAWS):
            phrase = draw_phrase()
            if self._phrases.get(self._digest(phrase)) is None:
                return phrase
        raise UnavailableError

    def _digest(self, phrase: str) -> str:
        return phrase_digest(self._phrase_key, read_phrase(phrase))
