"""What must hold at each step of a simulation, and at its end."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

from aiokafka import TopicPartition

from lab.simulation.broker import Partition, SimulatedRecord, compacted
from lab.simulation.disk import MemoryDisk
from lab.simulation.loop import SimulatedLoop
from lab.simulation.toy import RESULTS, RESULTS_OF_EACH, TABLE
from services.common.rows.changelog import PartitionState, VoidRecord, read_records

CHANGELOG: Final = TABLE.changelog.name
SOURCES: Final = frozenset(topic.name for topic in TABLE.reads)
Numbers = tuple[int, ...]


class _Reference:
    """The reader that reads each record of a changelog partition at once, and keeps all in memory."""

    def __init__(self) -> None:
        self.state = PartitionState()
        self.since = 0.0
        """Since when the owner stands that stands now."""
        self.rows: dict[bytes, bytes | None] = {}
        """Each key's row; None if it was deleted."""
        self.numbers: dict[bytes, Numbers] = {}
        """What each row has."""
        self.hidden: dict[bytes, int] = {}
        """The keys with a void record on top, and when Kafka took it: Unix time in milliseconds."""


class Claims:
    """Follows all logs, commits and copies, and notes what is wrong first.

    Attributes:
        digest: Of all records and commits, with their times.
        truncated: True once a changelog has lost records. What it had is lost then, and nothing is claimed about it.
        broken: Done once a claim is broken, with the text that says which.

    """

    def __init__(self, loop: SimulatedLoop, partitions: int) -> None:
        """Begin with empty logs.

        Args:
            loop: Whose time it is.
            partitions: How many partitions each topic has.

        """
        self.digest: Final = blake2b(digest_size=8)
        self.truncated = False
        self.broken: Final[asyncio.Future[str]] = loop.create_future()
        self._loop = loop
        self._references = [_Reference() for _ in range(partitions)]
        self._partitions = partitions
        self._given: dict[str, dict[int, None]] = {}
        self._said: dict[tuple[bytes, int], dict[int, Numbers]] = {}
        """By key and number: what was published about it, by index."""
        self._sources: dict[tuple[str, int], dict[int, tuple[bytes, int]]] = {}
        """By topic and partition, and by offset: the key and the number that are asked for."""
        self._committed: dict[TopicPartition, int] = {}

    def take(self, record: SimulatedRecord) -> None:
        """Check a record that a log takes."""
        self.digest.update(f"{self._loop.time()} {record}".encode())
        self.digest.update(record.value or b"")
        if record.topic == CHANGELOG:
            self._take_row(record)
        elif record.topic == RESULTS.name:
            self._take_message(record)
        elif record.topic in SOURCES:
            number = json.loads(record.value or b"")["number"]
            key = record.key or b""
            self._given.setdefault(key.decode(), {})[number] = None
            self._sources.setdefault((record.topic, record.partition), {})[record.offset] = key, number
        else:
            self._fail(f"a record was set aside: {record}")

    def take_commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Check offsets before they are committed: all records below are done."""
        self.digest.update(f"{self._loop.time()} {sorted(offsets.items())}".encode())
        for source, offset in offsets.items():
            records = self._sources.get((source.topic, source.partition), {})
            for each in range(self._committed.get(source, 0), offset):
                if each in records and not self.truncated:
                    key, number = records[each]
                    if number not in self._numbers_of(key):
                        self._fail(f"{source}: {offset} is committed, and {number} of {each} is in no row that counts")
                    if len(self._said.get((key, number), ())) < RESULTS_OF_EACH:
                        self._fail(f"{source}: {offset} is committed, and messages about {number} are missing")
            self._committed[source] = offset

    def take_write(self, disk: MemoryDisk, partition: int) -> None:
        """Check a copy after a write: where it has all of a partition, it has what the reference has."""
        reference, state = self._references[partition], disk.store.states[partition]
        if state.offset == reference.state.offset and state.fence != reference.state.fence:
            self._fail(f"partition {partition}: {state.fence} stands in a copy, {reference.state.fence} in the log")
        if state != reference.state or disk.store.origin is None or not disk.store.origin.complete:
            return
        for key, row in reference.rows.items():
            if disk.store.rows.get(key) != row and key not in reference.hidden:
                self._fail(f"a copy's {key!r} is {disk.store.rows.get(key)!r}, the log's is {row!r}")

    def cut(self, log: Partition) -> None:
        """Read a changelog partition anew that has lost its end."""
        self.truncated = True
        self._references[log.number] = _Reference()
        for record in log.records:
            self._take_row(record)

    def hidden(self, partition: int) -> Sequence[int]:
        """Return when Kafka took the void records on top of keys, Unix times in milliseconds."""
        return tuple(self._references[partition].hidden.values())

    def owner(self, partition: int) -> tuple[str, float]:
        """Return the id of the owner that stands in a partition, and since when, in seconds of the simulation."""
        reference = self._references[partition]
        return reference.state.fence.owner, reference.since

    def check_compacted(self, log: Partition, end: int) -> None:
        """Check that one who reads a partition after its compaction knows the same.

        Args:
            log: The partition.
            end: The offset behind the last record that compaction looks at.

        """
        reference, state = self._references[log.number], PartitionState()
        rows: dict[bytes, bytes | None] = {}
        void: dict[bytes, VoidRecord] = {}
        for record in compacted(log.records, end):
            changes = read_records(state, log.number, self._partitions, [record])
            state = changes.state
            rows.update(changes.rows)
            void.update({key: each for key, each in changes.void.items() if each is not None})
            for key in changes.rows:
                void.pop(key, None)
        rows.update({key: each.value for key, each in void.items() if rows.get(key) is None})
        if state.fence != reference.state.fence:
            self._fail(f"{state.fence} stands after compaction, and {reference.state.fence} before")
        for key, row in reference.rows.items():
            if rows.get(key) != row:
                self._fail(f"{key!r} is {rows.get(key)!r} after compaction, and {row!r} before")

    def check_end(self, copies: Sequence[MemoryDisk]) -> None:
        """Check what must hold once all is done."""
        if not self.truncated:
            for key, given in self._given.items():
                if sorted(applied := self._numbers_of(key.encode())) != sorted(given):
                    self._fail(f"{key}: applied {applied}, given {tuple(given)}")
            for (key_bytes, number), messages in self._said.items():
                applied = self._numbers_of(key_bytes)
                if number not in applied or set(messages.values()) != {applied[: applied.index(number)]}:
                    self._fail(f"{key_bytes!r}: {messages} was published about {number}, and {applied} counts")
        rows = (row for each in self._references for row in each.rows.items())
        reference = {key_bytes: row for key_bytes, row in rows if row is not None}
        for disk in copies:
            for each in sorted(disk.store.rows.keys() | reference.keys()):
                if (shown := disk.store.rows.get(each)) != (row := reference.get(each)):
                    self._fail(f"a copy's {each!r} is {shown!r}, the log's is {row!r}")

    def _take_row(self, record: SimulatedRecord) -> None:
        """Check that a row that counts has all that the one before it had, and nothing twice."""
        reference = self._references[record.partition]
        changes = read_records(reference.state, record.partition, self._partitions, [record])
        if changes.state.fence != reference.state.fence:
            reference.since = self._loop.time()
        reference.state = changes.state
        for key, void in changes.void.items():
            if void is not None:
                reference.hidden[key] = void.at
        for key, row in changes.rows.items():
            reference.hidden.pop(key, None)
            numbers = () if row is None else tuple(json.loads(row)["numbers"])
            before = reference.numbers.get(key, ())
            if numbers[: len(before)] != before:
                self._fail(f"{key!r}: a row lacks what the one before it had applied: {before}, then {numbers}")
            if len(set(numbers)) != len(numbers):
                self._fail(f"{key!r}: a number was applied twice: {numbers}")
            reference.rows[key], reference.numbers[key] = row, numbers

    def _take_message(self, record: SimulatedRecord) -> None:
        """Check that a message tells of a row that counts, and the same as whenever it was published before."""
        data, key = json.loads(record.value or b""), record.key or b""
        number, before = data["number"], tuple(data["before"])
        index = int(dict(record.headers)["ce_id"].decode().rpartition(".")[2])
        if self.truncated:
            return
        said = self._said.setdefault((key, number), {})
        if said.setdefault(index, before) != before:
            self._fail(f"{key!r}: message {index} about {number} was published twice and says different things")
        applied = self._numbers_of(key)
        if applied[: len(before) + 1] != (*before, number):
            self._fail(f"{key!r}: a message tells of {before} and {number}, and {applied} counts")

    def _numbers_of(self, key: bytes) -> Numbers:
        """Return the numbers that a key's row has, as far as they count."""
        return next((each.numbers[key] for each in self._references if key in each.numbers), ())

    def _fail(self, text: str) -> None:
        if not self.broken.done():
            self.broken.set_result(f"{self._loop.time():.3f} s: {text}")
