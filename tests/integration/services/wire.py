"""The other side of a service under test: publishes what its neighbours would, and sees what it publishes."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from operations.deployment import ALL
from protocol.challenges import verify_proof
from schemas.base import Message
from schemas.codec import UndecodableError, decode
from schemas.contract import AuthResponse, ChallengeIssued, ChallengeOutcome
from schemas.topics import TopicKind
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.publisher import Publisher
from tests.builders import present
from tests.events import an_ended_challenge
from tests.polling import DEADLINE_SECONDS

MessageT = TypeVar("MessageT", bound=Message)
FoundT = TypeVar("FoundT")


class Wire:
    """A connection to the topics of one test deployment.

    Attributes:
        publisher: Publishes commands and events, as a neighbour.
        records: Every record that passed in the topics of events, commands and dead letters, in order of arrival.

    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.publisher = Publisher(KafkaConnection(bootstrap), prefix, "test")
        self.prefix = prefix
        self.records: list[ConsumerRecord] = []
        names = [f"{prefix}{topic.name}" for topic in ALL if topic.kind is not TopicKind.CHANGELOG]
        self._consumer = AIOKafkaConsumer(
            *names, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest"
        )
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.publisher.start()
        await self._consumer.start()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._consumer.stop()
        await self.publisher.stop()

    async def next(self, kind: type[MessageT], holds: Callable[[MessageT], bool] = lambda _message: True) -> MessageT:
        """Wait for a message of a kind of which something holds."""
        return present(await self._find(lambda: next((each for each in self.of(kind) if holds(each)), None)))

    async def dead_letter(self, topic: str, key: bytes | None) -> ConsumerRecord:
        """Wait for a dead letter of a topic with a key."""

        def look() -> ConsumerRecord | None:
            name = f"{self.prefix}{topic}.dlq"
            return next((each for each in self.records if each.topic == name and each.key == key), None)

        return await self._find(look)

    def of(self, kind: type[MessageT]) -> list[MessageT]:
        """Return the messages of a kind that passed so far."""
        found = []
        for record in self.records:
            if record.topic != f"{self.prefix}{kind.topic.name}":
                continue
            try:
                message = decode(record.key, record.value, record.headers).data
            except UndecodableError:
                continue
            if isinstance(message, kind):
                found.append(message)
        return found

    async def _find(self, look: Callable[[], FoundT | None]) -> FoundT:
        async with asyncio.timeout(DEADLINE_SECONDS), self._arrived:
            while (found := look()) is None:
                await self._arrived.wait()
            return found

    async def _read(self) -> None:
        async for record in self._consumer:
            async with self._arrived:
                self.records.append(record)
                self._arrived.notify_all()


async def decide(wire: Wire, issued: ChallengeIssued, outcome: ChallengeOutcome = ChallengeOutcome.APPROVED) -> None:
    """Decide on the answer to a challenge as its issuer does, once it is published."""
    response = await wire.next(AuthResponse, lambda each: each.challenge_id == issued.challenge_id)
    proof = verify_proof(response.challenge, response.answer)
    end = an_ended_challenge(issued, outcome, verdict=proof.verdict, answer_id=proof.answer_id)
    await wire.publisher.publish_command(end)
