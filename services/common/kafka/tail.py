"""Tails all partitions of a topic without a consumer group, so that every instance reads every record."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import structlog
from aiokafka.errors import KafkaError

from services.common.kafka.log import LogReader, LogRecord
from services.common.progress import Progress

log = structlog.get_logger(__name__)
END_OFFSETS_SECONDS: Final = 30.0
"""Interval between requests for the end offsets, once the tail has caught up with the previous ones."""
LAG_SECONDS: Final = 1.0
Apply = Callable[[int, Sequence[LogRecord]], None]
"""Takes a partition and its next records, in order."""


async def tail(
    reader: LogReader,
    apply: Apply,
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_caught_up: Callable[[float], None] = lambda _fetched_at: None,
    on_lag: Callable[[int], None] = lambda _records: None,
) -> None:
    """Read a topic until cancelled.

    Args:
        reader: Reads the topic, from where it stands; the caller stops it.
        apply: Takes a partition and its next records, in order.
        on_progress: Takes the progress of reading the records that Kafka had at the start.
        on_caught_up: Takes a Unix time in seconds: all records that Kafka had then are read. Called after the records
            that Kafka had at the start, then every half a minute.
        on_lag: Takes the number of unread records, about once a second.

    """
    refresh: asyncio.Task[_EndOffsets] | None = None
    try:
        target: _EndOffsets | None = await _EndOffsets.fetch(reader)
        report = on_progress
        next_lag_at = 0.0
        while True:
            if target is not None:
                progress = await target.progress(reader)
                report(progress)
                if progress.complete:
                    on_caught_up(target.fetched_at)
                    target, report = None, lambda _progress: None
                    reader.settle()
                    refresh = asyncio.create_task(_refresh_end_offsets(reader))
            elif refresh is not None and refresh.done():
                target = refresh.result()
            for partition, records in (await reader.read()).items():
                apply(partition, records)
            if time.monotonic() >= next_lag_at:
                on_lag(await reader.lag())
                next_lag_at = time.monotonic() + LAG_SECONDS
    finally:
        if refresh is not None:
            refresh.cancel()
            await asyncio.gather(refresh, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _EndOffsets:
    """The end offset of each partition at a Unix time, and the reader's position at that time."""

    fetched_at: float
    positions: Mapping[int, int]
    ends: Mapping[int, int]

    @classmethod
    async def fetch(cls, reader: LogReader) -> Self:
        fetched_at = time.time()
        bounds = await reader.bounds()
        positions = {partition: await reader.position(partition) for partition in bounds}
        return cls(fetched_at, positions, {partition: each.end for partition, each in bounds.items()})

    async def progress(self, reader: LogReader) -> Progress:
        starts = {each: min(self.positions[each], end) for each, end in self.ends.items()}
        done = [min(await reader.position(each), end) - starts[each] for each, end in self.ends.items()]
        return Progress(sum(done), sum(end - starts[each] for each, end in self.ends.items()))


async def _refresh_end_offsets(reader: LogReader) -> _EndOffsets:
    """Fetch the end offsets after the interval, retrying until Kafka responds."""
    while True:
        await asyncio.sleep(END_OFFSETS_SECONDS)
        try:
            return await _EndOffsets.fetch(reader)
        except KafkaError as error:
            log.warning("cannot read end offsets from kafka, retrying", error=repr(error))
