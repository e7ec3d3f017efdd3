"""The owner of one partition of a table: it begins with a mark, and a row that it wrote counts once it is read back.

Fencing: see `services/common/rows/fence.py` and docs/adr/0030-one-store.md.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from services.common.kafka.publisher import UnavailableError
from services.common.rows.changelog import Judged
from services.common.rows.changelog_copy import ChangelogCopy, CopyLostError
from services.common.rows.fence import Stamp, mark, mark_key

log = structlog.get_logger(__name__)
READ_BACK_SECONDS: Final = 30.0
"""How long an acknowledged record may take to be read back. If brokers lose it, as in a power failure of all that have
it, it never is; the owner begins anew then."""


class FencedError(Exception):
    """This instance does not own the partition any more; what it wrote does not count."""


class PartitionOwner:
    """Owns one partition of a table in one assignment, for as long as nothing else stands there.

    Attributes:
        partition: The partition.
        began: Set once it may decide.

    """

    def __init__(self, copy: ChangelogCopy, partition: int, owner_id: str) -> None:
        """Prepare it; `begin` makes it the owner.

        Args:
            copy: The table's copy.
            partition: The partition.
            owner_id: Its random id, which no other owner has, before or after.

        """
        self.partition: Final = partition
        self._copy = copy
        self._owner_id = owner_id
        self._stamp: Stamp | None = None
        self._lost = False
        self.began = asyncio.Event()

    async def begin(self) -> None:
        """Write a mark, once the copy is up to date, and wait until it is read back as the one that stands.

        Whatever others had written before is read by then. What this process itself wrote in an earlier assignment, and
        may still be on its way, is another owner's, and void behind the mark.

        Raises:
            FencedError: If the mark does not stand, since something of a term as high was not read yet, or was lost.
            NotAcknowledgedError: If Kafka does not take the mark.

        """
        await self._copy.ready.wait()
        try:
            stamp = self._copy.fence(self.partition).next_stamp(self._owner_id)
        except UnavailableError as error:
            raise FencedError from error
        await self._write(*mark(stamp), stamp)
        self._stamp = stamp
        self.began.set()
        log.info("owns a partition", topic=self._copy.topic.name, partition=self.partition, term=stamp.term)

    def lose(self) -> None:
        """Note that the partition is gone: nothing more is decided or published by this owner."""
        self._lost = True
        self.began.clear()

    def load(self, key: bytes) -> bytes | None:
        """Return a key's row, or None.

        Raises:
            FencedError: If this is the owner no longer.

        """
        self._require_standing()
        try:
            return self._copy.get(key)
        except UnavailableError as error:
            raise FencedError from error

    async def save(self, key: bytes, value: bytes | None, parts: Sequence[tuple[bytes, bytes | None]] = ()) -> None:
        """Append a row, or its tombstone, and wait until it is read back as one that counts. One at a time for a key.

        Args:
            key: The row's key.
            value: The row; None deletes it.
            parts: Keys and values of parts of the row that change with it; they are appended before it.

        Raises:
            FencedError: If it does not count, or was lost.
            NotAcknowledgedError: If it is unknown whether the log has it.

        """
        stamp = self._require_standing()
        appended = [self._append(part, content, stamp) for part, content in parts]
        await self._write(key, value, stamp)
        await asyncio.gather(*appended)

    async def heal(self, key: bytes) -> None:
        """Write a key's row again if a void record lies on top of it, so that compaction keeps what counts.

        Raises:
            FencedError: If it does not count.
            NotAcknowledgedError: If it is unknown whether the log has it.

        """
        row = self.load(key)
        if self._copy.has_void(self.partition, key):
            await self.save(key, row)

    def keys_to_heal(self) -> list[bytes]:
        """Return the keys whose rows a void record hides from compaction, in order.

        Raises:
            FencedError: If this is the owner no longer.

        """
        self._require_standing()
        try:
            return self._copy.void_keys(self.partition)
        except UnavailableError as error:
            raise FencedError from error

    async def remove_old_marks(self) -> None:
        """Remove the marks of earlier owners that are older than the compaction lag, if no void record needs them.

        Behind a mark that was removed, a new reader takes a record of an earlier term as one that counts. The row that
        was written over it comes later in the log. So that one must be there.

        Raises:
            FencedError: If this is the owner no longer.
            NotAcknowledgedError: If it is unknown whether the log has the removals.

        """
        stamp = self._require_standing()
        if self.keys_to_heal():
            return
        for key in self._copy.old_marks(self.partition):
            if key != mark_key(stamp.owner):
                await self._copy.topic.append(self.partition, key, None, [stamp.header()])

    def _require_standing(self) -> Stamp:
        try:
            fence = self._copy.fence(self.partition)
        except UnavailableError as error:
            raise FencedError from error
        if self._stamp is None or self._lost or not fence.stands(self._stamp):
            raise FencedError
        return self._stamp

    async def _write(self, key: bytes, value: bytes | None, stamp: Stamp) -> None:
        record = Judged(key, value, stamp, counts=True)
        read_back = self._copy.expect(self.partition, record)
        appended = self._append(key, value, stamp)
        try:
            # Read back, a record is on all in-sync replicas: its acknowledgement need not be awaited as well.
            await asyncio.wait((read_back, appended), return_when=asyncio.FIRST_COMPLETED)
            if not read_back.done():
                await appended
                # Not asyncio.timeout: in a task that was cancelled, Python 3.11.2 ends it as a cancellation.
                await asyncio.wait((read_back,), timeout=READ_BACK_SECONDS)
            if not read_back.done():
                log.warning(
                    "a record was acknowledged and not read back", topic=self._copy.topic.name, key=key.decode()
                )
                raise FencedError
            counts = read_back.result()
        except CopyLostError as error:
            raise FencedError from error
        finally:
            self._copy.expect_no_more(self.partition, record)
        if not counts or self._lost:
            raise FencedError

    def _append(self, key: bytes, value: bytes | None, stamp: Stamp) -> asyncio.Future[None]:
        appended = asyncio.ensure_future(self._copy.topic.append(self.partition, key, value, [stamp.header()]))
        appended.add_done_callback(_retrieve)
        return appended


def _retrieve(appended: asyncio.Future[None]) -> None:
    """Retrieve a late error: the record was read back, so it stands in the log whatever its acknowledgement says."""
    if not appended.cancelled():
        appended.exception()
