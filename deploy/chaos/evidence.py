"""All that a run left behind: every record of every topic, and what the clients wrote down."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.chaos.history import Answer, Attempt, Entry, Struck
from deploy.chaos.poison import CORRUPT, HEADER, Poison
from schemas.base import Message
from schemas.codec import Event, decode
from schemas.topics import (
    ACCOUNTS_CHANGELOG,
    ALL,
    CHANGELOGS,
    CHANNELS_CHANGELOG,
    GUESSES_CHANGELOG,
    PHRASES_CHANGELOG,
    REQUESTERS_CHANGELOG,
    Kind,
)
from services.common.changelog import is_newer
from services.common.dead_letters import OFFSET, PARTITION, REASON, Place
from services.common.decisions import Row
from services.login.domain.guesses import Guesses
from services.login.domain.rows import Account
from services.pairing.domain.rows import Phrase, Requester
from services.push.domain.rows import Channel

MODELS: Final[Mapping[str, type[Row]]] = {
    ACCOUNTS_CHANGELOG.name: Account,
    GUESSES_CHANGELOG.name: Guesses,
    REQUESTERS_CHANGELOG.name: Requester,
    PHRASES_CHANGELOG.name: Phrase,
    CHANNELS_CHANGELOG.name: Channel,
}
_POLL_MILLISECONDS: Final = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it lies in Kafka.

    Attributes:
        place: Where.
        key: Its key.
        value: Its value.
        headers: Its headers.

    """

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]

    @property
    def poison(self) -> Poison | None:
        """What was wrong with it when it was planted; None if it was not."""
        planted = self.headers.get(HEADER)
        return None if planted is None else Poison(planted.decode())

    @property
    def corrupt(self) -> bool:
        """True if it was planted and cannot be used."""
        return self.poison in CORRUPT


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it lies in Kafka; a repeated one is there several times."""

    seen: Seen
    event: Event[Message]


@dataclass(frozen=True, slots=True)
class Version:
    """A row as it lies in a changelog.

    Attributes:
        seen: The record.
        row: The row; None for a tombstone.
        newest: True if it was newer than all before it; a stale one is to be left aside.

    """

    seen: Seen
    row: Row | None
    newest: bool


@dataclass(frozen=True)
class Evidence:
    """What is checked.

    Attributes:
        records: Every record, in order within each partition.
        entries: What the clients wrote down.
        issuers: Thumbprints of the keys that login and pairing sign with.

    """

    records: tuple[Seen, ...]
    entries: tuple[Entry, ...]
    issuers: frozenset[str]

    @cached_property
    def attempts(self) -> list[Attempt]:
        """All attempts to sign in."""
        return [each for each in self.entries if isinstance(each, Attempt)]

    @cached_property
    def answers(self) -> list[Answer]:
        """All answers of phones."""
        return [each for each in self.entries if isinstance(each, Answer)]

    @cached_property
    def faults(self) -> list[Struck]:
        """All faults that were made."""
        return [each for each in self.entries if isinstance(each, Struck)]

    @cached_property
    def told(self) -> list[Told]:
        """All events that can be read, repeated ones as often as they are there.

        Raises:
            UndecodableError: If one that was not planted cannot be read.

        """
        kinds = {topic.name: topic.kind for topic in ALL}
        events = (each for each in self.records if kinds[each.place.topic] in {Kind.EVENT, Kind.COMMAND})
        return [Told(each, decode(each.key, each.value, each.headers.items())) for each in events if not each.corrupt]

    @cached_property
    def dead_letters(self) -> list[Seen]:
        """All that was set aside."""
        return [each for each in self.records if each.place.topic.endswith(".dlq")]

    @cached_property
    def versions(self) -> dict[str, dict[str, list[Version]]]:
        """Each changelog's rows by key, in their order."""
        newest: dict[tuple[str, bytes], bytes | None] = {}
        found: dict[str, dict[str, list[Version]]] = {topic.name: defaultdict(list) for topic in CHANGELOGS}
        for seen in self.records:
            model = MODELS.get(seen.place.topic)
            if model is None or seen.key is None:
                continue
            slot = (seen.place.topic, seen.key)
            is_newest = is_newer(seen.value, newest.get(slot), list(seen.headers.items()))
            if is_newest:
                newest[slot] = seen.value
            row = None if seen.value is None else model.model_validate_json(seen.value)
            found[seen.place.topic][seen.key.decode()].append(Version(seen, row, is_newest))
        return found

    def accounts(self, account_id: str) -> list[Account]:
        """Return the rows that an account had, one after the other."""
        versions = self.versions[ACCOUNTS_CHANGELOG.name].get(account_id, [])
        return [each.row for each in versions if each.newest and isinstance(each.row, Account)]


def origin_of(dead_letter: Seen) -> Place:
    """Return where a dead letter comes from."""
    topic = dead_letter.place.topic.removesuffix(".dlq")
    partition, offset = (int(dead_letter.headers[name]) for name in (PARTITION, OFFSET))
    return Place(topic, partition, offset)


def reason_of(dead_letter: Seen) -> str:
    """Return why a dead letter was set aside."""
    return dead_letter.headers.get(REASON, b"").decode()


async def read_topics(bootstrap: str) -> tuple[Seen, ...]:
    """Read every topic from its beginning to its present end.

    Args:
        bootstrap: Kafka's ``host:port,…``.

    """
    partitions = await _partitions(bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning()
        found: list[Seen] = []
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=_POLL_MILLISECONDS)).values():
                found.extend(_seen(record) for record in records if record.offset < ends[_partition(record)])
        return tuple(found)
    finally:
        await consumer.stop()


async def _partitions(bootstrap: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topics = await admin.describe_topics([topic.name for topic in ALL])
    finally:
        await admin.close()
    return [TopicPartition(each["topic"], part["partition"]) for each in topics for part in each["partitions"]]


def _partition(record: ConsumerRecord) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _seen(record: ConsumerRecord) -> Seen:
    place = Place(record.topic, record.partition, record.offset)
    return Seen(place, record.key, record.value, dict(record.headers))
