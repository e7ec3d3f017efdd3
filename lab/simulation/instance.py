"""One simulated instance: the product's consumer, owners, copy, store and publisher on simulated logs and groups."""

import asyncio
from collections.abc import Callable
from typing import Final

from lab.simulation.broker import Broker, Link, SimulatedProducer
from lab.simulation.disk import MemoryDisk
from lab.simulation.group import Group, SimulatedMembership
from lab.simulation.log import SimulatedChangelog
from lab.simulation.loop import Process
from lab.simulation.toy import OLD_TABLE, TABLE
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.publisher import NotAcknowledgedError, Producer, Publisher
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.rows.codec import RowCache
from services.common.rows.store import StoreError
from services.common.streams.consumer import StreamConsumer
from services.common.streams.lane import LaneLimits
from services.common.streams.processor import ProcessorParts, TableProcessor
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import Telemetry

LIMITS: Final = LaneLimits(at_once=4, distance=12, per_key=4)
"""So small that twenty records reach them."""
RESTART_SECONDS: Final = 1.0
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OWNER_ID_CHARACTERS: Final = 22
_TELEMETRY: Final = Telemetry()


class SimulatedPublisher(Publisher):
    """The publisher on a simulated producer."""

    def __init__(self, link: Link) -> None:
        super().__init__(KafkaConnection(""), "", TABLE.service)
        self._link = link

    async def _start_producer(self, name: str, **options: object) -> Producer:
        del name, options
        return SimulatedProducer(self._link)


class Instance:
    """One instance of the toy, over its restarts.

    Attributes:
        name: Its name.
        disk: Its disk.
        process: The process that runs, or ran last.
        link: Its link to the broker.
        old: True while it is of the release that reads one topic less.
        owner_ids: The ids under which the process has owned partitions.
        disturbed_at: When anything last befell it, in seconds of the simulation.

    """

    def __init__(self, broker: Broker, group: Group, name: str, on_write: Callable[[MemoryDisk, int], None]) -> None:
        """Prepare it.

        Args:
            broker: The logs.
            group: The consumer group.
            name: Its name.
            on_write: Takes its disk and a partition after each write.

        """
        self.name: Final = name
        self.disk: Final = MemoryDisk(broker.random, on_write)
        self.process = Process(name)
        self.link = Link(broker)
        self.old = False
        self.owner_ids: set[str] = set()
        self.disturbed_at = 0.0
        self._broker = broker
        self._group = group
        self._starts = 0
        self._membership: SimulatedMembership | None = None
        self._deciding: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start it, with what its disk has."""
        self._starts += 1
        self.disturbed_at = asyncio.get_running_loop().time()
        self.owner_ids.clear()
        self.process = Process(f"{self.name}.{self._starts}")
        self.process.run(self._run())

    def kill(self) -> None:
        """Kill it, as SIGKILL or a loss of power does."""
        self.process.killed = True
        self.disk.crash()

    def stop(self) -> None:
        """Stop it in order, as SIGTERM does."""
        if self._deciding is not None:
            self._deciding.cancel()

    def expel(self) -> None:
        """Take it out of the group without its knowing, as after its session's end."""
        if self._membership is not None:
            self._group.leave(self._membership)

    def _new_owner_id(self) -> str:
        owner_id = "".join(self._broker.random.choices(LETTERS, k=OWNER_ID_CHARACTERS))
        self.owner_ids.add(owner_id)
        return owner_id

    async def _run(self) -> None:
        publisher = SimulatedPublisher(self.link)
        await publisher.start()
        table = OLD_TABLE if self.old else TABLE
        changelog = SimulatedChangelog(self.link, table.changelog.name, publisher)
        copy = ChangelogCopy(changelog, self.disk, on_ready=_ignore, on_change=_ignore)
        guard = RecordGuard(DeadLetterWriter(publisher, "", table.service), "", table.service, (), _TELEMETRY)
        parts = ProcessorParts(guard, publisher, _TELEMETRY.metrics, "", self._broker.partitions)
        processor = TableProcessor(table, copy, RowCache(table.model), parts)
        self._membership = membership = SimulatedMembership(self.link, self._group, processor.topics)
        stream = StreamConsumer(membership, [processor], LIMITS, self._new_owner_id)
        try:
            async with asyncio.TaskGroup() as tasks:
                copying = tasks.create_task(copy.run())
                self._deciding = deciding = tasks.create_task(stream.run())
                await asyncio.wait((deciding,))
                copying.cancel()
        except* (NotAcknowledgedError, StoreError):
            pass
        # Its supervisor starts it anew.
        asyncio.get_running_loop().call_later(RESTART_SECONDS, self.start)


def _ignore(*_arguments: object) -> None:
    """Nothing waits for rows here."""
