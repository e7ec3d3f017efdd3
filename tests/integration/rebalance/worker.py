"""A worker process whose table appends each event's number to the row of the event's key.

Run as ``python -m tests.integration.rebalance.worker '<plan as JSON>'``. It logs ``READY <generation>`` whenever its
tables are recovered, stops cleanly at SIGTERM, and exits with 1 if Faust crashed.
"""

import asyncio
import itertools
import json
import logging
import signal
import sys
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import faust
import uvloop
from faust.tables.recovery import Recovery
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka
from faust.types import TP, StreamT

from services.common.streams.app import STREAM_SETTINGS
from services.common.streams.faust_consumer import DrainedConsumer
from services.common.streams.faust_patches import DrainedTableManager, DrainedTransport, install_drains
from services.common.streams.row_table import ROCKSDB_OPTIONS
from services.common.streams.versioned_table import VersionedTable

POLL_SECONDS: Final = 0.02
log = logging.getLogger("worker")


@dataclass(frozen=True)
class Plan:
    """The configuration of a worker.

    Attributes:
        bootstrap: Kafka's ``host:port``.
        prefix: What stands before the names of its topics and of its group.
        directory: Where its tables are.
        partitions: How many partitions the topics have.
        work_seconds: How long it takes over each event, between reading the row and writing it.
        seek_seconds: Further time of Kafka to return the committed offsets.
        crashes_at: The number of the event during which Faust crashes, None for none.
        dropped_batches: How many batches of changelog records get lost on their way.
        remembers: Whether a repeated event changes nothing.
        drain_on_revocation: Whether the first drain is installed.
        drain_on_recovery: Whether the second one is.
        buffered_events: How many events may wait for the agent.
        session_seconds: After which silence the group goes on without it.

    """

    bootstrap: str
    prefix: str
    directory: str = ""
    partitions: int = 4
    work_seconds: float = 0.002
    seek_seconds: float = 0.0
    crashes_at: int | None = None
    dropped_batches: int = 0
    remembers: bool = False
    drain_on_revocation: bool = True
    drain_on_recovery: bool = True
    buffered_events: int = 512
    session_seconds: float = 6.0

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a plan."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))


class UndrainedConsumer(DrainedConsumer):
    """The consumer without the first drain."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Give up the partitions like Faust."""
        await aiokafka.Consumer.on_partitions_revoked(self, revoked)


class UndrainedTableManager(DrainedTableManager):
    """The table manager without the second drain."""

    @property
    def recovery(self) -> Recovery:
        """Faust's own recovery."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


def make_transport(app: faust.App, plan: Plan) -> DrainedTransport:
    """Make the transport; offsets are delayed and batches are dropped as the plan says."""
    base = DrainedConsumer if plan.drain_on_revocation else UndrainedConsumer
    batches = itertools.count(1)

    class FaultyConsumer(base):  # type: ignore[misc, valid-type]  # which base is the test's choice
        async def perform_seek(self) -> None:
            await super().perform_seek()
            await asyncio.sleep(plan.seek_seconds)

        async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109
            fetched: RecordMap = await super()._getmany(active_partitions, timeout)
            changelog = any(self._is_changelog_tp(tp) for tp in fetched)
            return {} if changelog and next(batches) <= plan.dropped_batches else fetched

    class FaultyTransport(DrainedTransport):
        Consumer = FaultyConsumer

    return FaultyTransport(app.conf.broker_consumer, app)


def make_app(plan: Plan) -> faust.App:
    """Create the app, without the parts that the plan disables."""
    options: dict[str, Any] = {
        **STREAM_SETTINGS,
        "stream_buffer_maxsize": plan.buffered_events,
        "broker_session_timeout": plan.session_seconds,
    }
    app = faust.App(f"{plan.prefix}group", broker=f"kafka://{plan.bootstrap}", datadir=plan.directory, **options)
    install_drains(app)
    app.transport = make_transport(app, plan)
    if not plan.drain_on_recovery:
        app.conf.TableManager = UndrainedTableManager  # type: ignore[assignment]  # as in install_drains
    return app


def add_agent(app: faust.App, plan: Plan) -> None:
    """Add the table, and the agent that counts in it and publishes its decisions."""
    options = dict(ROCKSDB_OPTIONS)
    table = VersionedTable(app, name="counts", partitions=plan.partitions, options=options)
    app.tables.add(table)
    events = raw_topic(app, f"{plan.prefix}events")
    decisions = raw_topic(app, f"{plan.prefix}decisions")

    async def count(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            key, number = event.message.key, int(event.message.value)
            value = table.get(key)
            row: dict[str, Any] = json.loads(value) if value else {"epoch": 0, "version": 0, "numbers": []}
            await asyncio.sleep(plan.work_seconds)
            if number == plan.crashes_at:
                await app.crash(RuntimeError("as planned"))
                await asyncio.Event().wait()
            if number not in row["numbers"] or not plan.remembers:
                epoch, version = max(row["epoch"], app.consumer_generation_id), row["version"] + 1
                row = {"epoch": epoch, "version": version, "numbers": [*row["numbers"], number]}
            index = row["numbers"].index(number) + 1
            await (await decisions.send(key=key, value=b"%d %d" % (number, index)))
            table[key] = json.dumps(row, separators=(",", ":")).encode()

    app.agent(events)(count)


def raw_topic(app: faust.App, name: str) -> faust.TopicT:
    """Declare a topic of bytes."""
    return app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


async def log_when_ready(app: faust.App) -> None:
    """Log each generation of the group that this worker is ready in, until cancelled."""
    logged = 0
    while True:
        if app.tables.actives_ready and not app.rebalancing and app.consumer_generation_id != logged:
            logged = app.consumer_generation_id
            log.warning("READY %d", logged)
        await asyncio.sleep(POLL_SECONDS)


async def main(plan: Plan) -> int:
    """Work until SIGTERM or a crash; return the exit status."""
    app = make_app(plan)
    add_agent(app, plan)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ready_logger = asyncio.create_task(log_when_ready(app))
    await app.start()
    while not stop.is_set() and not app.crashed:
        await asyncio.sleep(POLL_SECONDS)
    crashed = app.crashed
    await app.stop()
    ready_logger.cancel()
    return int(crashed)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    sys.exit(uvloop.run(main(Plan.from_json(sys.argv[1]))))
