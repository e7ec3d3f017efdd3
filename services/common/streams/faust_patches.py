"""The two drains that keep a rebalance from losing events and from doing them twice.

Faust 0.15 fetches ahead, and forgets at the wrong moments what it fetched and what it finished:

- When partitions are revoked, it forgets which messages were finished before it commits them, so the next owner does
  them again. The first drain (`faust_consumer.DrainedConsumer`) stops the flow, clears what was fetched, and finishes
  and commits what is in progress, before the partitions are given up.
- When tables are recovered, it lets the flow run while it seeks to the committed offsets, then clears its queues:
  what arrived in between is lost. The second drain (`DrainedRecovery`) stops the flow and clears the queues before it
  seeks.

Smaller things of the same kind are put right beside them; docs/adr/0002-two-drains.md has the whole story. Everything
is hooked in by subclasses; call `install_drains` before the first table, topic or agent.
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
"""Changelog records that wait to be taken in while tables recover; of other topics fewer are fetched ahead."""
STALL_SECONDS: Final = 2.0
LONGEST_STALL_SECONDS: Final = 40.0


class IdempotentProducer(aiokafka.Producer):
    """A producer whose retries neither repeat nor reorder."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class DrainedTransport(aiokafka.Transport):
    """The transport with our consumer and producer."""

    Consumer = DrainedConsumer
    Producer = IdempotentProducer


class DrainedRecovery(Recovery):
    """A recovery that lets nothing flow until every partition stands at its committed offset, and tells how far it is.

    Attributes:
        to_recover: How many changelog records there were to read when it began; None before it knows.

    """

    to_recover: int | None = None

    async def _build_highwaters(self, consumer: ConsumerT, tps: set[TP], destination: Counter[TP], title: str) -> None:
        if title == "active":
            self.to_recover = None
        await super()._build_highwaters(consumer, tps, destination, title)

    async def _seek_offsets(self, consumer: ConsumerT, tps: set[TP], offsets: Counter[TP], title: str) -> None:
        if title == "active":
            self.to_recover = self.active_remaining_total()
        await super()._seek_offsets(consumer, tps, offsets, title)

    @Service.task
    async def _tell_progress(self) -> None:
        progress_log = ProgressLog("tables recover")
        while not self.should_stop:
            if self.to_recover is not None and not self.tables.actives_ready:
                progress_log.note(recovery_progress(self.app))
            await self.sleep(1.0)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Hold the flow; the base class resumes it once it has sought the committed offsets."""
        suspend_flow(self.app)
        await super().on_recovery_completed(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        suspend_flow(self.app)
        await super()._resume_streams(generation_id)

    @Service.task
    async def _restart_when_stalled(self) -> None:
        # A fetch that was under way when the flow was held may have taken changelog records that are then dropped;
        # Kafka may be away for longer than Faust waits. Either way Faust's recovery would stand still for ever.
        patience_seconds = STALL_SECONDS
        while not self.should_stop:
            before = self._progress()
            await self.sleep(patience_seconds)
            if before is None or before != self._progress():
                patience_seconds = STALL_SECONDS
                continue
            self.log.warning("recovery has stood still for %s s, starting it again", patience_seconds)
            self.signal_recovery_start.set()
            # Where Kafka is merely slow, starting again and again would never end. After 90 s Faust gives up by itself.
            patience_seconds = min(2 * patience_seconds, LONGEST_STALL_SECONDS)

    def _progress(self) -> tuple[int, int] | None:
        generation = self.app.consumer_generation_id
        if self.tables.actives_ready or not generation or self._generation_id != generation:
            return None
        return generation, sum(offset or 0 for offset in self.active_offsets.values())


class DrainedTableManager(TableManager):
    """The table manager with our recovery.

    Attributes:
        last_recovery_seconds: How long decisions stood still at the last rebalance.

    """

    last_recovery_seconds = 0.0
    _stood_still_at: float | None = None

    @property
    def changelog_queue(self) -> ThrowableQueue[Any]:
        """The records that wait to be recovered: many, since a full queue makes the consumer pause for long."""
        if self._changelog_queue is None:
            self._changelog_queue = self.app.FlowControlQueue(maxsize=RECOVERY_RECORDS, clear_on_resume=True)
        return self._changelog_queue

    @property
    def recovery(self) -> Recovery:
        """The recovery service, made at first use."""
        if self._recovery is None:
            self._recovery = DrainedRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    def on_rebalance_start(self) -> None:
        """Note that decisions stand still."""
        super().on_rebalance_start()
        cast(DrainedConsumer, self.app.consumer).set_fetch_max_wait(REBALANCE_MILLISECONDS)
        self._stood_still_at = self._stood_still_at or time.monotonic()

    def on_actives_ready(self) -> None:
        """Note that decisions go on."""
        super().on_actives_ready()
        cast(DrainedConsumer, self.app.consumer).set_fetch_max_wait(GROUP_MILLISECONDS)
        if self._stood_still_at is not None:
            self.last_recovery_seconds = time.monotonic() - self._stood_still_at
            self._stood_still_at = None

    async def on_start(self) -> None:
        """Start as the base class does, without its second of sleep: tables are declared before the app starts."""
        await self._update_channels()
        await self.recovery.start()


def recovery_progress(app: AppT) -> Progress:
    """Return how far an app's tables have recovered, of what there was to read when their recovery began."""
    recovery = cast("DrainedRecovery", cast("TableManager", app.tables).recovery)
    if recovery.to_recover is None:
        return Progress(0, 1)
    return Progress(recovery.to_recover - recovery.active_remaining_total(), recovery.to_recover)


def install_drains(app: faust.App) -> None:
    """Give an app both drains and the idempotent producer.

    Args:
        app: A new app; its first table, topic or agent would freeze what this replaces.

    """
    app.conf.TableManager = DrainedTableManager  # type: ignore[assignment]  # it takes classes, and is typed otherwise
    app.transport = DrainedTransport(app.conf.broker_consumer, app)
