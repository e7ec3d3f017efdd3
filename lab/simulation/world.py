"""One seed: instances of the toy service that are killed, paused and put out, while commands come in."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from aiokafka import TopicPartition

from lab.simulation.broker import Broker, SimulatedProducer, SimulatedRecord
from lab.simulation.changelog import MemoryDisk, SimulatedChangelog
from lab.simulation.group import Group, SimulatedMembership
from lab.simulation.loop import EPOCH_SECONDS, Process, SimulatedLoop, simulate
from lab.simulation.toy import KEYS, RESULTS, TABLE, AddLetter, AddNumber, NumbersRow
from schemas.codec import Event, encode
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.partitions import partition_of
from services.common.kafka.publisher import NotAcknowledgedError, Publisher
from services.common.rows.changelog import PartitionState, read_records
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.rows.codec import RowCache, read_row
from services.common.streams.consumer import StreamConsumer
from services.common.streams.lane import LaneLimits
from services.common.streams.processor import TableProcessor
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import Telemetry

PARTITIONS: Final = 2
INSTANCES: Final = 2
COMMANDS: Final = 40
QUIET_SECONDS: Final = 400.0
"""How long after the last fault all must be done."""
TELEMETRY: Final = Telemetry()


class BrokenClaimError(Exception):
    """What must hold does not. The text says what."""


class _Publisher(Publisher):
    """The publisher on a simulated producer."""

    def __init__(self, producer: SimulatedProducer) -> None:
        super().__init__("", "", "toy")
        self._decided = producer


class Instance:
    """One instance of the toy, over its restarts."""

    def __init__(self, broker: Broker, group: Group, random: Random, number: int) -> None:
        """Take where it works."""
        self._broker = broker
        self._group = group
        self._random = random
        self.name = f"instance {number}"
        self.disk = MemoryDisk(random)
        self.process = Process(self.name)
        self.copy: ChangelogCopy | None = None
        self._starts = 0

    def start(self) -> None:
        """Start it, with what its disk has."""
        self._starts += 1
        self.process = Process(f"{self.name}.{self._starts}")
        self.process.run(self._run())

    def kill(self) -> None:
        """Kill it, as SIGKILL or a loss of power does."""
        self.process.killed = True
        self.disk.crash()

    async def _run(self) -> None:
        producer = SimulatedProducer(self._broker)
        publisher = _Publisher(producer)
        changelog = SimulatedChangelog(self._broker, TABLE.changelog.name, producer)
        self.copy = copy = ChangelogCopy(changelog, self.disk, on_ready=lambda: None, on_change=lambda _key: None)
        letters = DeadLetterWriter(publisher, "", "toy")
        guard = RecordGuard(letters, "", "toy", TABLE.reads, TELEMETRY)
        processor = TableProcessor(
            TABLE,
            copy,
            RowCache(TABLE.model),
            prefix="",
            partitions=PARTITIONS,
            policy=None,
            guard=guard,
            publisher=publisher,
            metrics=TELEMETRY.metrics,
        )
        owner_id = "".join(self._random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=22))
        limits = LaneLimits(at_once=4, distance=12, per_key=4)
        stream = StreamConsumer(SimulatedMembership(self._group), [processor], owner_id, limits)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(copy.run())
                tasks.create_task(stream.run())
        except* NotAcknowledgedError:
            # Its supervisor starts it anew.
            asyncio.get_running_loop().call_later(1.0, self.start)


@dataclass(slots=True)
class World:
    """All of one seed."""

    seed: int
    faults: list[str] = field(default_factory=list)

    def run(self) -> int:
        """Simulate, and check.

        Returns:
            How many steps it took.

        Raises:
            BrokenClaimError: If what must hold does not.

        """
        return simulate(Random(self.seed), self._main)

    async def _main(self, loop: SimulatedLoop) -> int:
        random = Random(self.seed + 1)
        broker = Broker(random, PARTITIONS)
        group = Group(broker, [topic.name for topic in TABLE.reads])
        Process("coordinator").run(group.run())
        instances = [Instance(broker, group, random, number) for number in range(INSTANCES)]
        for each in instances:
            each.start()
        commands = asyncio.create_task(self._give_commands(broker, random))
        await self._break(loop, broker, group, instances, random)
        await commands
        broker.faulty = False
        deadline = loop.time() + QUIET_SECONDS
        while loop.time() < deadline and not (_all_done(broker, group) and _all_read(broker, instances)):
            await asyncio.sleep(1.0)
        check(broker, group, [each.disk for each in instances])
        return loop.steps

    async def _give_commands(self, broker: Broker, random: Random) -> None:
        for number in range(COMMANDS):
            await asyncio.sleep(random.random() * 1.5)
            kind = random.choice((AddNumber, AddLetter))
            at = datetime.fromtimestamp(EPOCH_SECONDS + asyncio.get_running_loop().time(), UTC)
            command = kind(at=at, name=random.choice(KEYS), number=number)
            record = encode(Event(f"e{number}", at, "toy/web", "", command))
            partition = partition_of(record.key or b"", PARTITIONS)
            for _ in range(random.choice((1, 1, 1, 2))):
                broker.topic(record.topic)[partition].append(record.key, record.value, record.headers)

    async def _break(
        self, loop: SimulatedLoop, broker: Broker, group: Group, instances: list[Instance], random: Random
    ) -> None:
        for _ in range(random.randint(0, 6)):
            await asyncio.sleep(random.random() * 10)
            fault, instance = random.choice(("kill", "pause", "save", "compact", "forget")), random.choice(instances)
            self.faults.append(f"{loop.time():.2f} {fault} {instance.name}")
            match fault:
                case "kill":
                    instance.kill()
                    loop.call_later(random.random() * 12, instance.start)
                case "pause":
                    process = instance.process
                    process.paused = True
                    await asyncio.sleep(random.random() * 15)
                    process.paused = False
                    loop.resume()
                case "save":
                    instance.disk.save()
                case "compact":
                    broker.compaction_lag_seconds = 5.0
                    before = int((EPOCH_SECONDS + loop.time() - broker.compaction_lag_seconds) * 1000)
                    for partition in broker.topic(TABLE.changelog.name):
                        partition.compact(before)
                case _:
                    group.forget()


def _all_done(broker: Broker, group: Group) -> bool:
    return all(
        group.offsets.get(TopicPartition(topic.name, number), 0) >= broker.topic(topic.name)[number].end
        for topic in TABLE.reads
        for number in range(PARTITIONS)
    )


def _all_read(broker: Broker, instances: list[Instance]) -> bool:
    return all(
        each.disk.open().states.get(log.number, PartitionState()).offset
        >= (log.records[-1].offset + 1 if log.records else 0)
        for each in instances
        for log in broker.topic(TABLE.changelog.name)
    )


def check(broker: Broker, group: Group, disks: list[MemoryDisk]) -> None:
    """Check all claims on the logs.

    Raises:
        BrokenClaimError: If one does not hold.

    """
    if not _all_done(broker, group):
        text = "not all commands are done"
        raise BrokenClaimError(text)
    given = _given(broker)
    counted = _counted_rows(broker)
    for key, rows in counted.items():
        for before, after in zip(rows, rows[1:], strict=False):
            if before.numbers != after.numbers[: len(before.numbers)]:
                text = f"{key}: a row lacks what the one before it had applied: {before.numbers}, then {after.numbers}"
                raise BrokenClaimError(text)
    for key in KEYS:
        final = counted[key][-1].numbers if counted.get(key) else ()
        if sorted(final) != sorted(given.get(key, ())):
            text = f"{key}: applied {final}, given {given.get(key)}"
            raise BrokenClaimError(text)
    _check_messages(broker, {key: rows[-1].numbers for key, rows in counted.items()})
    reference = {key: rows[-1] for key, rows in counted.items()}
    for disk in disks:
        store: Any = disk.open()
        shown = {key.decode(): read_row(NumbersRow, value) for key, value in store.rows.items()}
        if shown != reference:
            text = f"a copy differs from the log: {shown}, {reference}"
            raise BrokenClaimError(text)


def _given(broker: Broker) -> dict[str, tuple[int, ...]]:
    given: dict[str, dict[int, None]] = {}
    for topic in TABLE.reads:
        for partition in broker.topic(topic.name):
            for record in partition.records:
                command = AddNumber.model_validate_json(record.value or b"")
                given.setdefault(command.name, {})[command.number] = None
    return {key: tuple(numbers) for key, numbers in given.items()}


def _counted_rows(broker: Broker) -> dict[str, list[NumbersRow]]:
    found: dict[str, list[NumbersRow]] = {}
    for partition in broker.topic(TABLE.changelog.name):
        state = PartitionState()
        for record in partition.records:
            changes = read_records(state, partition.number, PARTITIONS, [record])
            state = changes.state
            for key, value in changes.rows.items():
                if value is not None:
                    found.setdefault(key.decode(), []).append(read_row(NumbersRow, value))
    return found


def _check_messages(broker: Broker, applied: dict[str, tuple[int, ...]]) -> None:
    """Check that each number's two messages are there, say what came before it, and say the same when repeated."""
    found: dict[tuple[str, str], bytes | None] = {}
    for record in (each for partition in broker.topic(RESULTS.name) for each in partition.records):
        place = (record.key or b"").decode(), _event_id(record)
        if found.setdefault(place, record.value) != record.value:
            text = f"{place}: a message was published twice and says different things"
            raise BrokenClaimError(text)
    for key, numbers in applied.items():
        for place, number in enumerate(numbers):
            for index in range(2):
                value = found.pop((key, f"e{number}.{index}"), None)
                if value is None:
                    text = f"{key}: message {index} about {number} is missing"
                    raise BrokenClaimError(text)
                said = value.decode()
                if f'"before":[{",".join(map(str, numbers[:place]))}]' not in said:
                    text = f"{key}: a message about {number} tells of a row that does not count: {said}, {numbers}"
                    raise BrokenClaimError(text)
    if found:
        text = f"messages about nothing that counts: {sorted(found)}"
        raise BrokenClaimError(text)


def _event_id(record: SimulatedRecord) -> str:
    return dict(record.headers)["ce_id"].decode()
