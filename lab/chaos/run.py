"""One run: people sign in, faults are made, and afterwards everything is read and checked."""

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
from lab.chaos.people import PATIENCE_SECONDS, Person
from lab.chaos.poison import Poisoner
from lab.chaos.schedule import Fault
from operations.audit.audit import LogAudit
from operations.audit.policies import Policies, load_policies
from operations.audit.reading import read_archive
from operations.audit.report import Report
from operations.audit.time_range import TimeRange
from operations.deployment import ALL
from operations.repartition.checks import unread
from operations.repartition.cluster import cluster as connect
from operations.repartition.cluster import places
from services.login.admin import administration

DRAIN_SECONDS: Final = 120.0
LAST_SECONDS: Final = PATIENCE_SECONDS + 30
LOOK_SECONDS: Final = 0.5


class StuckError(Exception):
    """A run that did not come to its end; the text says what it waits for."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is like.

    Attributes:
        directory: Where its data is.
        seed: Decides everything that is left to chance.
        seconds: How long faults are made; what has been begun is finished.
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


def run(options: Options, faults: Iterator[Fault], say: Callable[[str], None]) -> tuple[RunRecords, list[Claim]]:
    """Run, and check. Whatever ends it, nothing runs on, and nothing is mounted any more.

    Args:
        options: What it is like.
        faults: What is broken, one thing after the other, as long as there is time.
        say: Takes a line for whoever watches.

    Returns:
        What it left behind, and the claims.

    Raises:
        StuckError: If it does not come to its end.

    """
    cluster = Cluster(options.directory, options.brokers, options.instances, options.partitions)
    history = ClientLog(options.directory / "history.jsonl")
    say("Starting Kafka, the services and the proxy…")
    with cluster.running():
        records, rulebook, audited = asyncio.run(_pass(options, cluster, history, faults, say))
    history.close()
    evidence = RunRecords(records, tuple(history.entries), rulebook)
    say(f"Checking {len(records)} records and {len(history.entries)} entries of the clients…")
    return evidence, check(evidence, audited)


async def _pass(
    options: Options, cluster: Cluster, history: ClientLog, faults: Iterator[Fault], say: Callable[[str], None]
) -> tuple[tuple[RunRecord, ...], Policies, Report]:
    """Let people live while faults are made, and read what they leave behind."""
    async with cluster.supervised():
        say(f"{options.people} people sign in.")
        await _live(options, cluster, history, faults, say)
        say("Waiting until all that was sent has been decided…")
        await _drained(cluster.stack.bootstrap)
        say("Reading all topics, and auditing them…")
        return await _read(cluster.stack)


async def _read(stack: Stack) -> tuple[tuple[RunRecord, ...], Policies, Report]:
    """Read every record of every topic, once, for our own check and for an operator's audit."""
    # As an operator has it: with the services' settings in the environment.
    os.environ.update(stack.environment("login") | stack.environment("pairing"))
    rulebook = load_policies(stack.secrets)
    async with read_archive(stack.bootstrap, "", ALL, TimeRange()) as archive:
        records = tuple(RunRecord.of(each) for topic in ALL for each in archive.records(topic))
        return records, rulebook, await asyncio.to_thread(LogAudit(archive, rulebook, TimeRange()).run)


async def _live(
    options: Options, cluster: Cluster, history: ClientLog, faults: Iterator[Fault], say: Callable[[str], None]
) -> None:
    random = Random(options.seed)  # noqa: S311 - what is wanted is the same again
    stopping = asyncio.Event()
    async with administration(cluster.stack.bootstrap, "") as accounts, asyncio.TaskGroup() as group:
        people = [
            Person(
                number=number,
                urls=cluster.urls,
                accounts=accounts,
                history=history,
                random=Random(random.random()),  # noqa: S311 - as above
                pause_seconds=options.pause_seconds,
            )
            for number in range(options.people)
        ]
        poisoner = Poisoner(cluster.stack.bootstrap, Random(random.random()), options.poison_seconds)  # noqa: S311 - as above
        poisoning = group.create_task(poisoner.run())
        living = [group.create_task(person.live(stopping)) for person in people]
        await _break(options, cluster, history, faults, say)
        poisoning.cancel()
        stopping.set()
        say("No more faults; people finish what they have begun.")
        _, unfinished = await asyncio.wait(living, timeout=LAST_SECONDS)
        if unfinished:
            text = f"{len(unfinished)} people did not come to an end within {LAST_SECONDS:.0f} s"
            raise StuckError(text)


async def _break(
    options: Options, cluster: Cluster, history: ClientLog, faults: Iterator[Fault], say: Callable[[str], None]
) -> None:
    started = time.monotonic()
    # Some are signed in before anything breaks.
    await asyncio.sleep(min(options.pause_seconds, CHALLENGE_SECONDS))
    for fault in faults:
        if time.monotonic() - started >= options.seconds:
            return
        struck = await inject(cluster, fault)
        history.note(struck)
        lasted = (struck.repaired_at - struck.began_at).total_seconds()
        well = (
            "not well again"
            if struck.recovered_at is None
            else f"well {(struck.recovered_at - struck.repaired_at).total_seconds():.1f} s later"
        )
        at = time.monotonic() - started
        say(f"{at:6.0f} s  {fault.kind:<20} {struck.target:<22} for {lasted:4.1f} s, {well}")
        await asyncio.sleep(fault.pause_seconds)


async def _drained(bootstrap: str) -> None:
    """Wait until the services have committed all that there is."""
    left: list[str] = []
    async with connect(bootstrap, "") as kafka:
        partitions = [each for name, found in (await kafka.topics()).items() for each in places(name, len(found))]
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while left := await unread(kafka, await kafka.spans(partitions)):  # noqa: ASYNC110 - Kafka tells only when asked
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            text = f"Records are still waiting to be decided: {', '.join(left)}"
            raise StuckError(text) from None
