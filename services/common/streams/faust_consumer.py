"""Faust's consumer, made to finish and commit before it gives partitions up, and to answer a rebalance promptly."""

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
    """Let no further message reach an agent, and drop those that wait for one."""
    app.consumer.stop_flow()
    app.flow_control.suspend()
    app.flow_control.clear()


class LowLatencyConsumerThread(aiokafka.AIOKafkaConsumerThread):
    """The thread that talks to Kafka, with a shorter long poll.

    Kafka answers the requests of a connection in their order: whatever a recovery asks waits for the fetch before it.
    Faust lets an idle fetch wait for 1.5 s, and a recovery asks three times.
    """

    def set_fetch_max_wait(self, milliseconds: int) -> None:
        """Let the next fetches wait for so long."""
        if self._consumer is not None:
            set_fetch_max_wait(self._consumer, milliseconds)

    def group_error(self) -> KafkaError | None:
        """Return the error for which it is in no consumer group and asks for none any more; None if there is none."""
        coordinator = getattr(self._consumer, "_coordinator", None)
        error: KafkaError | None = getattr(coordinator, "_pending_exception", None)
        return error

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> AIOKafkaConsumer:
        consumer = super()._create_consumer(loop)
        set_fetch_max_wait(consumer, REBALANCE_MILLISECONDS)  # Faust has no setting for it
        return consumer


class DrainedConsumer(aiokafka.Consumer):
    """A consumer that finishes and commits before it gives partitions up."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._sealed = False
        self._beginnings: dict[TP, int] = {}

    def set_fetch_max_wait(self, milliseconds: int) -> None:
        """Let the next fetches wait for so long where there is nothing to fetch."""
        cast(LowLatencyConsumerThread, self._thread).set_fetch_max_wait(milliseconds)

    def raise_group_error(self) -> None:
        """Raise what keeps it out of its consumer group for good.

        aiokafka keeps such an error for the next fetch, and Faust fetches nothing until it has partitions.

        Raises:
            KafkaError: If there is something.

        """
        error = cast(LowLatencyConsumerThread, self._thread).group_error()
        if error is not None:
            raise error

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return how many records are not committed yet, by topic and partition; changelogs are not among them.

        Kafka tells the ends of partitions with what is fetched. One that nothing was fetched from yet is left out.
        """
        # In between, the thread that talks to Kafka may lose a partition, or not have begun.
        found = {}
        with suppress(ConsumerNotStarted):
            for tp in self.assignment():
                with suppress(AssertionError, AttributeError, KeyError):
                    end = None if self._is_changelog_tp(tp) else self.highwater(tp)
                    if end is not None:
                        done = self._committed_offset.get(tp) or self._beginnings.get(tp, 0)
                        found[tp.topic, tp.partition] = max(0, end - done)
        return found

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit what is in progress, then forget the partitions."""
        if not self.app.should_stop:
            suspend_flow(self.app)
            self.pause_partitions(self.assignment())
            await self.wait_empty()
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Stop without a commit.

        All that was finished is committed by now. Agents have been cancelled since, and a cancelled agent acknowledges
        the message that it did not finish.
        """
        self._sealed = True
        await super().on_stop()

    async def wait_empty(self) -> None:
        """Wait for what is in progress, and commit it."""
        await super().wait_empty()
        # The commit in there may only have joined one that began before the last message was finished.
        await self.commit()

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, and to the beginning where nothing has been committed yet.

        aiokafka leaves the latter where they are, which is behind whatever was fetched and cleared.
        """
        await super().perform_seek()
        fresh = [tp for tp in self.assignment() if not self._is_changelog_tp(tp) and not self._committed_offset[tp]]
        if fresh:
            self._beginnings.update(await self.earliest_offsets(*fresh))
            await self.seek_wait({tp: self._beginnings[tp] for tp in fresh})

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Pause partitions for good: a queue that empties later must not resume one that was paused for being full."""
        paused = set(tps)
        super().pause_partitions(paused)
        self._buffered_partitions.difference_update(paused)

    def resume_flow(self) -> None:
        """Resume the flow if there is something to fetch; otherwise the fetcher would sleep for a second."""
        if self._get_active_partitions():
            super().resume_flow()

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109
        # A copy: the set is changed while a fetch waits, and once empty it means every partition.
        wanted = None if active_partitions is None else set(active_partitions)
        return await super()._getmany(wanted, min(timeout, FETCH_SECONDS))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        if self._sealed or self.app.crashed:
            return False
        try:
            for table in self.app.tables.values():
                if isinstance(table, VersionedTable):
                    await table.delivered()
        except Exception as error:  # noqa: BLE001 -- whatever it was, the rows are not in Kafka
            await self.crash(error)
            return False
        return await super()._commit(offsets)

    def _new_consumer_thread(self) -> LowLatencyConsumerThread:
        return LowLatencyConsumerThread(self, loop=self.loop, beacon=self.beacon)
