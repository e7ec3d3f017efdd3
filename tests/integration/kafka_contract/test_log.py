"""What a copy and an owner rely on of a changelog's log: the same on the simulated broker and on a real Kafka."""

import asyncio
import time

from services.common.kafka.log import LogReader, LogRecord
from services.common.rows.fence import Stamp, stamp_of
from tests.integration.kafka_contract.backends import LAG_SECONDS, PARTITIONS, Backend, World, read_all

TOPIC = "rows"
STAMP = Stamp(3, "A" * 22)


async def next_record(reader: LogReader) -> LogRecord:
    """Return the next record of any partition."""
    while not (batches := await reader.read()):
        pass
    ((record,),) = batches.values()
    return record


def test_reader_gives_each_partitions_records_in_order_from_the_beginning(backend: Backend) -> None:
    async def test(world: World) -> None:
        for number in range(50):
            await world.put(TOPIC, number % PARTITIONS, b"%d" % number)
        reader = await world.changelog(TOPIC).reader()
        found = await read_all(reader, 50)
        assert found == {each: [b"%d" % number for number in range(each, 50, PARTITIONS)] for each in range(PARTITIONS)}
        assert reader.partitions == PARTITIONS
        await reader.stop()

    backend.run([TOPIC], test)


def test_record_has_its_offset_key_value_headers_and_time(backend: Backend) -> None:
    async def test(world: World) -> None:
        before = int(time.time() * 1000)
        await world.put(TOPIC, 1, b"first")
        await world.put(TOPIC, 1, b"value", b"a key", STAMP)
        reader = await world.changelog(TOPIC).reader()
        reader.seek({1: 1})
        record = await next_record(reader)
        assert (record.offset, record.key, record.value, stamp_of(record.headers)) == (1, b"a key", b"value", STAMP)
        assert before <= record.timestamp <= time.time() * 1000
        await reader.stop()

    backend.run([TOPIC], test)


def test_reader_wakes_for_a_record_and_otherwise_after_about_a_second(backend: Backend) -> None:
    async def test(world: World) -> None:
        reader = await world.changelog(TOPIC).reader()
        assert await reader.read() == {}
        reading = asyncio.ensure_future(next_record(reader))
        await world.put(TOPIC, 0, b"value")
        assert (await reading).value == b"value"
        assert await reader.read() == {}
        await reader.stop()

    backend.run([TOPIC], test)


def test_bounds_and_positions_pass_over_markers_of_transactions(backend: Backend) -> None:
    async def test(world: World) -> None:
        await world.mark(TOPIC, 0)
        reader = await world.changelog(TOPIC).reader()
        bounds = await reader.bounds()
        assert {each: (known.beginning, known.end) for each, known in bounds.items()} == {0: (0, 2), 1: (0, 0)}
        await read_all(reader, 1)
        while await reader.position(0) < 2:
            await reader.read()
        assert (await reader.position(1), await reader.lag()) == (0, 0)
        await world.put(TOPIC, 0, b"behind it")
        assert (await next_record(reader)).offset == 2
        await reader.stop()

    backend.run([TOPIC], test)


def test_reader_behind_the_end_of_a_log_begins_again(backend: Backend) -> None:
    """As after a loss of the log's end. The copy sees that the offset is one that it has read."""

    async def test(world: World) -> None:
        for value in (b"first", b"second"):
            await world.put(TOPIC, 0, value)
        reader = await world.changelog(TOPIC).reader()
        reader.seek({0: 7})
        assert (await read_all(reader, 2))[0] == [b"first", b"second"]
        await reader.stop()

    backend.run([TOPIC], test)


def test_appended_record_is_acknowledged_once_a_reader_can_have_it(backend: Backend) -> None:
    async def test(world: World) -> None:
        changelog = world.changelog(TOPIC)
        await changelog.append(1, b"key", b"value", [STAMP.header()])
        await changelog.append(1, b"key", None, [STAMP.header()])
        reader = await changelog.reader()
        assert (await reader.bounds())[1].end == 2
        assert (await read_all(reader, 2))[1] == [b"value", None]
        await reader.stop()

    backend.run([TOPIC], test)


def test_records_appended_side_by_side_keep_their_order(backend: Backend) -> None:
    async def test(world: World) -> None:
        changelog = world.changelog(TOPIC)
        await changelog.append(0, b"key", b"first", [])
        appending = []
        for number in range(100):
            appending.append(asyncio.ensure_future(changelog.append(0, b"key", b"%d" % number, [])))
            await asyncio.sleep(0.001)
        await asyncio.gather(*appending)
        reader = await changelog.reader()
        assert (await read_all(reader, 101))[0] == [b"first", *(b"%d" % number for number in range(100))]
        await reader.stop()

    backend.run([TOPIC], test)


def test_facts_tell_the_topics_identity_and_lag(backend: Backend) -> None:
    async def test(world: World) -> None:
        facts = await world.changelog(TOPIC).facts()
        assert facts.compaction_lag_seconds == LAG_SECONDS
        assert facts.identity == (await world.changelog(TOPIC).facts()).identity
        assert facts.identity != (await world.changelog("other").facts()).identity

    backend.run([TOPIC, "other"], test)
