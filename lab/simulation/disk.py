"""A copy's disk in memory: writes that a crash may take, and that a fault of the disk may refuse."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from services.common.rows.changelog import Changes, PartitionState, VoidRecord
from services.common.rows.store import Origin, RowStore, StoreDamagedError, StoreError, update

MOST_LOST: Final = 30
"""How many of the last writes a crash takes at most."""
DISK_LOST: Final = 0.15
"""How often a crash takes the disk."""
NOTHING_LOST: Final = 0.5
"""Above this, a crash takes some writes."""
Write = Callable[["MemoryStore"], None]


class MemoryStore:
    """What a copy's store has. Each write is done as a whole, or not at all."""

    def __init__(self) -> None:
        """Make an empty one."""
        self.origin: Origin | None = None
        self.rows: dict[bytes, bytes] = {}
        self.states: dict[int, PartitionState] = {}
        self.void: dict[int, dict[bytes, int]] = {}
        self.marks: dict[int, dict[bytes, int]] = {}
        self._void_records: dict[tuple[int, bytes], VoidRecord] = {}

    def begin(self, origin: Origin) -> None:
        """Note what it is a copy of."""
        self.origin = origin

    def write(self, partition: int, changes: Changes) -> None:
        """Write what records of a partition change."""
        for key, row in changes.rows.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        void = {key: None if record is None else record.at for key, record in changes.void.items()}
        update(self.void.setdefault(partition, {}), void)
        self._void_records.update({(partition, key): each for key, each in changes.void.items() if each is not None})
        update(self.marks.setdefault(partition, {}), changes.marks)
        self.states[partition] = changes.state

    def void_record(self, partition: int, key: bytes) -> VoidRecord | None:
        """Return the void record on top of a key's row, or None."""
        return self._void_records.get((partition, key)) if key in self.void.get(partition, {}) else None


class MemoryDisk:
    """Where a simulated instance keeps a copy over its restarts.

    Attributes:
        store: What is there.
        damaged: True once that is not what was written.
        full: True while it takes nothing.

    """

    def __init__(self, random: Random, on_write: Callable[["MemoryDisk", int], None]) -> None:
        """Make an empty one.

        Args:
            random: Decides how much a crash takes.
            on_write: Takes the disk and a partition after each write.

        """
        self._random = random
        self._on_write = on_write
        self._writes: list[Write] = []
        self.store = MemoryStore()
        self.damaged = False
        self.full = False

    def open(self) -> RowStore:
        """Open the store."""
        return _OpenStore(self)

    def drop(self) -> None:
        """Remove the store."""
        self._writes, self.store, self.damaged = [], MemoryStore(), False

    def crash(self) -> None:
        """Lose the last writes, or none, or the whole disk."""
        chance = self._random.random()
        if chance < DISK_LOST:
            self.drop()
        elif chance > NOTHING_LOST:
            self._writes = self._writes[: -self._random.randint(1, MOST_LOST)]
            self.store = MemoryStore()
            for write in self._writes:
                write(self.store)

    def write(self, write: Write, partition: int | None) -> None:
        """Write.

        Args:
            write: What to do to the store.
            partition: Whose records it is about; None if it is about none.

        Raises:
            StoreError: If there is any fault.

        """
        self.require_sound()
        if self.full:
            text = "No space left on device"
            raise StoreError(text)
        write(self.store)
        self._writes.append(write)
        if partition is not None:
            self._on_write(self, partition)

    def require_sound(self) -> None:
        """Raise if it is damaged.

        Raises:
            StoreDamagedError: If it is.

        """
        if self.damaged:
            text = "Corruption"
            raise StoreDamagedError(text)


class _OpenStore:
    """The store as a process has it open."""

    def __init__(self, disk: MemoryDisk) -> None:
        disk.require_sound()
        self._disk = disk

    @property
    def origin(self) -> Origin | None:
        return self._disk.store.origin

    @property
    def states(self) -> Mapping[int, PartitionState]:
        return self._disk.store.states

    @property
    def void(self) -> Mapping[int, Mapping[bytes, int]]:
        return self._disk.store.void

    @property
    def marks(self) -> Mapping[int, Mapping[bytes, int]]:
        return self._disk.store.marks

    def get(self, key: bytes) -> bytes | None:
        self._disk.require_sound()
        return self._disk.store.rows.get(key)

    def size(self) -> int:
        return len(self._disk.store.rows)

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        self._disk.require_sound()
        return sorted((key, row) for key, row in self._disk.store.rows.items() if key > after)[:limit]

    def begin(self, origin: Origin) -> None:
        self._disk.write(lambda store: store.begin(origin), None)

    def write(self, partition: int, changes: Changes) -> None:
        self._disk.write(lambda store: store.write(partition, changes), partition)

    def void_record(self, partition: int, key: bytes) -> VoidRecord | None:
        self._disk.require_sound()
        return self._disk.store.void_record(partition, key)

    def close(self) -> None:
        """Nothing is open."""
