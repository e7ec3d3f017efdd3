"""Two drains, which make a rebalance in Faust neither lose nor repeat events.

Faust 0.15 prefetches messages, and loses its state of fetched and finished messages in two situations:

- When partitions are revoked, it drops the finished offsets before it commits them, so the next owner repeats the
  events. The first drain (`faust_consumer.DrainedConsumer`) stops the flow and clears the prefetched messages. Then it
  finishes and commits the messages in progress, before the partitions are given up.
- After a recovery, the flow runs while Faust seeks to the committed offsets; then it clears its queues and loses the
  messages that arrived in between. The second drain (`DrainedRecovery`) stops the flow and clears the queues before the
  seek.

The subclasses also fix smaller bugs of the same kind; docs/adr/0002-two-drains.md describes all of them. Call
`install_drains` before the first table, topic or agent.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, cast

import faust
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka
from faust.types import TP, AppT
from faust.types.transports import ConsumerT
from mode import Service
from mode.utils.queues import ThrowableQueue

from services.common.kafka.fetch_max_wait import GROUP_MILLISECONDS, REBALANCE_MILLISECONDS
from services.common.progress import Progress, ProgressLog
from services.common.streams.faust_consumer import DrainedConsumer, suspend_flow

RECOVERY_RECORDS: Final = 10_000
"""Size of the recovery's queue of changelog records; other topics have a smaller prefetch."""
STALL_SECONDS: Final = 2.0
LONGEST_STALL_SECONDS: Final = 40.0


class IdempotentProducer(aiokafka.Producer):
    """An idempotent producer: its retries neither repeat nor reorder records."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class DrainedTransport(aiokafka.Transport):
    """The transport with our consumer and producer."""

    Consumer = DrainedConsumer
    Producer = IdempotentProducer


class DrainedRecovery(Recovery):
    """A recovery that suspends the flow until every partition is at its committed offset, and reports its progress.

    Attributes:
        total_records: The number of changelog records to read at its start; None before it is known.

    """

    total_records: int | None = None

    async def _build_highwaters(self, consumer: ConsumerT, tps: set[TP], destination: Counter[TP], title: str) -> None:
        if title == "active":
            self.total_records = None
        await super()._build_highwaters(consumer, tps, destination, title)

    async def _seek_offsets(self, consumer: ConsumerT, tps: set[TP], offsets: Counter[TP], title: str) -> None:
        if title == "active":
            self.total_records = self.active_remaining_total()
        await super()._seek_offsets(consumer, tps, offsets, title)

    @Service.task
    async def _log_progress(self) -> None:
        progress_log = ProgressLog("tables recover")
        while not self.should_stop:
            if self.total_records is not None and not self.tables.actives_ready:
                progress_log.update(recovery_progress(self.app))
            await self.sleep(1.0)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Suspend the flow; the base class resumes it after the seek to the committed offsets."""
        suspend_flow(self.app)
        await super().on_recovery_completed(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        suspend_flow(self.app)
        await super()._resume_streams(generation_id)

    @Service.task
    async def _restart_when_stalled(self) -> None:
        # Suspending the flow drops the changelog records of a fetch in progress; and Kafka may be away for longer than
        # Faust waits. In both cases Faust's recovery would stall forever.
        stall_seconds = STALL_SECONDS
        while not self.should_stop:
            before = self._progress()
            await self.sleep(stall_seconds)
            if before is None or before != self._progress():
                stall_seconds = STALL_SECONDS
                continue
            self.log.warning("recovery has stood still for %s s, starting it again", stall_seconds)
            self.signal_recovery_start.set()
            # With a slow Kafka, constant restarts would never finish. After 90 s Faust itself gives up.
            stall_seconds = min(2 * stall_seconds, LONGEST_STALL_SECONDS)

    def _progress(self) -> tuple[int, int] | None:
        generation = self.app.consumer_generation_id
        if self.tables.actives_ready or not generation or self._generation_id != generation:
            return None
        return generation, sum(offset or 0 for offset in self.active_offsets.values())


class DrainedTableManager(TableManager):
    """The table manager with our recovery.

    Attributes:
        last_recovery_seconds: How long the last rebalance suspended decisions.

    """

    last_recovery_seconds = 0.0
    _paused_at: float | None = None

    @property
    def changelog_queue(self) -> ThrowableQueue[Any]:
        """The queue of records to recover; it is large, since a full queue pauses the consumer for long."""
        if self._changelog_queue is None:
            self._changelog_queue = self.app.FlowControlQueue(maxsize=RECOVERY_RECORDS, clear_on_resume=True)
        return self._changelog_queue

    @property
    def recovery(self) -> Recovery:
        """The recovery service, created at first use."""
        if self._recovery is None:
            self._recovery = DrainedRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    def on_rebalance_start(self) -> None:
        """Start measuring how long decisions are suspended."""
        super().on_rebalance_start()
        cast(DrainedConsumer, self.app.consumer).set_fetch_max_wait(REBALANCE_MILLISECONDS)
        self._paused_at = self._paused_at or time.monotonic()

    def on_actives_ready(self) -> None:
        """Finish the measurement: decisions resume."""
        super().on_actives_ready()
        cast(DrainedConsumer, self.app.consumer).set_fetch_max_wait(GROUP_MILLISECONDS)
        if self._paused_at is not None:
            self.last_recovery_seconds = time.monotonic() - self._paused_at
            self._paused_at = None

    async def on_start(self) -> None:
        """Start like the base class, but without its sleep of one second: all tables are declared before the start."""
        await self._update_channels()
        await self.recovery.start()


def recovery_progress(app: AppT) -> Progress:
    """Return the progress of the recovery of an app's tables."""
    recovery = cast("DrainedRecovery", cast("TableManager", app.tables).recovery)
    if recovery.total_records is None:
        return Progress(0, 1)
    return Progress(recovery.total_records - recovery.active_remaining_total(), recovery.total_records)


def install_drains(app: faust.App) -> None:
    """Install both drains and the idempotent producer in a new app, before its first table, topic or agent."""
    app.conf.TableManager = DrainedTableManager  # type: ignore[assignment]  # it accepts classes, despite its type
    app.transport = DrainedTransport(app.conf.broker_consumer, app)
