"""An instance of the push service without Kafka: a test brings what it reads, and sees what it publishes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import pytest

from protocol.challenges import ANSWER_TYPE, Answer
from protocol.jose import verify_embedded
from protocol.signed_requests import SignedRequest
from schemas.base import Message
from schemas.contract import AuthResponse, ChallengeEnded, ChallengeIssued, ChallengeOutcome, Verdict
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.publisher import UnavailableError
from services.common.waiters import Waiters
from services.push import answers
from services.push.answers import Answers, Submission
from services.push.domain.channel import Channel
from services.push.feed import ChallengeFeed
from tests.builders import LOGIN_URL, T0, Phone, a_key, a_phone, an_event, present
from tests.events import an_ended_challenge
from tests.unit.push.channel_history import a_channel, channel_after


class Channels:
    """The view of the channels, which a test changes.

    Attributes:
        ready: Whether it has caught up.

    """

    def __init__(self, *rows: Channel) -> None:
        self._rows = {each.device_id: each for each in rows}
        self._waiters = Waiters()
        self.ready = True

    def get(self, key: str) -> Channel | None:
        """Return a device's row."""
        if not self.ready:
            raise UnavailableError
        return self._rows.get(key)

    def watch(self, key: str, changed: asyncio.Event | None = None) -> AbstractContextManager[asyncio.Event]:
        """Yield an event that is set at each change."""
        return self._waiters.watch(key, changed)

    def change(self, row: Channel) -> None:
        """Let the tail read a row."""
        self._rows[row.device_id] = row
        self._waiters.wake(row.device_id)


class Issuers:
    """The issuers' keys.

    Attributes:
        reachable: Whether they can be fetched.

    """

    def __init__(self) -> None:
        self.reachable = True

    async def trusts(self, issuer: str, thumbprint: str) -> bool | None:
        """Trust the login service's key."""
        if not self.reachable:
            return None
        return (issuer, thumbprint) == (LOGIN_URL, a_key("login service").public.thumbprint)


@dataclass(frozen=True, slots=True)
class Published:
    """A response, and its event's id."""

    event_id: str
    response: AuthResponse


Decide = Callable[[Published], None]
"""What the issuer does about a response, at once."""


class Instance:
    """One instance.

    Attributes:
        at: The time by its clock.
        channels: Its view of the channels.
        feed: Its feed.
        issuers: The issuers' keys.
        published: What it has published.
        decide: The issuer; by default it takes its time.

    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, phone: Phone | None = None) -> None:
        monkeypatch.setattr(answers, "now", lambda: self.at)
        self.at: datetime = T0
        self.channels = Channels(a_channel(phone))
        self.feed = ChallengeFeed(KafkaConnection("kafka.invalid:9092"), "", cast("Any", self.channels))
        self.issuers = Issuers()
        self.published: list[Published] = []
        self.decide: Decide = lambda _published: None
        self._answers = Answers(self.feed, cast("Any", self.issuers), cast("Any", self))

    async def publish_command(self, message: AuthResponse, event_id: str) -> str:
        """Publish a response, as Kafka's publisher does."""
        published = Published(event_id, message)
        self.published.append(published)
        asyncio.get_running_loop().call_soon(self.decide, published)
        return event_id

    def read(self, *messages: Message) -> None:
        """Let the feed's tail read messages."""
        for each in messages:
            self.feed.apply(an_event(each))

    def read_rows(self, *messages: Message, phone: Phone | None = None) -> None:
        """Let the view's tail read the row after messages."""
        row = present(self.channels.get((phone or a_phone()).device_id))
        self.channels.change(channel_after(*messages, begin=row))

    def submit(  # noqa: PLR0913 - the parts of one request
        self,
        issued: ChallengeIssued,
        verdict: Verdict = Verdict.APPROVE,
        *,
        nonce: str = "nonce-1",
        phone: Phone | None = None,
        challenge_id: str | None = None,
        sent: str | None = None,
    ) -> Awaitable[Submission]:
        """Take a phone's answer, with the challenge that it sends along."""
        signed, answer = an_answer(issued, verdict, nonce=nonce, phone=phone)
        return self._answers.submit(signed, answer, challenge_id or issued.challenge_id, sent)


def an_answer(
    issued: ChallengeIssued, verdict: Verdict = Verdict.APPROVE, *, nonce: str = "nonce-1", phone: Phone | None = None
) -> tuple[SignedRequest, Answer]:
    """Return a phone's answer as the web side verified it."""
    phone = phone or a_phone()
    compact = phone.answer(issued.challenge, verdict, nonce=nonce)
    _header, device, payload = verify_embedded(compact, ANSWER_TYPE)
    answer = Answer.model_validate_json(payload)
    return SignedRequest(device, nonce, T0, answer.model_dump(mode="json", exclude_none=True), compact), answer


def an_end(
    issued: ChallengeIssued, verdict: Verdict = Verdict.APPROVE, *, phone: Phone | None = None
) -> ChallengeEnded:
    """Return how a challenge ended by an answer that counted."""
    outcome = {
        Verdict.APPROVE: ChallengeOutcome.APPROVED,
        Verdict.DENY: ChallengeOutcome.DENIED,
        Verdict.REPORT: ChallengeOutcome.REPORTED,
    }[verdict]
    _signed, answer = an_answer(issued, verdict, phone=phone)
    answer_id = answer.id_for(issued.device_id)
    return an_ended_challenge(issued, outcome, verdict=verdict, answer_id=answer_id)
