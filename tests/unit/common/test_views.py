"""A read view answers only once it has caught up; before, it raises instead of reporting a missing row."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from services.common.decisions import Row
from services.common.kafka.publisher import UnavailableError
from services.common.kafka.topic_facts import TopicFacts
from services.common.progress import Progress
from services.common.rows import changelog_reader
from services.common.rows.codec import write_row
from services.common.rows.stamps import TOMBSTONE_HEADER
from services.common.rows.view import View

Apply = Callable[[Sequence[ConsumerRecord]], None]
OnProgress = Callable[[Progress], None]
Simulate = Callable[[Callable[[Apply, OnProgress], None]], Awaitable[None]]


class EndOfTopicError(Exception):
    """The simulated topic has ended."""


def a_record(key: str, row: Row | None, offset: int = 0, *, stamp: bytes | None = None) -> ConsumerRecord:
    """Return a changelog record."""
    value = None if row is None else write_row(row).decode().encode()
    headers = () if stamp is None else ((TOMBSTONE_HEADER, stamp),)
    return ConsumerRecord("changelog", 0, offset, 0, 0, key.encode(), value, None, 0, 0, headers)


@pytest.fixture
def view(tmp_path: Path) -> View[Row]:
    """Return a view with a simulated Kafka."""
    return View("nowhere:1", "changelog", Row, tmp_path)


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch, view: View[Row]) -> Simulate:
    """Return a function that runs the view on a simulated topic."""

    async def run(act: Callable[[Apply, OnProgress], None]) -> None:
        async def facts(_bootstrap: str, _topic: str) -> TopicFacts:
            return TopicFacts("cluster/topic", 3600.0)

        async def tail(
            _bootstrap: str,
            _topic: str,
            apply: Callable[[Sequence[ConsumerRecord], int], None],
            *,
            on_progress: OnProgress,
            **_others: object,
        ) -> None:
            act(lambda records: apply(records, 1), on_progress)
            raise EndOfTopicError

        monkeypatch.setattr(changelog_reader, "await_topic_facts", facts)
        monkeypatch.setattr(changelog_reader, "tail", tail)
        with pytest.raises(EndOfTopicError):
            await view.run()

    return run


async def test_a_view_that_catches_up_denies_nothing(view: View[Row], simulate: Simulate) -> None:
    results: list[Row | None] = []

    def act(apply: Apply, on_progress: OnProgress) -> None:
        on_progress(Progress(0, 3))
        assert view.reason == "read views are catching up: 0 %"
        apply([a_record("alex", Row(epoch=1, version=1))])
        on_progress(Progress(1, 3))
        assert view.reason == "read views are catching up: 33 %"
        for key in ("alex", "nobody"):
            with pytest.raises(UnavailableError):
                view.get(key)
        with pytest.raises(UnavailableError):
            next(view.all())
        on_progress(Progress(3, 3))
        assert view.reason == ""
        results.extend(view.get(key) for key in ("alex", "nobody"))

    await simulate(act)
    assert results == [Row(epoch=1, version=1), None]
    assert not view.ready


async def test_a_stale_row_does_not_undo_a_newer_one(view: View[Row], simulate: Simulate) -> None:
    def act(apply: Apply, on_progress: OnProgress) -> None:
        newest = Row(epoch=2, version=7)
        for offset, row in enumerate((newest, Row(epoch=1, version=9), Row(epoch=2, version=6))):
            apply([a_record("alex", row, offset)])
        apply([a_record("sam", row, 3 + place) for place, row in enumerate((newest, Row(epoch=1, version=9)))])
        on_progress(Progress(5, 5))
        assert view.get("alex") == view.get("sam") == newest
        assert (view.lag_stats.stale, view.lag_stats.delays) == (0, 0)  # they were there before
        apply([a_record("alex", row, 5 + place) for place, row in enumerate((Row(epoch=2, version=5), newest))])
        assert (view.lag_stats.stale, view.lag_stats.delays) == (1, 2)
        assert view.get("alex") == newest

    await simulate(act)


async def test_a_deleted_row_is_gone_unless_the_delete_is_a_stale_one(view: View[Row], simulate: Simulate) -> None:
    def act(apply: Apply, on_progress: OnProgress) -> None:
        row = Row(epoch=2, version=7)
        older, same = b'{"epoch":1,"version":9}', b'{"epoch":2,"version":7}'
        apply([a_record(key, row, offset) for offset, key in enumerate(("kept", "deleted", "by-hand"))])
        deletes = (("kept", older), ("deleted", same), ("by-hand", None))
        apply([a_record(key, None, 3 + place, stamp=each) for place, (key, each) in enumerate(deletes)])
        on_progress(Progress(6, 6))
        assert [view.get(key) for key in ("kept", "deleted", "by-hand")] == [row, None, None]

    await simulate(act)


async def test_undecodable_rows_are_reported_and_hide_no_other(view: View[Row], simulate: Simulate) -> None:
    def act(apply: Apply, on_progress: OnProgress) -> None:
        rows = [a_record(key, Row(version=number), number) for number, key in enumerate(("alex", "kim", "sam"))]
        rows[1] = replace(rows[1], value=b'{"epoch": "none"}')
        apply([*rows, replace(rows[0], key=b"\xff", offset=3)])
        on_progress(Progress(4, 4))
        unreadable: list[str] = []
        assert [row.version for row in view.all(unreadable.append)] == [0, 2]
        assert unreadable == ["kim"]
        assert [key for key, _row in view.items()] == ["alex", "sam"]

    await simulate(act)


async def test_all_rows_come_in_the_order_of_their_keys(view: View[Row], simulate: Simulate) -> None:
    def act(apply: Apply, on_progress: OnProgress) -> None:
        keys = [f"k{number:04}" for number in range(1203)]
        apply([a_record(key, Row(version=int(key[1:])), offset) for offset, key in enumerate(reversed(keys))])
        on_progress(Progress(1203, 1203))
        assert [row.version for row in view.all()] == list(range(1203))
        assert [key for key, _row in view.items(after="k1199")] == ["k1200", "k1201", "k1202"]

    await simulate(act)
