"""A read view answers only once it has caught up; before, it raises instead of reporting a missing row."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.simulation.broker import Broker, Link, Partition
from lab.simulation.instance import SimulatedPublisher
from lab.simulation.log import SimulatedChangelog
from services.common.decisions import Row
from services.common.kafka.publisher import UnavailableError
from services.common.rows.codec import write_row
from services.common.rows.fence import Stamp, mark
from services.common.rows.view import View
from tests.builders import present
from tests.virtual import a_broker, in_virtual_time

TOPIC = "rows"
FIRST, SECOND = Stamp(1, "A" * 22), Stamp(2, "B" * 22)
MOMENT = 3.0


@dataclass
class Changelog:
    """A changelog topic in memory.

    Attributes:
        broker: The broker.

    """

    broker: Broker

    @property
    def log(self) -> Partition:
        """The only partition."""
        return self.broker.topic(TOPIC)[0]

    def write(self, key: str | bytes, version: int | bytes | None, stamp: Stamp = FIRST) -> None:
        """Append a row of a version, or a value, or a tombstone."""
        value = write_row(Row(version=version)) if isinstance(version, int) else version
        self.log.append(key if isinstance(key, bytes) else key.encode(), value, [stamp.header()])

    def take_over(self, stamp: Stamp) -> None:
        """Append an owner's mark."""
        self.log.append(*mark(stamp), [stamp.header()])

    @asynccontextmanager
    async def view(self, directory: Path, *, ready: bool = True) -> AsyncIterator[View[Row]]:
        """Run a view, by default until it is ready."""
        link = Link(self.broker)
        view = View(SimulatedChangelog(link, TOPIC, SimulatedPublisher(link)), Row, directory)
        running = asyncio.create_task(view.run())
        try:
            if ready:
                await view.wait_ready()
            yield view
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def a_changelog() -> Changelog:
    """Return an empty changelog."""
    return Changelog(a_broker())


@in_virtual_time
async def test_view_that_catches_up_denies_nothing(tmp_path: Path) -> None:
    changelog = a_changelog()
    for version in range(100):
        changelog.write("alex", version)
    async with changelog.view(tmp_path, ready=False) as view:
        reasons = list[str]()
        while not view.ready:
            reasons.append(view.reason)
            for key in ("alex", "nobody"):
                with pytest.raises(UnavailableError):
                    view.get(key)
            with pytest.raises(UnavailableError):
                next(view.all())
            await asyncio.sleep(0.001)
        assert {"read views are catching up: 0 %"} < set(reasons)
        assert (view.reason, present(view.get("alex")).version, view.get("nobody")) == ("", 99, None)
    assert not view.ready


@in_virtual_time
async def test_row_of_an_owner_that_was_replaced_undoes_nothing(tmp_path: Path) -> None:
    changelog = a_changelog()
    for stamp, version in ((FIRST, 1), (SECOND, 2), (FIRST, 9)):
        changelog.write("alex", version, stamp)
    async with changelog.view(tmp_path) as view:
        assert present(view.get("alex")).version == 2
        assert (view.lag_stats.void, view.lag_stats.delays) == (0, 0), "they were there before"
        changelog.write("alex", 9, FIRST)
        changelog.write("alex", None, FIRST)
        await asyncio.sleep(MOMENT)
        assert present(view.get("alex")).version == 2
        assert (view.lag_stats.void, view.lag_stats.delays) == (2, 2)


@in_virtual_time
async def test_deleted_row_is_gone_unless_its_owner_was_replaced(tmp_path: Path) -> None:
    changelog = a_changelog()
    for key in ("kept", "deleted", "by-hand"):
        changelog.write(key, 7)
    changelog.take_over(SECOND)
    changelog.write("kept", None, FIRST)
    changelog.write("deleted", None, SECOND)
    changelog.log.append(b"by-hand", None, [])
    async with changelog.view(tmp_path) as view:
        assert [key for key, _row in view.items()] == ["kept"]


@in_virtual_time
async def test_undecodable_rows_are_reported_and_hide_no_other(tmp_path: Path) -> None:
    changelog = a_changelog()
    changelog.write("alex", 0)
    changelog.write("kim", b'{"version": "none"}')
    changelog.write("sam", 2)
    changelog.write(b"\xff", 3)
    async with changelog.view(tmp_path) as view:
        unreadable: list[str] = []
        assert [row.version for row in view.all(unreadable.append)] == [0, 2]
        assert unreadable == ["kim"]
        assert [key for key, _row in view.items()] == ["alex", "sam"]


@in_virtual_time
async def test_rows_come_in_the_order_of_their_keys_over_all_pages(tmp_path: Path) -> None:
    changelog = a_changelog()
    for version in reversed(range(1203)):
        changelog.write(f"k{version:04}", version)
    async with changelog.view(tmp_path) as view:
        assert [row.version for row in view.all()] == list(range(1203))
        assert [key for key, _row in view.items(after="k1199")] == ["k1200", "k1201", "k1202"]
        assert list(view.keys()) == [f"k{version:04}" for version in range(1203)]


@in_virtual_time
async def test_task_that_waits_for_a_row_wakes_with_it(tmp_path: Path) -> None:
    changelog = a_changelog()
    async with changelog.view(tmp_path) as view:
        waiting = asyncio.ensure_future(view.wait_until("alex", lambda row: row.version == 2, 60.0))
        for version in (1, 2):
            changelog.write("alex", version)
            await asyncio.sleep(MOMENT)
        assert present(await waiting).version == 2
        assert await view.wait_until("alex", lambda row: row.version == 3, MOMENT) is None
