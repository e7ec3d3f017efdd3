"""One run: people sign in, faults are injected, and afterwards all records are read and checked."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from deploy.local.stack import Stack
from lab.chaos.checker import check
from lab.chaos.claims.claim import Claim
from lab.chaos.cluster import CHALLENGE_SECONDS, Cluster
from lab.chaos.evidence import RunRecord, RunRecords
from lab.chaos.faults import inject
from lab.chaos.history import ClientLog
from lab.chaos.people import PATIENCE_SECONDS, Participant
from lab.chaos.poison import Poisoner
from lab.chaos.schedule import Fault
from operations.audit.audit import LogAudit
from operations.audit.policies import Policies, load_policies
from operations.audit.reading import read_records
from operations.audit.report import Report
from operations.audit.time_range import TimeRange
from operations.deployment import ALL
from operations.repartition.checks import lagging_groups
from operations.repartition.cluster import cluster as connect
from operations.repartition.cluster import topic_partitions
from services.common.kafka.connection import KafkaConnection
from services.login.admin import administration

DRAIN_SECONDS: Final = 120.0
LAST_SECONDS: Final = PATIENCE_SECONDS + 30
LOOK_SECONDS: Final = 0.5


class StuckError(Exception):
    """A run that does not come to its end. The text names what it waits for."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run.

    Attributes:
        directory: Where its data is.
        seed: Decides what is left to chance.
        seconds: How long faults are injected; what has been begun is finished.
        people: How many sign in.
        pause_seconds: How long a person waits on average from one sign-in to the next.
        poison_seconds: How long it is on average from one poisoned record to the next.
        brokers: How many brokers.
        instances: How many instances of each service.
        partitions: Partitions of each topic.

    """

    directory: Path
    seed: int
    seconds: float
    people: int
    pause_seconds: float
    poison_seconds: float
    brokers: int
    instances: int
    partitions: int


def run(options: Options, faults: Iterator[Fault], show: Callable[[str], None]) -> tuple[RunRecords, list[Claim]]:
    """Run, and check. However it ends, nothing runs on, and nothing stays mounted.

    Args:
        options: The options.
        faults: What is broken, one after the other, as long as there is time.
        show: Shows a line to the operator.

    Returns:
        What the run left behind, and the claims.

    Raises:
        StuckError: If it does not come to its end.

    """
    cluster = Cluster(options.directory, options.brokers, options.instances, options.partitions)
    history = ClientLog(options.directory / "history.jsonl")
    show("Starting Kafka, the services and the proxy…")
    with cluster.running():
        records, policies, audited = asyncio.run(_pass(options, cluster, history, faults, show))
    history.close()
    evidence = RunRecords(records, tuple(history.entries), policies)
    show(f"Checking {len(records)} records and {len(history.entries)} entries of the clients…")
    return evidence, check(evidence, audited)


async def _pass(
    options: Options, cluster: Cluster, history: ClientLog, faults: Iterator[Fault], show: Callable[[str], None]
) -> tuple[tuple[RunRecord, ...], Policies, Report]:
    """Have people sign in while faults are injected, and read what they leave behind."""
    async with cluster.supervised():
        show(f"{options.people} people sign in.")
        await _live(options, cluster, history, faults, show)
        show("Waiting until all that was sent has been decided…")
        await _drained(cluster.stack.connection)
        show("Reading all topics, and auditing them…")
        return await _read(cluster.stack)


async def _read(stack: Stack) -> tuple[tuple[RunRecord, ...], Policies, Report]:
    """Read every record of every topic, once, for the claims and for an operator's audit."""
    # As an operator has it: with the services' settings in the environment.
    os.environ.update(stack.environment("login") | stack.environment("pairing"))
    policies = load_policies(stack.secrets)
    async with read_records(stack.connection, "", ALL, TimeRange()) as store:
        records = tuple(RunRecord.of(each) for topic in ALL for each in store.records(topic))
        return records, policies, await asyncio.to_thread(LogAudit(store, policies, TimeRange()).run)


async def _live(
    options: Options, cluster: Cluster, history: ClientLog, faults: Iterator[Fault], show: Callable[[str], None]
) -> None:
    random = Random(options.seed)  # noqa: S311 - what is wanted is the same again
    stopping = asyncio.Event()
    stack = cluster.stack
    async with administration(stack.connection, "", stack.secrets) as accounts, asyncio.TaskGroup() as group:
        people = [
            Participant(
                number=number,
                urls=cluster.urls,
                accounts=accounts,
                history=history,
                random=Random(random.random()),  # noqa: S311 - as above
                pause_seconds=options.pause_seconds,
            )
            for number in range(options.people)
        ]
        poisoner = Poisoner(cluster.stack.connection, Random(random.random()), options.poison_seconds)  # noqa: S311 - as above
        poisoning = group.create_task(poisoner.run())
        living = [group.create_task(person.live(stopping)) for person in people]
        await _break(options, cluster, history, faults, show)
        poisoning.cancel()
        stopping.set()
        show("No more faults; people finish what they have begun.")
        _, unfinished = await asyncio.wait(living, timeout=LAST_SECONDS)
        if unfinished:
            text = f"{len(unfinished)} people did not come to an end within {LAST_SECONDS:.0f} s"
            raise StuckError(text)


async def _break(
    options: Options, cluster: Cluster, history: ClientLog, faults: Iterator[Fault], show: Callable[[str], None]
) -> None:
    started = time.monotonic()
    # Some people are signed in before the first fault.
    await asyncio.sleep(min(options.pause_seconds, CHALLENGE_SECONDS))
    for fault in faults:
        if time.monotonic() - started >= options.seconds:
            return
        result = await inject(cluster, fault)
        history.note(result)
        lasted = (result.repaired_at - result.began_at).total_seconds()
        recovery = (
            "not recovered"
            if result.recovered_at is None
            else f"recovered {(result.recovered_at - result.repaired_at).total_seconds():.1f} s later"
        )
        at = time.monotonic() - started
        show(f"{at:6.0f} s  {fault.kind:<20} {result.target:<22} for {lasted:4.1f} s, {recovery}")
        await asyncio.sleep(fault.pause_seconds)


async def _drained(connection: KafkaConnection) -> None:
    """Wait until the services have committed all records."""
    left: list[str] = []
    async with connect(connection, "") as kafka:
        partitions = [
            each for name, found in (await kafka.topics()).items() for each in topic_partitions(name, len(found))
        ]
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while left := await lagging_groups(kafka, await kafka.offset_ranges(partitions)):  # noqa: ASYNC110 - Kafka has no event for it
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            text = f"Records are still waiting to be decided: {', '.join(left)}"
            raise StuckError(text) from None
