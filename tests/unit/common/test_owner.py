"""A partition's owner: it begins with a mark, and what it writes counts once its own copy reads it back so."""

import asyncio

import pytest

from lab.simulation import broker
from lab.simulation.broker import SimulatedRecord
from services.common.kafka.publisher import NotAcknowledgedError
from services.common.rows.fence import Stamp, stamp_of
from services.common.streams.owner import FencedError
from tests.unit.common.owners import LAG_SECONDS, A, B, C, Changelog
from tests.virtual import a_broker, in_virtual_time

KEY, ROW = b"key", b"row"
MOMENT = 1.0
"""Time enough for what nothing holds up."""


async def until_written(changelog: Changelog, value: bytes) -> None:
    """Wait until the log has a row."""
    while value not in [row for _key, row in changelog.rows]:
        await asyncio.sleep(0.0001)


@in_virtual_time
async def test_owner_begins_with_a_mark_above_all_that_it_has_read() -> None:
    changelog = Changelog()
    changelog.take_over(Stamp(7, A))
    async with changelog.instance() as instance:
        owner = instance.owner(B)
        with pytest.raises(FencedError):
            owner.load(KEY)
        await owner.begin()
        assert owner.began.is_set()
        assert owner.load(KEY) is None
    assert stamp_of(changelog.log.records[-1].headers) == Stamp(8, B)


@in_virtual_time
async def test_owner_waits_for_its_copy_before_it_marks() -> None:
    changelog = Changelog()
    changelog.write(KEY, ROW, Stamp(1, A))
    async with changelog.instance(ready=False) as instance:
        beginning = asyncio.ensure_future(instance.owner(B).begin())
        await asyncio.sleep(0)
        assert changelog.marks == []
        await beginning
        assert instance.copy.ready.is_set()


@pytest.mark.parametrize("other", [Stamp(1, C), Stamp(5, C)], ids=["as high a term", "a higher term"])
@in_virtual_time
async def test_owner_whose_mark_comes_behind_one_that_it_had_not_read_begins_nothing(other: Stamp) -> None:
    changelog = Changelog()
    async with changelog.instance() as instance:
        changelog.take_over(other)
        owner = instance.owner(B)
        with pytest.raises(FencedError):
            await owner.begin()
        assert not owner.began.is_set()
        await (await instance.begun(A)).save(KEY, ROW)
    assert [owner for owner, _there in changelog.marks] == ["C", "B", "A"]


@in_virtual_time
async def test_row_that_is_saved_is_there_at_once_and_then_in_each_copy() -> None:
    changelog = Changelog()
    async with changelog.instance() as first, changelog.instance() as second:
        owner = await first.begun(A)
        await owner.save(KEY, ROW)
        assert owner.load(KEY) == ROW
        await asyncio.sleep(MOMENT)
        assert second.disk.store.rows == {KEY: ROW}
        await owner.save(KEY, None)
        assert owner.load(KEY) is None
    assert changelog.rows == [(KEY, ROW), (KEY, None)]


@in_virtual_time
async def test_owner_that_another_one_has_replaced_neither_reads_nor_writes() -> None:
    changelog = Changelog()
    async with changelog.instance() as first, changelog.instance() as second:
        old = await first.begun(A)
        changelog.take_over(Stamp(9, C))
        with pytest.raises(FencedError):
            await old.save(KEY, b"sent before the mark was read")
        with pytest.raises(FencedError):
            old.load(KEY)
        with pytest.raises(FencedError):
            await old.save(KEY, b"never sent")
        assert (await second.begun(B)).load(KEY) is None
    assert changelog.rows == [(KEY, b"sent before the mark was read")]


@in_virtual_time
async def test_owner_that_is_lost_while_it_saves_publishes_nothing_though_the_row_counts() -> None:
    changelog = Changelog()
    async with changelog.instance() as instance:
        owner = await instance.begun(A)
        saving = asyncio.ensure_future(owner.save(KEY, ROW))
        await until_written(changelog, ROW)
        owner.lose()
        with pytest.raises(FencedError):
            await saving
        with pytest.raises(FencedError):
            owner.load(KEY)
        assert not owner.began.is_set()
        assert (await instance.begun(B)).load(KEY) == ROW


@in_virtual_time
async def test_row_of_an_earlier_assignment_that_comes_late_does_not_count() -> None:
    changelog = Changelog()
    async with changelog.instance() as first, changelog.instance() as second:
        old = await first.begun(A)
        await old.save(KEY, ROW)
        first.link.holds_next = True
        saving = asyncio.ensure_future(old.save(KEY, b"late"))
        await asyncio.sleep(0.1)
        saving.cancel()
        new = await second.begun(B)
        await new.save(KEY, b"new")
        await until_written(changelog, b"late")
        await asyncio.sleep(MOMENT)
        assert new.load(KEY) == b"new"
        assert first.disk.store.rows == {KEY: b"new"}


@pytest.mark.parametrize("when", ["idle", "saving"])
@in_virtual_time
async def test_owner_whose_copy_is_damaged_is_none_until_it_begins_again(when: str) -> None:
    changelog = Changelog()
    async with changelog.instance() as instance:
        owner = await instance.begun(A)
        await owner.save(KEY, ROW)
        instance.disk.damaged = True
        with pytest.raises(FencedError):
            await owner.save(KEY, b"new") if when == "saving" else owner.load(KEY)
        assert (await instance.begun(B)).load(KEY) == (b"new" if when == "saving" else ROW)


@in_virtual_time
async def test_row_counts_without_its_acknowledgement_once_it_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    changelog = Changelog()
    async with changelog.instance() as instance:
        owner = await instance.begun(A)
        monkeypatch.setattr(broker, "ACK_LOST", 1.0)
        changelog.broker.faulty = True
        await owner.save(KEY, ROW)
        assert owner.load(KEY) == ROW


@in_virtual_time
async def test_row_that_kafka_never_had_ends_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    changelog = Changelog()
    async with changelog.instance() as instance:
        owner = await instance.begun(A)
        monkeypatch.setattr(broker, "NEVER_SENT", 1.0)
        changelog.broker.faulty = True
        with pytest.raises(NotAcknowledgedError):
            await owner.save(KEY, ROW)
    assert changelog.rows == []


@pytest.mark.parametrize("what", ["mark", "row"])
@in_virtual_time
async def test_owner_whose_record_is_lost_after_its_acknowledgement_is_none_until_it_begins_again(what: str) -> None:
    losing = False

    def lose(_record: SimulatedRecord) -> None:
        if losing:
            changelog.log.cut(1, until=0.0)

    changelog = Changelog(a_broker(lose))
    async with changelog.instance() as instance:
        owner = instance.owner(A) if what == "mark" else await instance.begun(A)
        losing = True
        with pytest.raises(FencedError):
            await (owner.begin() if what == "mark" else owner.save(KEY, ROW))
        losing = False
        assert (await instance.begun(B)).load(KEY) is None


@pytest.mark.parametrize("row", [ROW, None], ids=["a row", "no row"])
@in_virtual_time
async def test_what_a_void_record_hides_is_written_again(row: bytes | None) -> None:
    changelog = Changelog()
    async with changelog.instance() as instance:
        owner = await instance.begun(A)
        if row is not None:
            await owner.save(KEY, row)
        changelog.write(KEY, b"late", Stamp(1, C))
        await asyncio.sleep(MOMENT)
        assert owner.keys_to_heal() == [KEY]
        await owner.heal(KEY)
        assert owner.keys_to_heal() == []
        await owner.heal(KEY)
    assert changelog.rows[-2:] == [(KEY, b"late"), (KEY, row)]


@in_virtual_time
async def test_marks_older_than_the_compaction_lag_are_removed_unless_a_void_record_needs_them() -> None:
    changelog = Changelog()
    changelog.take_over(Stamp(1, A))
    await asyncio.sleep(LAG_SECONDS)
    changelog.take_over(Stamp(2, C))
    changelog.write(KEY, b"late", Stamp(1, A))
    async with changelog.instance() as instance:
        owner = await instance.begun(B)
        await owner.remove_old_marks()
        assert ("A", False) not in changelog.marks
        await owner.heal(KEY)
        await owner.remove_old_marks()
        await asyncio.sleep(MOMENT)
        await owner.remove_old_marks()
    assert changelog.marks == [("A", True), ("C", True), ("B", True), ("A", False)]


@in_virtual_time
async def test_own_mark_is_never_removed() -> None:
    changelog = Changelog()
    async with changelog.instance() as instance:
        owner = await instance.begun(B)
        await asyncio.sleep(LAG_SECONDS + MOMENT)
        await owner.remove_old_marks()
    assert changelog.marks == [("B", True)]


@in_virtual_time
async def test_owner_that_was_replaced_removes_no_mark() -> None:
    changelog = Changelog()
    changelog.take_over(Stamp(1, A))
    await asyncio.sleep(LAG_SECONDS)
    async with changelog.instance() as instance:
        owner = await instance.begun(B)
        changelog.take_over(Stamp(9, C))
        await asyncio.sleep(MOMENT)
        with pytest.raises(FencedError):
            await owner.remove_old_marks()
    assert ("A", False) not in changelog.marks
