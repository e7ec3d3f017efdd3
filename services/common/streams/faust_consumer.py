"""Faust's consumer with a drain at a rebalance: it finishes and commits before it gives partitions up."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka
from faust.types import TP, AppT

from services.common.kafka.fetch_max_wait import REBALANCE_MILLISECONDS, set_fetch_max_wait
from services.common.streams.versioned_table import VersionedTable

FETCH_SECONDS: Final = 0.25


def suspend_flow(app: AppT) -> None:
    """Stop the flow of messages to the agents, and clear their queues."""
    app.consumer.stop_flow()
    app.flow_control.suspend()
    app.flow_control.clear()


class LowLatencyConsumerThread(aiokafka.AIOKafkaConsumerThread):
    """Faust's Kafka thread with a shorter long poll.

    A broker responds to the requests of a connection in order, so each request of a recovery waits for the fetch before
    it. Faust's idle fetch waits for 1.5 s, and a recovery makes three requests.
    """

    def set_fetch_max_wait(self, milliseconds: int) -> None:
        """Set how long the next empty fetches wait."""
        if self._consumer is not None:
            set_fetch_max_wait(self._consumer, milliseconds)

    def group_error(self) -> KafkaError | None:
        """Return the error that permanently keeps this consumer out of its group, or None."""
        coordinator = getattr(self._consumer, "_coordinator", None)
        error: KafkaError | None = getattr(coordinator, "_pending_exception", None)
        return error

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> AIOKafkaConsumer:
        consumer = super()._create_consumer(loop)
        set_fetch_max_wait(consumer, REBALANCE_MILLISECONDS)  # Faust has no setting for it
        return consumer


class DrainedConsumer(aiokafka.Consumer):
    """A consumer that finishes the messages in progress and commits before it gives partitions up."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._commits_stopped = False
        self._earliest_offsets: dict[TP, int] = {}

    def set_fetch_max_wait(self, milliseconds: int) -> None:
        """Set how long the next empty fetches wait."""
        cast(LowLatencyConsumerThread, self._thread).set_fetch_max_wait(milliseconds)

    def raise_group_error(self) -> None:
        """Raise the error that permanently keeps this consumer out of its group.

        aiokafka raises it only at the next fetch, and Faust does not fetch before it has partitions.

        Raises:
            KafkaError: If there is one.

        """
        error = cast(LowLatencyConsumerThread, self._thread).group_error()
        if error is not None:
            raise error

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return the number of uncommitted records by topic and partition, without changelogs.

        A fetch returns the partition's end; a partition without a fetch is omitted.
        """
        # Meanwhile the Kafka thread may lose a partition, or may not have started.
        lags = {}
        with suppress(ConsumerNotStarted):
            for tp in self.assignment():
                with suppress(AssertionError, AttributeError, KeyError):
                    end = None if self._is_changelog_tp(tp) else self.highwater(tp)
                    if end is not None:
                        done = self._committed_offset.get(tp) or self._earliest_offsets.get(tp, 0)
                        lags[tp.topic, tp.partition] = max(0, end - done)
        return lags

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Drain: finish and commit the messages in progress, then give up the partitions."""
        if not self.app.should_stop:
            suspend_flow(self.app)
            self.pause_partitions(self.assignment())
            await self.wait_empty()
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Stop without a commit.

        All finished messages are committed by now. The agents have been cancelled since, and a cancelled agent
        acknowledges its unfinished message.
        """
        self._commits_stopped = True
        await super().on_stop()

    async def wait_empty(self) -> None:
        """Wait for the messages in progress, and commit them."""
        await super().wait_empty()
        # That commit may have joined one that started before the last message was finished.
        await self.commit()

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, or to the beginning of partitions without one.

        aiokafka leaves the latter at their position, which is after the messages that were fetched and cleared.
        """
        await super().perform_seek()
        fresh = [tp for tp in self.assignment() if not self._is_changelog_tp(tp) and not self._committed_offset[tp]]
        if fresh:
            self._earliest_offsets.update(await self.earliest_offsets(*fresh))
            await self.seek_wait({tp: self._earliest_offsets[tp] for tp in fresh})

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Pause partitions permanently: a queue that empties must not resume a partition paused for a full queue."""
        paused = set(tps)
        super().pause_partitions(paused)
        self._buffered_partitions.difference_update(paused)

    def resume_flow(self) -> None:
        """Resume the flow if there is a partition to fetch; otherwise the fetcher would sleep for a second."""
        if self._get_active_partitions():
            super().resume_flow()

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109
        # A copy: the set changes while a fetch waits, and an empty set means all partitions.
        partitions = None if active_partitions is None else set(active_partitions)
        return await super()._getmany(partitions, min(timeout, FETCH_SECONDS))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        if self._commits_stopped or self.app.crashed:
            return False
        try:
            for table in self.app.tables.values():
                if isinstance(table, VersionedTable):
                    await table.wait_delivered()
        except Exception as error:  # noqa: BLE001 -- after any error, the rows are not in Kafka
            await self.crash(error)
            return False
        return await super()._commit(offsets)

    def _new_consumer_thread(self) -> LowLatencyConsumerThread:
        return LowLatencyConsumerThread(self, loop=self.loop, beacon=self.beacon)
