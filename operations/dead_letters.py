"""Reads the dead-letter topics, and retries dead letters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from operations.deployment import CONSUMED
from schemas.codec import Headers, UndecodableError, decode
from services.common.clock import now
from services.common.kafka.connection import KafkaConnection, unreachable_text
from services.common.kafka.dead_letters import ADDED, OFFSET, PARTITION, REASON, SERVICE, TIME, RecordPosition

RETRY_OF: Final = "dlq_retry_of"
"""Header of the record in a dead-letter topic that marks another record there as retried."""
_TIMEOUT_SECONDS: Final = 60.0
_POLL_MILLISECONDS: Final = 500


class DeadLetterError(Exception):
    """Dead letters cannot be read, or one cannot be retried. The text says why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter: a poison message with the reason.

    Attributes:
        place: Its position in the dead-letter topic.
        origin: Its position in the original topic.
        key: The record's key.
        value: The record's value.
        headers: The record's original headers.
        reason: Why the service rejected it.
        service: The service.
        at: When the service rejected it, ISO 8601.
        retried: The number of retries.

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
        """Parse a record of a dead-letter topic; `headers` are all of its headers."""
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
        """Its CloudEvents type; empty if it has none."""
        return dict(self.headers).get("ce_type", b"").decode(errors="replace")

    @property
    def fault(self) -> str:
        """Why it still cannot be decoded; empty if it can be."""
        try:
            decode(self.key, self.value, self.headers)
        except UndecodableError as error:
            return str(error)
        return ""


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """The dead-letter topics of a deployment."""

    connection: KafkaConnection
    prefix: str
    _consumer: AIOKafkaConsumer
    _producer: AIOKafkaProducer

    async def letters(self) -> list[DeadLetter]:
        """Return the current dead letters, oldest first.

        Raises:
            DeadLetterError: If the topics are missing, or Kafka does not respond in time.

        """
        letters: list[DeadLetter] = []
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
                        letters.append(DeadLetter.of(place, record.key, record.value, headers))
        except (KafkaError, TimeoutError) as error:
            text = f"the dead letters cannot be read: {error or 'Kafka does not answer'}"
            raise DeadLetterError(text) from error
        ordered = sorted(letters, key=lambda letter: (letter.at, str(letter.place)))
        return [replace(letter, retried=retries.get(str(letter.place), 0)) for letter in ordered]

    async def retry(self, letter: DeadLetter) -> None:
        """Send a dead letter to its original topic, and mark it as retried.

        The reader handles it like a new record; idempotency prevents a second decision. The record goes to its key's
        partition, which may differ from the original one.

        Raises:
            DeadLetterError: If Kafka does not accept it.

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
            text = f"{letter.place} could not be sent: {error}"
            raise DeadLetterError(text) from error

    async def _records(self) -> AsyncIterator[ConsumerRecord]:
        partitions = await _partitions(
            self.connection, [f"{self.prefix}{topic.dead_letter.name}" for topic in CONSUMED]
        )
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
async def dead_letter_queue(connection: KafkaConnection, prefix: str) -> AsyncIterator[DeadLetterQueue]:
    """Connect to the dead-letter topics.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix.

    Raises:
        DeadLetterError: If Kafka cannot be reached.

    """
    consumer = connection.consumer(group_id=None, auto_offset_reset="earliest")
    producer = connection.producer(acks="all")
    try:
        try:
            await connection.start(consumer, producer)
        except KafkaError as error:
            raise DeadLetterError(unreachable_text(connection, error)) from error
        yield DeadLetterQueue(connection, prefix, consumer, producer)
    finally:
        await consumer.stop()
        await producer.stop()


async def _partitions(connection: KafkaConnection, topics: list[str]) -> list[TopicPartition]:
    admin = connection.admin()
    try:
        await connection.start(admin)
        described = await admin.describe_topics(topics)
    finally:
        await admin.close()
    found = []
    for topic in described:
        if topic["error_code"]:
            text = f"topic {topic['topic']} is missing; `countersign topics apply` creates it"
            raise DeadLetterError(text)
        found += [TopicPartition(topic["topic"], each["partition"]) for each in topic["partitions"]]
    return found


def _number(text: str, default: int) -> int:
    """Parse a number from an untrusted header."""
    return int(text) if text.isascii() and text.isdecimal() else default
