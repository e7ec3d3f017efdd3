"""Poison messages: records that no service sends, among those that they do send.

Each carries a header by which the claims know it. Services ignore headers that they do not know.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError

from operations.deployment import ALL, CHANGELOGS, CONSUMED
from schemas.topics import AUTH_RESPONSE, DEVICE_PAIRED, TopicKind
from services.common.clock import new_id
from services.common.kafka.connection import KafkaConnection
from services.common.rows.fence import Stamp, is_mark, stamp_of

log = structlog.get_logger(__name__)
HEADER: Final = "chaos"
KEPT_RECORDS: Final = 60
"""How many records of each topic are kept, to be sent again."""
KEPT_SECONDS: Final = 45.0
"""No older record is sent again: Kafka repeats none that is older."""
POLL_MILLISECONDS: Final = 200
SEND_SECONDS: Final = 20.0
START_SECONDS: Final = 2.0


class Poison(StrEnum):
    """What is wrong with a record."""

    DUPLICATE = "duplicate"
    REORDERED = "reordered"
    VOID = "void"
    TRUNCATED = "truncated"
    GARBAGE = "garbage"
    EMPTY = "empty"
    UNKNOWN_TYPE = "unknown type"
    NO_ID = "no id"
    WRONG_KEY = "wrong key"
    FORGED = "forged"


CORRUPT: Final = frozenset(Poison) - {Poison.DUPLICATE, Poison.REORDERED, Poison.VOID}
"""What must become a dead letter. The others change nothing."""
_LOST_OWNER: Final = "chaos".rjust(22, "-")
"""The id of an owner that has lost its partition, or has never had it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as it is to be sent."""

    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


def spoil(poison: Poison, draft: Draft) -> Draft:
    """Return a record with something wrong.

    Args:
        poison: What.
        draft: A good record.

    """
    spoils = _SPOILS.get(poison)
    return draft if spoils is None else spoils(draft)


def _forge(draft: Draft) -> Draft:
    """Return an event that never was: an answer or a pairing whose signature does not hold."""
    head, mark, rest = (draft.value or b"").partition(b'"answer":"')
    answer, quote, tail = rest.partition(b'"')
    first, dot, signature = answer.rpartition(b".")
    other = signature[:10] + (b"A" if signature[10:11] != b"A" else b"B") + signature[11:]
    forged = head + mark + first + dot + other + quote + tail
    return Draft(draft.key, forged, {**draft.headers, "ce_id": new_id().encode()})


def _unnamed(draft: Draft) -> Draft:
    return replace(draft, headers={name: text for name, text in draft.headers.items() if name != "ce_id"})


def _of_no_type(draft: Draft) -> Draft:
    return replace(draft, headers={**draft.headers, "ce_type": b"countersign.nothing.like.it.v9"})


def _lose(draft: Draft) -> Draft:
    """Return a row as it would come from an owner that began the same term later than the one that stands."""
    stamp = stamp_of(draft.headers.items())
    lost = {} if stamp is None else dict([Stamp(stamp.term, _LOST_OWNER).header()])
    return replace(draft, headers={**draft.headers, **lost})


_SPOILS: Final[Mapping[Poison, Callable[[Draft], Draft]]] = {
    Poison.TRUNCATED: lambda draft: replace(draft, value=(draft.value or b"")[: len(draft.value or b"") // 2]),
    Poison.GARBAGE: lambda draft: replace(draft, value=bytes(255 - byte for byte in draft.value or b"")),
    Poison.EMPTY: lambda draft: replace(draft, value=None),
    Poison.UNKNOWN_TYPE: _of_no_type,
    Poison.NO_ID: _unnamed,
    Poison.WRONG_KEY: lambda draft: replace(draft, key=(draft.key or b"") + b"x"),
    Poison.FORGED: _forge,
    Poison.VOID: _lose,
}


class Poisoner:
    """Sends poison messages at random times, until cancelled."""

    def __init__(self, connection: KafkaConnection, random: Random, every_seconds: float) -> None:
        """Prepare it.

        Args:
            connection: How to reach Kafka.
            random: Decides what is sent.
            every_seconds: How often, on average.

        """
        self._connection = connection
        self._random = random
        self._every_seconds = every_seconds
        self._recent: dict[str, deque[tuple[float, ConsumerRecord]]] = defaultdict(lambda: deque(maxlen=KEPT_RECORDS))
        self._topics = [topic.name for topic in ALL if topic.kind is not TopicKind.DEAD_LETTER]
        self._consumed = {topic.name for topic in CONSUMED}
        self._changelogs = {topic.name for topic in CHANGELOGS}

    async def run(self) -> None:
        """Watch all topics, and send."""
        consumer = self._connection.consumer(*self._topics, group_id=None)
        producer = self._connection.producer(acks="all", enable_idempotence=True)
        await consumer.start()
        await producer.start()
        try:
            due = time.monotonic() + START_SECONDS
            while True:
                for batch in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS)).values():
                    for record in batch:
                        self._keep(record)
                if time.monotonic() >= due:
                    due = time.monotonic() + self._random.uniform(0, 2 * self._every_seconds)
                    with suppress(KafkaError, TimeoutError):
                        # One that was not taken in time may yet be there: the check finds it by its header.
                        await asyncio.wait_for(self._plant(producer), SEND_SECONDS)
        finally:
            await producer.stop()
            await consumer.stop()

    def _keep(self, record: ConsumerRecord) -> None:
        if HEADER not in dict(record.headers) and not is_mark(record.key or b""):
            self._recent[record.topic].append((time.monotonic(), record))

    async def _plant(self, producer: AIOKafkaProducer) -> None:
        topic = self._random.choice(self._topics)
        recent = [each for at, each in self._recent[topic] if time.monotonic() - at < KEPT_SECONDS]
        if not recent:
            return
        poison = self._random.choice(self._poisons(topic))
        record = self._random.choice(recent)
        if poison is Poison.REORDERED:
            of_key = [each for each in recent if each.key == record.key]
            for each in sorted(of_key, key=lambda each: each.offset, reverse=True)[:3]:
                await self._send(producer, each, poison)
            return
        await self._send(producer, record, poison)

    def _poisons(self, topic: str) -> tuple[Poison, ...]:
        if topic in self._changelogs:
            return (Poison.VOID,)
        if topic not in self._consumed:
            return (Poison.DUPLICATE, Poison.REORDERED)
        forged = {AUTH_RESPONSE.name, DEVICE_PAIRED.name}
        usual = tuple(each for each in Poison if each not in {Poison.FORGED, Poison.VOID})
        return (*usual, Poison.FORGED) if topic in forged else usual

    async def _send(self, producer: AIOKafkaProducer, record: ConsumerRecord, poison: Poison) -> None:
        spoilt = spoil(poison, Draft(record.key, record.value, dict(record.headers)))
        log.info("poison", poison=poison, topic=record.topic, partition=record.partition, of=record.offset)
        await producer.send_and_wait(
            record.topic,
            value=spoilt.value,
            key=spoilt.key,
            partition=record.partition,
            headers=[*spoilt.headers.items(), (HEADER, poison.encode())],
        )
