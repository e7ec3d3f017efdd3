"""Owners of a changelog with one partition, on a simulated broker on which nothing goes wrong by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lab.simulation.broker import Broker, Link, Partition
from lab.simulation.disk import MemoryDisk
from lab.simulation.instance import SimulatedPublisher
from lab.simulation.log import SimulatedChangelog
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.rows.fence import Stamp, is_mark, mark
from services.common.streams.owner import PartitionOwner
from tests.virtual import a_broker

A, B, C = "A" * 22, "B" * 22, "C" * 22
TOPIC = "rows"
LAG_SECONDS = 60.0


@dataclass
class Instance:
    """A copy of the changelog that follows it, and what an owner on it needs.

    Attributes:
        copy: The copy.
        disk: Where it is.
        link: Its way to the broker.

    """

    copy: ChangelogCopy
    disk: MemoryDisk
    link: Link

    def owner(self, owner_id: str) -> PartitionOwner:
        """Return an owner that has not begun."""
        return PartitionOwner(self.copy, 0, owner_id)

    async def begun(self, owner_id: str) -> PartitionOwner:
        """Return an owner that may decide."""
        owner = self.owner(owner_id)
        await owner.begin()
        return owner


@dataclass
class Changelog:
    """A changelog with one partition, and instances that follow it.

    Attributes:
        broker: The broker.

    """

    broker: Broker = field(default_factory=a_broker)

    def __post_init__(self) -> None:
        self.broker.compaction_lag_seconds = LAG_SECONDS

    @property
    def log(self) -> Partition:
        """The partition."""
        return self.broker.topic(TOPIC)[0]

    @property
    def rows(self) -> list[tuple[bytes | None, bytes | None]]:
        """The keys and values in the log, without marks."""
        return [(each.key, each.value) for each in self.log.records if not is_mark(each.key or b"")]

    @property
    def marks(self) -> list[tuple[str, bool]]:
        """Whose marks are written, and whether each is there or removed."""
        marks = [each for each in self.log.records if is_mark(each.key or b"")]
        return [((each.key or b"")[-1:].decode(), each.value is not None) for each in marks]

    def write(self, key: bytes, value: bytes | None, stamp: Stamp) -> None:
        """Append a record as another process."""
        self.log.append(key, value, [stamp.header()])

    def take_over(self, stamp: Stamp) -> None:
        """Append another owner's mark."""
        self.write(*mark(stamp), stamp)

    @asynccontextmanager
    async def instance(self, *, ready: bool = True) -> AsyncIterator[Instance]:
        """Run a copy, by default until it is up to date."""
        link = Link(self.broker)
        publisher = SimulatedPublisher(link)
        await publisher.start()
        disk = MemoryDisk(self.broker.random, lambda _disk, _partition: None)
        topic = SimulatedChangelog(link, TOPIC, publisher)
        copy = ChangelogCopy(topic, disk, on_ready=lambda: None, on_change=lambda _key: None)
        running = asyncio.create_task(copy.run())
        try:
            if ready:
                await copy.ready.wait()
            yield Instance(copy, disk, link)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
