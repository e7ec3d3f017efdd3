"""A worker process: an instance of the simulation's toy service on a real Kafka, without a web side.

Run as ``python -m tests.integration.rebalance.worker '<plan as JSON>'``. It prints ``READY <generation>`` whenever it
may decide in all of its partitions, stops cleanly at SIGTERM, and exits with 1 after an error.
"""

import asyncio
import json
import signal
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

import uvloop

from lab.simulation.toy import OLD_TABLE, TABLE, NumbersRow, known_messages
from services.common.clock import new_id
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.membership import KafkaMembership, SourceRecord
from services.common.kafka.publisher import NotAcknowledgedError, Publisher
from services.common.rows.view import View
from services.common.streams.consumer import StreamConsumer
from services.common.streams.lane import LaneLimits
from services.common.streams.owner import PartitionOwner
from services.common.streams.processor import ProcessorParts, TableProcessor
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import Telemetry

POLL_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Plan:
    """The configuration of a worker.

    Attributes:
        bootstrap: Kafka's ``host:port``.
        prefix: What stands before the names of its topics and of its group.
        directory: Where its copy is.
        partitions: How many partitions the topics have.
        work_seconds: How long it takes over each event before it decides it.
        crashes_at: The number of the event at which it ends with an error, None for none.
        old: Whether it is of the release before, which reads one topic less.
        window: How many events of a partition may be in progress.
        session_seconds: After which silence the group goes on without it.

    """

    bootstrap: str
    prefix: str
    directory: str = ""
    partitions: int = 4
    work_seconds: float = 0.002
    crashes_at: int | None = None
    old: bool = False
    window: int = 64
    session_seconds: float = 6.0

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a plan."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))


class Processor(TableProcessor[NumbersRow]):
    """The toy's processor, as slow and as unreliable as the plan says."""

    plan: Plan

    async def handle(self, record: SourceRecord, owner: PartitionOwner | None) -> None:
        """Decide one record."""
        await asyncio.sleep(self.plan.work_seconds)
        if json.loads(record.value or b"{}").get("number") == self.plan.crashes_at:
            text = "as planned"
            raise NotAcknowledgedError(text)
        await super().handle(record, owner)


async def work(plan: Plan) -> None:
    """Work until cancelled."""
    table = OLD_TABLE if plan.old else TABLE
    publisher, telemetry = Publisher(KafkaConnection(plan.bootstrap), plan.prefix, table.service), Telemetry()
    topic = KafkaChangelog(KafkaConnection(plan.bootstrap), f"{plan.prefix}{table.changelog.name}", publisher)
    view = View(topic, table.model, Path(plan.directory))
    dead_letters = DeadLetterWriter(publisher, plan.prefix, table.service)
    guard = RecordGuard(dead_letters, plan.prefix, table.service, table.reads, telemetry)
    parts = ProcessorParts(guard, publisher, telemetry.metrics, plan.prefix, plan.partitions)
    processor = Processor(table, view.copy, view.decoded, parts)
    processor.plan = plan
    group = f"{plan.prefix}{table.service}"
    membership = KafkaMembership(KafkaConnection(plan.bootstrap), group, processor.topics, plan.session_seconds)
    limits = replace(LaneLimits(), at_once=plan.window, distance=plan.window)
    stream = StreamConsumer(membership, [processor], limits, new_id)
    await publisher.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(view.run())
            tasks.create_task(print_when_ready(stream, membership))
            await stream.run()
    finally:
        await publisher.stop()


async def print_when_ready(stream: StreamConsumer, membership: KafkaMembership) -> None:
    """Print each generation of the group in which this worker decides, until cancelled."""
    printed = 0
    while True:
        generation = membership._generation  # noqa: SLF001 - nothing else needs to know it
        if stream.ready and generation > printed:
            printed = generation
            print(f"READY {generation}", flush=True)  # noqa: T201 - what the test reads
        await asyncio.sleep(POLL_SECONDS)


async def main(plan: Plan) -> int:
    """Work until SIGTERM or an error; return the exit status."""
    working = asyncio.create_task(work(plan))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    await asyncio.wait({working})
    return int(not working.cancelled())


if __name__ == "__main__":
    with known_messages():
        sys.exit(uvloop.run(main(Plan.from_json(sys.argv[1]))))
