"""The lag of a group reader: the end offsets of its partitions minus the finished records."""

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from services.common.kafka.connection import KafkaConnection
from services.common.kafka.group_reader import GroupReader

PARTITION = TopicPartition("emails", 1)


class FakeConsumer:
    """A consumer of one partition with five records, of which two are left to read."""

    def __init__(self, *_topics: str, **_options: object) -> None:
        self._records = iter([_record(3), _record(4)])

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""

    def __aiter__(self) -> "FakeConsumer":
        return self

    async def __anext__(self) -> ConsumerRecord:
        try:
            return next(self._records)
        except StopIteration:
            raise _DoneError from None

    def assignment(self) -> set[TopicPartition]:
        """Return the one partition."""
        return {PARTITION}

    def highwater(self, _partition: TopicPartition) -> int:
        """Return its end."""
        return 5

    async def commit(self, _offsets: object) -> None:
        """Do nothing."""


class _DoneError(Exception):
    """All records have been read."""


def _record(offset: int) -> ConsumerRecord:
    return ConsumerRecord("emails", 1, offset, 0, 0, b"", b"", None, 0, 0, ())


async def test_a_record_counts_until_it_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    lags: list[object] = []
    monkeypatch.setattr("services.common.kafka.connection.AIOKafkaConsumer", FakeConsumer)

    async def handle(_record: ConsumerRecord) -> None:
        lags.append(reader.lag())

    reader = GroupReader(KafkaConnection("nowhere:1"), "emails", "group", handle)
    assert reader.lag() == {}
    with pytest.raises(_DoneError):
        await reader.run()
    assert lags == [{("emails", 1): 2}, {("emails", 1): 1}]
    assert reader.lag() == {}
