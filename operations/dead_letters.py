"""Dead letters, read back: what services could not use, why, and sending it once more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from operations.deployment import CONSUMED
from schemas.codec import Headers, UndecodableError, decode
from services.common.clock import now
from services.common.kafka.dead_letters import ADDED, OFFSET, PARTITION, REASON, SERVICE, TIME, RecordPosition
from services.common.kafka.publisher import unreachable_text

RETRY_OF: Final = "dlq_retry_of"
"""Header of the note in a dead-letter topic that says which of its records was sent again."""
_TIMEOUT_SECONDS: Final = 60.0
_POLL_MILLISECONDS: Final = 500


class DeadLetterError(Exception):
    """Dead letters cannot be read, or one cannot be sent again. The text says why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that a service could not use.

    Attributes:
        place: Where it is now.
        origin: Where it came from.
        key: Its key.
        value: Its value.
        headers: Its headers as they were.
        reason: Why it was set aside.
        service: By which service.
        at: When.
        retried: How often it was sent again.

    """

    place: RecordPosition
    origin: RecordPosition
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    service: str
    at: str
    retried: int = 0

    @classmethod
    def of(cls, place: RecordPosition, key: bytes | None, value: bytes | None, headers: Headers) -> Self:
        """Read a record of a dead-letter topic.

        Args:
            place: Where it is.
            key: Its key.
            value: Its value.
            headers: All its headers, those among them that were added when it was set aside.

        """
        added = {name: content.decode(errors="replace") for name, content in headers if name in ADDED}
        return cls(
            place=place,
            origin=RecordPosition(
                place.topic.removesuffix(".dlq"),
                _number(added.get(PARTITION, ""), place.partition),
                _number(added.get(OFFSET, ""), -1),
            ),
            key=key,
            value=value,
            headers=[(name, content) for name, content in headers if name not in ADDED],
            reason=added.get(REASON, ""),
            service=added.get(SERVICE, ""),
            at=added.get(TIME, ""),
        )

    @property
    def type(self) -> str:
        """Its CloudEvents type, empty if it has none."""
        return dict(self.headers).get("ce_type", b"").decode(errors="replace")

    @property
    def fault(self) -> str:
        """What keeps it from being read even now; empty if it can be."""
        try:
            decode(self.key, self.value, self.headers)
        except UndecodableError as error:
            return str(error)
        return ""


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """The dead-letter topics of a deployment."""

    bootstrap: str
    prefix: str
    _consumer: AIOKafkaConsumer
    _producer: AIOKafkaProducer

    async def letters(self) -> list[DeadLetter]:
        """Read all that is there now, oldest first.

        Raises:
            DeadLetterError: If the topics are missing, or Kafka does not answer in time.

        """
        found: list[DeadLetter] = []
        retries: dict[str, int] = {}
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                async for record in self._records():
                    headers = [(name, value or b"") for name, value in record.headers]
                    retried = dict(headers).get(RETRY_OF)
                    if retried is not None:
                        name = f"{record.topic}/{retried.decode()}"
                        retries[name] = retries.get(name, 0) + 1
                    else:
                        place = RecordPosition(record.topic, record.partition, record.offset)
                        found.append(DeadLetter.of(place, record.key, record.value, headers))
        except (KafkaError, TimeoutError) as error:
            text = f"the dead letters cannot be read: {error or 'Kafka does not answer'}"
            raise DeadLetterError(text) from error
        ordered = sorted(found, key=lambda letter: (letter.at, str(letter.place)))
        return [replace(letter, retried=retries.get(str(letter.place), 0)) for letter in ordered]

    async def retry(self, letter: DeadLetter) -> None:
        """Send one to where it came from, and note that in its dead-letter topic.

        Whoever reads it decides it as if it came for the first time; what was decided before is not decided again. It
        goes to its key's partition, which may be another one than it came from.

        Raises:
            DeadLetterError: If Kafka does not take it.

        """
        try:
            await self._producer.send_and_wait(letter.origin.topic, letter.value, letter.key, headers=letter.headers)
            note = [
                (RETRY_OF, f"{letter.place.partition}/{letter.place.offset}".encode()),
                (TIME, now().isoformat().encode()),
            ]
            await self._producer.send_and_wait(
                letter.place.topic, None, letter.key, letter.place.partition, headers=note
            )
        except KafkaError as error:
            text = f"{letter.place} could not be sent again: {error}"
            raise DeadLetterError(text) from error

    async def _records(self) -> AsyncIterator[ConsumerRecord]:
        partitions = await _partitions(self.bootstrap, [f"{self.prefix}{topic.dead_letter.name}" for topic in CONSUMED])
        self._consumer.assign(partitions)
        await self._consumer.seek_to_beginning()
        ends = await self._consumer.end_offsets(partitions)
        missing = {each for each in partitions if await self._consumer.position(each) < ends[each]}
        while missing:
            for batch in (await self._consumer.getmany(timeout_ms=_POLL_MILLISECONDS)).values():
                for record in batch:
                    yield record
            missing = {each for each in missing if await self._consumer.position(each) < ends[each]}


@asynccontextmanager
async def dead_letter_queue(bootstrap: str, prefix: str) -> AsyncIterator[DeadLetterQueue]:
    """Connect to the dead letters.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.

    Raises:
        DeadLetterError: If Kafka cannot be reached.

    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    try:
        try:
            await consumer.start()
            await producer.start()
        except KafkaError as error:
            raise DeadLetterError(unreachable_text(bootstrap)) from error
        yield DeadLetterQueue(bootstrap, prefix, consumer, producer)
    finally:
        await consumer.stop()
        await producer.stop()


async def _partitions(bootstrap: str, topics: list[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        described = await admin.describe_topics(topics)
    finally:
        await admin.close()
    found = []
    for topic in described:
        if topic["error_code"]:
            text = f"topic {topic['topic']} is missing; `countersign topics apply` makes it"
            raise DeadLetterError(text)
        found += [TopicPartition(topic["topic"], each["partition"]) for each in topic["partitions"]]
    return found


def _number(text: str, otherwise: int) -> int:
    """Read a number that anybody may have written."""
    return int(text) if text.isascii() and text.isdecimal() else otherwise
