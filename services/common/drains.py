"""The two drains that keep a rebalance from losing events and from doing them twice.

Faust 0.15 fetches ahead, and forgets at the wrong moments what it fetched and what it finished:

- When partitions are revoked, it forgets which messages were finished before it commits them, so the next owner does
  them again. The first drain stops the flow, clears what was fetched, and finishes and commits what is in progress,
  before the partitions are given up.
- When tables are recovered, it lets the flow run while it seeks to the committed offsets, then clears its queues:
  what arrived in between is lost. The second drain stops the flow and clears the queues before the seek.

Smaller things of the same kind are put right where they are overridden below; docs/adr/0002-two-drains.md has the
whole story. Everything is hooked in by subclasses; call `install_drains` before the first table, topic or agent.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import faust
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery, ServiceStopped
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka
from faust.types import TP, AppT
from mode.services import WaitArgT
from mode.utils.times import Seconds

from services.common.changelog import VersionedTable


class RecoveryTimeoutError(Exception):
    """Kafka did not answer in time while tables were recovered; Faust alone would wait for ever and say nothing."""


class DrainedConsumer(aiokafka.Consumer):
    """A consumer that finishes and commits before it gives partitions up."""

    _sealed = False

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit what is in progress, then forget the partitions."""
        if not self.app.should_stop:
            hold_flow(self.app)
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
            await self.seek_wait(await self.earliest_offsets(*fresh))

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Pause partitions for good: a queue that empties later must not resume one that was paused for being full."""
        paused = set(tps)
        super().pause_partitions(paused)
        self._buffered_partitions.difference_update(paused)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109
        # A copy: the set is changed while a fetch waits, and once empty it means every partition.
        return await super()._getmany(None if active_partitions is None else set(active_partitions), timeout)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        if self._sealed or self.app.crashed:
            return False
        try:
            for table in self.app.tables.values():
                if isinstance(table, VersionedTable):
                    await table.delivered()
        except Exception as error:  # noqa: BLE001
            await self.crash(error)
            return False
        return await super()._commit(offsets)


class IdempotentProducer(aiokafka.Producer):
    """A producer whose retries neither repeat nor reorder."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class DrainedTransport(aiokafka.Transport):
    """The transport with our consumer and producer."""

    Consumer = DrainedConsumer
    Producer = IdempotentProducer


class DrainedRecovery(Recovery):
    """A recovery that lets nothing flow until every partition stands at its committed offset."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Hold the flow; the base class resumes it once it has sought the committed offsets."""
        hold_flow(self.app)
        await super().on_recovery_completed(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        hold_flow(self.app)
        await super()._resume_streams(generation_id)

    async def _wait(self, coro: WaitArgT, timeout: Seconds | None = None) -> None:  # noqa: ASYNC109
        try:
            await super()._wait(coro, timeout)
        except ServiceStopped:
            if not self.should_stop:
                raise RecoveryTimeoutError from None
            raise


class DrainedTableManager(TableManager):
    """The table manager with our recovery."""

    @property
    def recovery(self) -> Recovery:
        """The recovery service, made at first use."""
        if self._recovery is None:
            self._recovery = DrainedRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


def hold_flow(app: AppT) -> None:
    """Let no further message reach an agent, and drop those that wait for one."""
    app.consumer.stop_flow()
    app.flow_control.suspend()
    app.flow_control.clear()


def install_drains(app: faust.App) -> None:
    """Give an app both drains and the idempotent producer.

    Args:
        app: A new app; its first table, topic or agent would freeze what this replaces.

    """
    app.conf.TableManager = DrainedTableManager  # type: ignore[assignment]  # the setting takes classes, and is typed otherwise
    app.transport = DrainedTransport(app.conf.broker_consumer, app)
