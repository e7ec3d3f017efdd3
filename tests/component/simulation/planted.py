"""Faults that the simulation must find: each one a way in which the product could have been built wrongly."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any, Final

import pytest

from lab.simulation.instance import Instance
from lab.simulation.loop import Process
from services.common import decisions
from services.common.kafka.publisher import UnavailableError
from services.common.rows import changelog_reader, fence
from services.common.rows.changelog import Changes, PartitionState
from services.common.rows.fence import Fence, Stamp, mark_key
from services.common.rows.store import StoreError
from services.common.streams import processor
from services.common.streams.key_queues import KeyQueues, Work
from services.common.streams.offsets import OffsetTracker
from services.common.streams.owner import FencedError, PartitionOwner
from services.common.streams.processor import TableProcessor

Plant = Callable[[pytest.MonkeyPatch], None]


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """Each record counts, whoever wrote it."""

    def judge(standing: Fence, stamp: Stamp | None, *, tombstone: bool) -> tuple[Fence, bool]:
        del tombstone
        return (standing if stamp is None else Fence(max(standing.term, stamp.term), stamp.owner)), True

    patch.setattr(Fence, "judge", judge)
    patch.setattr(Fence, "stands", lambda _fence, _stamp: True)


def stamp_at_save(patch: pytest.MonkeyPatch) -> None:
    """An owner writes with the stamp that stands at the save."""

    def require_standing(self: PartitionOwner) -> Stamp:
        try:
            standing = self._copy.fence(self.partition)
        except UnavailableError as error:
            raise FencedError from error
        return Stamp(max(1, standing.term), standing.owner or self._owner_id)

    patch.setattr(PartitionOwner, "_require_standing", require_standing)


def same_term(patch: pytest.MonkeyPatch) -> None:
    """An owner begins in the term that stands, as two owners with one generation of their group would."""
    patch.setattr(Fence, "next_stamp", lambda standing, owner_id: Stamp(max(1, standing.term), owner_id))


def one_id(patch: pytest.MonkeyPatch) -> None:
    """A process has the same id in all its assignments, and goes on with its stamp while that stands."""
    begin, make, ids = PartitionOwner.begin, Instance._new_owner_id, dict[Process, str]()  # noqa: SLF001

    async def begin_again(self: PartitionOwner) -> None:
        await self._copy.ready.wait()
        standing = self._copy.fence(self.partition)
        if standing.owner == self._owner_id:
            self._stamp = Stamp(standing.term, standing.owner)
            self.began.set()
        else:
            await begin(self)

    patch.setattr(PartitionOwner, "begin", begin_again)
    patch.setattr(Instance, "_new_owner_id", lambda self: ids.setdefault(self.process, make(self)))


def acknowledged_only(patch: pytest.MonkeyPatch) -> None:
    """A row counts once Kafka has acknowledged it."""

    async def save(self: PartitionOwner, key: bytes, value: bytes | None) -> None:
        stamp = self._require_standing()
        await self._copy.topic.append(self.partition, key, value, [stamp.header()])

    patch.setattr(PartitionOwner, "save", save)


def own_writes(patch: pytest.MonkeyPatch) -> None:
    """An owner puts a row into the store itself once Kafka has acknowledged it."""
    write = PartitionOwner._write  # noqa: SLF001

    async def write_both(self: PartitionOwner, key: bytes, value: bytes | None, stamp: Stamp) -> None:
        copy: Any = self._copy
        store = copy._store  # noqa: SLF001
        if store is None or key == mark_key(stamp.owner):
            await write(self, key, value, stamp)
            return
        await copy.topic.append(self.partition, key, value, [stamp.header()])
        with suppress(StoreError):
            store.write(self.partition, Changes(store.states.get(self.partition, PartitionState()), {key: value}, {}))

    patch.setattr(PartitionOwner, "_write", write_both)


def mark_not_read_back(patch: pytest.MonkeyPatch) -> None:
    """An owner decides once Kafka has acknowledged its mark."""

    async def begin(self: PartitionOwner) -> None:
        await self._copy.ready.wait()
        self._stamp = stamp = self._copy.fence(self.partition).next_stamp(self._owner_id)
        await self._copy.topic.append(self.partition, mark_key(stamp.owner), b"{}", [stamp.header()])
        self.began.set()

    patch.setattr(PartitionOwner, "begin", begin)
    patch.setattr(PartitionOwner, "_require_standing", lambda self: self._stamp)


def one_mark_key(patch: pytest.MonkeyPatch) -> None:
    """All owners' marks have one key, so that compaction may keep a void one alone."""
    patch.setattr(fence, "mark_key", lambda _owner_id: b"\0mark/one")


def no_heal(patch: pytest.MonkeyPatch) -> None:
    """What a void record lies on top of is not written again."""

    async def heal(_self: PartitionOwner, _key: bytes) -> None:
        """Leave it."""

    patch.setattr(PartitionOwner, "heal", heal)


def highest_offset(patch: pytest.MonkeyPatch) -> None:
    """The offset behind the last record that was taken is committed."""
    patch.setattr(OffsetTracker, "committable", property(lambda self: self._next))


def unordered_keys(patch: pytest.MonkeyPatch) -> None:
    """The events of one key are decided side by side."""
    numbers, put = count(), KeyQueues.put

    def put_apart(self: KeyQueues, key: bytes, work: Work) -> None:
        put(self, key + b"%d" % next(numbers), work)

    patch.setattr(KeyQueues, "put", put_apart)


def publish_first(patch: pytest.MonkeyPatch) -> None:
    """Messages go before the row is saved."""
    save = PartitionOwner.save

    async def handle(self: TableProcessor[Any], record: Any, partition_owner: PartitionOwner) -> None:
        saved: list[tuple[bytes, bytes | None]] = []

        async def note(_self: PartitionOwner, key: bytes, value: bytes | None) -> None:
            saved.append((key, value))

        with pytest.MonkeyPatch.context() as later:
            later.setattr(partition_owner, "save", note.__get__(partition_owner), raising=False)
            await decide(self, record, partition_owner)
        for key, value in saved:
            await save(partition_owner, key, value)

    decide = TableProcessor.handle
    patch.setattr(TableProcessor, "handle", handle)


def no_repeats(patch: pytest.MonkeyPatch) -> None:
    """A repeated event does not publish again what a crash may have kept from Kafka."""
    decide_once = decisions.decide_once

    def decide(*arguments: Any) -> Any:
        decision = decide_once(*arguments)
        return replace(decision, events=()) if decision.repeated else decision

    patch.setattr(processor, "decide_once", decide)


def shorter_log_unseen(patch: pytest.MonkeyPatch) -> None:
    """A copy goes on where it stands, though the log has lost what it has read."""
    patch.setattr(changelog_reader, "_require_offsets", lambda *_arguments: None)
    patch.setattr(changelog_reader, "_is_another", lambda *_arguments: False)


PLANTED: Final[Mapping[str, Plant]] = {
    plant.__name__: plant
    for plant in (
        no_fence,
        stamp_at_save,
        same_term,
        one_id,
        acknowledged_only,
        own_writes,
        mark_not_read_back,
        one_mark_key,
        no_heal,
        highest_offset,
        unordered_keys,
        publish_first,
        no_repeats,
        shorter_log_unseen,
    )
}
