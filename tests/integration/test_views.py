"""A view on a real Kafka continues from its disk if that matches the topic, and otherwise rebuilds its rows."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from services.common.decisions import Row
from services.common.kafka import tail
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.partitions import partition_of
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows import changelog_reader
from services.common.rows.changelog import Changes, PartitionState
from services.common.rows.codec import write_row
from services.common.rows.fence import Stamp, mark
from services.common.rows.store import Origin, RocksStore, StoreDamagedError, StoreError, StoreInUseError
from services.common.rows.view import View
from tests.builders import present
from tests.polling import DEADLINE_SECONDS, eventually

HOUR = 3600.0
PARTITIONS = 2
FIRST, SECOND = Stamp(1, "a" * 22), Stamp(2, "b" * 22)


@dataclass
class Changelog:
    """A changelog topic whose records a test writes.

    Attributes:
        topic: Its name.
        directory: Where views of it keep their rows.

    """

    bootstrap: str
    topic: str
    directory: Path
    admin: AIOKafkaAdminClient
    producer: AIOKafkaProducer

    async def make(self, **settings: str) -> None:
        """Create the topic."""
        await self.admin.create_topics(
            [NewTopic(self.topic, PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"} | settings)]
        )

    async def remove(self) -> None:
        """Delete the topic."""
        await self.admin.delete_topics([self.topic])
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.topic in await self.admin.list_topics():
                await asyncio.sleep(0.05)

    async def write(self, key: str, version: int, stamp: Stamp = FIRST) -> None:
        """Write a row."""
        await self.append(key.encode(), write_row(Row(version=version)), stamp)

    async def delete(self, key: str, stamp: Stamp = FIRST) -> None:
        """Write a tombstone."""
        await self.append(key.encode(), None, stamp)

    async def take_over(self, key: str, stamp: Stamp) -> None:
        """Write an owner's mark to a key's partition."""
        await self.append(*mark(stamp), stamp, partition_of(key.encode(), PARTITIONS))

    async def append(self, key: bytes, value: bytes | None, stamp: Stamp, partition: int | None = None) -> None:
        """Append a record, by default to its key's partition."""
        await self.producer.send_and_wait(self.topic, value, key, partition, headers=[stamp.header()])

    def a_view(self) -> View[Row]:
        """Return a view of the topic that does not run yet."""
        topic = KafkaChangelog(
            KafkaConnection(self.bootstrap), self.topic, Publisher(KafkaConnection(self.bootstrap), "", "test")
        )
        return View(topic, Row, self.directory)

    @asynccontextmanager
    async def view(self, *, ready: bool = True) -> AsyncIterator[View[Row]]:
        """Run a view of the topic, by default until it is ready."""
        view = self.a_view()
        running = asyncio.create_task(view.run())
        try:
            if ready:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await view.wait_ready()
            yield view
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    @contextmanager
    def stored(self) -> Iterator[RocksStore]:
        """Give the store of a view that does not run."""
        store = RocksStore(self.directory / self.topic)
        yield store
        store.close()

    def offsets(self) -> dict[int, int]:
        """Return how far each partition is stored."""
        with self.stored() as store:
            return {partition: state.offset for partition, state in store.states.items()}

    def plant(self, key: str, version: int) -> None:
        """Store a row that the topic lacks, which disappears in a rebuild."""
        with self.stored() as store:
            store.write(0, Changes(store.states[0], {key.encode(): write_row(Row(version=version))}, {}, ()))


@pytest.fixture
async def changelog(kafka: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Changelog]:
    """Provide a changelog with two rows in different partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, metadata_max_age_ms=200)
    await admin.start()
    await producer.start()
    made = Changelog(kafka, f"{topic_prefix}rows", tmp_path, admin, producer)
    await made.make()
    await made.write("alex", 1)
    await made.write("kim", 1)
    yield made
    await producer.stop()
    await admin.delete_topics([made.topic])
    await admin.close()


def rows(view: View[Row]) -> dict[str, int]:
    """Return the version of each row."""
    return {key: row.version for key, row in view.items()}


async def test_a_view_goes_on_from_its_disk(changelog: Changelog) -> None:
    async with changelog.view() as view:
        assert rows(view) == {"alex": 1, "kim": 1}
    assert changelog.offsets() == {0: 1, 1: 1}
    changelog.plant("sam", 5)
    await changelog.write("alex", 2)
    async with changelog.view() as view:
        assert rows(view) == {"alex": 2, "sam": 5, "kim": 1}, "only what is new is read"
        assert view.progress.total == 1
        await changelog.write("kim", 2)
        present(await view.wait_until("kim", lambda row: row.version == 2, DEADLINE_SECONDS))
        await changelog.delete("alex")
        await eventually(lambda: view.get("alex") is None)
    assert changelog.offsets() == {0: 3, 1: 2}


async def test_a_void_record_after_a_restart_undoes_nothing(changelog: Changelog) -> None:
    await changelog.take_over("alex", SECOND)
    await changelog.write("alex", 5, SECOND)
    async with changelog.view():
        pass
    await changelog.write("alex", 9, FIRST)
    await changelog.delete("alex", FIRST)
    async with changelog.view() as view:
        assert rows(view) == {"alex": 5, "kim": 1}
    with changelog.stored() as store:
        assert [*store.void[partition_of(b"alex", PARTITIONS)]] == [b"alex"], "an owner must write the row again"


@pytest.mark.parametrize(("compaction_lag", "there"), [("0", {"sam"}), (str(24 * 3600 * 1000), set())])
async def test_a_void_row_counts_if_compaction_may_have_removed_the_one_that_counted(
    changelog: Changelog, compaction_lag: str, there: set[str]
) -> None:
    await changelog.remove()
    await changelog.make(**{"min.compaction.lag.ms": compaction_lag})
    await changelog.take_over("sam", SECOND)
    await changelog.write("sam", 1, FIRST)
    await asyncio.sleep(0.002)  # to the next millisecond
    async with changelog.view() as view:
        assert rows(view).keys() == there


async def test_a_recreated_topic_is_read_again(changelog: Changelog) -> None:
    async with changelog.view():
        pass
    await changelog.remove()
    await changelog.make()
    for version in range(1, 4):
        await changelog.write("sam", version)
        await changelog.write("kim", version)
    async with changelog.view() as view:
        assert rows(view) == {"kim": 3, "sam": 3}


async def test_a_topic_recreated_while_reading_is_read_again(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelog_reader, "END_OFFSETS_SECONDS", 0.2)
    async with changelog.view() as view:
        await changelog.remove()
        await changelog.make()
        await changelog.write("sam", 1)
        await eventually(lambda: view.ready and rows(view) == {"sam": 1})


@pytest.mark.parametrize("offsets", [{0: 7, 1: 1}, {0: 1, 1: 1, 2: 0}, {0: -1, 1: 1}])
async def test_offsets_that_the_topic_lacks_cause_a_rebuild(changelog: Changelog, offsets: dict[int, int]) -> None:
    async with changelog.view():
        pass
    changelog.plant("sam", 5)
    with changelog.stored() as store:
        for partition, offset in offsets.items():
            store.write(partition, Changes(PartitionState(offset), {}, {}, ()))
    async with changelog.view() as view:
        assert rows(view) == {"alex": 1, "kim": 1}


@pytest.mark.parametrize(("age_hours", "there"), [(20.0, {"sam"}), (23.0, set()), (-30.0, set())])
async def test_rows_older_than_the_delete_retention_are_rebuilt(
    changelog: Changelog, age_hours: float, there: set[str]
) -> None:
    async with changelog.view():
        pass
    changelog.plant("sam", 5)
    with changelog.stored() as store:
        assert store.origin is not None
        store.begin(store.origin.model_copy(update={"current_at": time.time() - age_hours * HOUR}))
    async with changelog.view() as view:
        assert rows(view).keys() == {"alex", "kim"} | there


async def test_a_view_notes_that_it_is_current_though_nothing_happens(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "END_OFFSETS_SECONDS", 0.1)
    noted: list[float] = []
    begin = RocksStore.begin

    def note(store: RocksStore, origin: Origin) -> None:
        begin(store, origin)
        noted.append(origin.current_at)

    monkeypatch.setattr(RocksStore, "begin", note)
    async with changelog.view():
        ready_at = time.time()
        await eventually(lambda: noted[-1] > ready_at)


async def test_a_new_partition_is_taken_up(changelog: Changelog) -> None:
    async with changelog.view():
        pass
    await changelog.admin.create_partitions({changelog.topic: NewPartitions(3)})
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(await changelog.producer.partitions_for(changelog.topic)) < 3:
            await asyncio.sleep(0.05)
    await changelog.write("lee", 1)
    async with changelog.view() as view:
        assert rows(view) == {"alex": 1, "kim": 1, "lee": 1}
    assert changelog.offsets() == {0: 1, 1: 1, 2: 1}


async def test_damage_found_by_a_read_causes_a_rebuild(changelog: Changelog, monkeypatch: pytest.MonkeyPatch) -> None:
    async with changelog.view():
        pass
    changelog.plant("sam", 5)
    async with changelog.view() as view:
        with monkeypatch.context() as patched:
            patched.setattr(RocksStore, "get", _failing(StoreDamagedError("Corruption")))
            with pytest.raises(UnavailableError):
                view.get("alex")
        await eventually(lambda: view.ready)
        assert rows(view) == {"alex": 1, "kim": 1}


async def test_a_full_disk_ends_it_and_it_goes_on_once_there_is_space(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = changelog.a_view()
    running = asyncio.create_task(view.run())
    async with asyncio.timeout(DEADLINE_SECONDS):
        await view.wait_ready()
        with monkeypatch.context() as patched:
            patched.setattr(RocksStore, "write", _failing(StoreError("/data: No space left on device")))
            await changelog.write("alex", 2)
            with pytest.raises(StoreError, match="No space left on device"):
                await running
        with pytest.raises(UnavailableError):
            view.get("alex")
    async with changelog.view() as view:
        assert rows(view) == {"alex": 2, "kim": 1}


async def test_a_directory_that_another_view_has_is_refused(changelog: Changelog) -> None:
    async with changelog.view():
        with pytest.raises(StoreInUseError):
            await changelog.a_view().run()


def _failing(error: Exception) -> Callable[..., None]:
    def fail(*_arguments: object) -> None:
        raise error

    return fail
