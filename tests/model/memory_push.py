"""The push service's web side in memory: one instance that takes phones' answers, with its own code."""

import asyncio
import json
from typing import Any, cast
from unittest.mock import patch

from protocol.challenges import ANSWER_TYPE, verify_challenge
from protocol.jose import verify_embedded
from protocol.signed_requests import RequestRefusedError, SignedRequest
from schemas.contract import AuthResponse
from services.common.kafka.connection import KafkaConnection
from services.push import answers
from services.push.answers import Answers, read_answer
from services.push.feed import ChallengeFeed
from tests.builders import LOGIN_URL, PAIRING_URL, a_key
from tests.model.memory_kafka import CHANNELS, MemoryKafka
from tests.unit.push.instance import Channels

_LOOP = asyncio.new_event_loop()
ISSUERS = {(LOGIN_URL, "login service"), (PAIRING_URL, "pairing service")}
KEYS = {(url, a_key(name).public.thumbprint) for url, name in ISSUERS}


class MemoryPush:
    """Takes answers, and hands out what would be published."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka
        self._channels = Channels()
        self._feed = ChallengeFeed(KafkaConnection(""), "", cast("Any", self._channels))
        self._answers = Answers(self._feed, cast("Any", self), cast("Any", self))
        self._read = 0
        self._taken: list[tuple[AuthResponse, str]] = []

    def take(self, compact: str, challenge: str, nonce: str) -> tuple[AuthResponse, str] | None:
        """Return the response to publish, with its event's id; None if the answer is refused, or came too late.

        Args:
            compact: The answer, as a device signed it.
            challenge: The challenge that the device sends along; the URL names it.
            nonce: The request's nonce.

        """
        self._catch_up()
        _header, device, payload = verify_embedded(compact, ANSWER_TYPE)
        signed = SignedRequest(device, nonce, self._kafka.now, json.loads(payload), compact)
        now = patch.object(answers, "now", lambda: self._kafka.now)
        waits = (patch.object(answers, name, 0.0) for name in ("OUTCOME_SECONDS", "CHALLENGE_SECONDS"))
        with now, next(waits), next(waits):
            try:
                jti = verify_challenge(challenge)[0].jti
                _LOOP.run_until_complete(self._answers.submit(signed, read_answer(signed), jti, challenge))
            except RequestRefusedError:
                return None
        return self._taken.pop() if self._taken else None

    async def trusts(self, issuer: str, thumbprint: str) -> bool:
        """Trust the keys of both issuers."""
        return (issuer, thumbprint) in KEYS

    async def publish_command(self, response: AuthResponse, event_id: str) -> str:
        """Note what would be published."""
        self._taken.append((response, event_id))
        return event_id

    def _catch_up(self) -> None:
        """Read the topic of challenges as far as it was read, and the channels' rows as they are."""
        for event in self._kafka.log[self._read :]:
            self._feed.apply(event)
        self._read = len(self._kafka.log)
        for row in self._kafka.rows(CHANNELS).values():
            self._channels.change(row)
