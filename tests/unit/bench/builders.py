"""Passes and results as a run would have them."""

from lab.bench.floors import Counts, Cryptography, Floors
from lab.bench.machine import Machine
from lab.bench.passes import CLIENT, Pass
from lab.bench.results import Measured, Results
from lab.bench.statistics import Latencies

MACHINE = Machine("Processor", 2, 2048, "Linux", "3.11", "Java 17", 40.0, 0.5, "abc", "2026-01-02 03:04")
FLOOR_COUNTS = Counts(trips=5, requests=10)


def a_pass(at_once: int = 1, *, per_second: float = 10.0, p50: float = 50.0, cpu: float = 20.0) -> Pass:
    """Return a pass of ten seconds."""
    return Pass(
        title=f"Logins without the hash, {at_once} at a time",
        at_once=at_once,
        done=round(10 * per_second),
        everything=round(12 * per_second),
        seconds=10.0,
        latencies=Latencies(p50, 2 * p50, 3 * p50),
        cpu_ms={"login": cpu / 2, "push": cpu / 2, CLIENT: 7.0},
        requests=8.0,
    )


def some_floors() -> Floors:
    """Return floors at one and at four at a time: a trip takes 1 ms, a request 0.1 ms, cryptography 2 ms."""
    passes = {
        at_once: (
            a_pass(at_once, per_second=1000, p50=1.0, cpu=0.5),
            a_pass(at_once, per_second=10_000, p50=0.1, cpu=0.05),
        )
        for at_once in (1, 4)
    }
    trips, requests = ({at_once: pair[place] for at_once, pair in passes.items()} for place in (0, 1))
    return Floors(Cryptography(sign_ms=0.5, verify_ms=1.5, hash_ms=30.0), trips, requests, cores=2)


def some_results() -> Results:
    """Return a run's results: logins alone, one and four at a time."""
    floors = some_floors()
    logins = [Measured(a_pass(at_once), floors.floor(at_once, FLOOR_COUNTS)) for at_once in (1, 4)]
    return Results(MACHINE, floors=floors, logins=logins)
