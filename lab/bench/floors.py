"""The floors: what a login's records, requests, signatures and hash take with nothing around them, on this machine now.

A figure over its floor says how far the product is from what it stands on, and hardly depends on the machine.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import NewTopic
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from lab.bench.bare_server import BareServer
from lab.bench.client.floors import RecordsInARow, RequestsInARow
from lab.bench.passes import Pass, PassRunner, Times
from services.common.kafka.connection import KafkaConnection
from services.login.sign_in.passwords import ITERATIONS, LANES, MEMORY_KIBIBYTES

TOPIC: Final = "bench.floor"
PARTITIONS: Final = 4
_ROUNDS: Final = 200
_HASH_ROUNDS: Final = 20
_PASSWORD: Final = "the password of the floor"  # noqa: S105 - no account has it


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where the floor's records go.

    Attributes:
        bootstrap: Its address.
        pid: Its process.
        record_bytes: The size of a record, as the product's are on average.

    """

    bootstrap: str
    pid: int
    record_bytes: int


@dataclass(frozen=True, slots=True)
class Cryptography:
    """CPU milliseconds of one operation, the median of many.

    Attributes:
        sign_ms: An ES256 signature.
        verify_ms: Its verification.
        hash_ms: Argon2id with the product's parameters.

    """

    sign_ms: float
    verify_ms: float
    hash_ms: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What a login consists of.

    Attributes:
        trips: Produce requests, each waited for.
        requests: HTTP requests.
        signatures: ES256 signatures of the services: the challenge's.
        verifications: Their verifications: the answer's.
        hashes: Password hashes.

    """

    trips: float
    requests: float
    signatures: int = 1
    verifications: int = 1
    hashes: int = 0


@dataclass(frozen=True, slots=True)
class Floor:
    """The floor of a login.

    Attributes:
        per_second: Logins a second.
        p50_ms: A login's median in milliseconds.
        cpu_ms: CPU milliseconds for a login.

    """

    per_second: float
    p50_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Floors:
    """What the parts of a login take alone.

    Attributes:
        cryptography: Signatures and hash.
        trips: Records written in a row, by how many rows at a time.
        requests: HTTP requests in a row, by how many rows at a time.
        cores: How many cores there are.

    """

    cryptography: Cryptography
    trips: Mapping[int, Pass]
    requests: Mapping[int, Pass]
    cores: int

    def floor(self, at_once: int, counts: Counts) -> Floor:
        """Return a login's floor: its parts one after the other, each as fast as it is alone.

        Args:
            at_once: How many logins at a time.
            counts: What a login consists of.

        """
        parts, trip, request = self.cryptography, self.trips[at_once], self.requests[at_once]
        work_ms = (
            counts.signatures * parts.sign_ms + counts.verifications * parts.verify_ms + counts.hashes * parts.hash_ms
        )
        trips_seconds, requests_seconds = counts.trips / trip.per_second, counts.requests / request.per_second
        work_seconds = work_ms / 1000 / min(at_once, self.cores)
        # The producer is part of a service, so its CPU time counts; whoever sends the requests is a client.
        trip_cpu_ms = sum(trip.cpu_ms.values())
        return Floor(
            per_second=1 / (trips_seconds + requests_seconds + work_seconds),
            p50_ms=counts.trips * trip.latencies.p50
            + counts.requests * request.latencies.p50
            + work_ms * max(1.0, at_once / self.cores),
            cpu_ms=counts.trips * trip_cpu_ms + counts.requests * request.server_cpu_ms + work_ms,
        )


def measure_floors(runner: PassRunner, kafka: Kafka, server: BareServer, times: Times, at: Sequence[int]) -> Floors:
    """Measure the floors.

    Args:
        runner: Has clients write and ask.
        kafka: The Kafka, which has nothing else to do.
        server: The bare HTTP server.
        times: How long each pass is.
        at: How many at a time, in turn.

    """
    asyncio.run(_make_topic(kafka.bootstrap))
    trips, requests = {}, {}
    for at_once in at:
        parts = runner.split(at_once)
        title = f"Floor: records, {at_once} at a time"
        busy = runner.prepare(
            title, [RecordsInARow(kafka.bootstrap, TOPIC, kafka.record_bytes, each) for each in parts]
        )
        trips[at_once] = runner.run(title, at_once, busy, {"kafka": kafka.pid}, times)
        title = f"Floor: HTTP requests, {at_once} at a time"
        busy = runner.prepare(title, [RequestsInARow(server.url, each) for each in parts])
        requests[at_once] = runner.run(title, at_once, busy, {"server": server.pid}, times)
    return Floors(measure_cryptography(), trips, requests, os.cpu_count() or 1)


def measure_cryptography() -> Cryptography:
    """Measure signatures and hash in this process."""
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    public, message = key.public_key(), b"a challenge's digest"
    signature = key.sign(message, algorithm)
    hasher = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES)
    hashed = hasher.hash(_PASSWORD)
    return Cryptography(
        sign_ms=_cpu_ms(lambda: key.sign(message, algorithm), _ROUNDS),
        verify_ms=_cpu_ms(lambda: public.verify(signature, message, algorithm), _ROUNDS),
        hash_ms=_cpu_ms(lambda: hasher.verify(hashed, _PASSWORD), _HASH_ROUNDS),
    )


def _cpu_ms(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return 1000 * sorted(taken)[rounds // 2]


async def _make_topic(bootstrap: str) -> None:
    admin = KafkaConnection(bootstrap).admin()
    await admin.start()
    try:
        if TOPIC not in await admin.list_topics():
            await admin.create_topics([NewTopic(TOPIC, num_partitions=PARTITIONS, replication_factor=1)])
    finally:
        await admin.close()
