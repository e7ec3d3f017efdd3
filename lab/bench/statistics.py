"""Percentiles of times, and the ratios of two revisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Latencies:
    """Percentiles of how long something took, in milliseconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latencies":
        """Return the percentiles of times in seconds, interpolated between the two nearest; 0 where there are none."""
        if len(seconds) <= 1:
            return cls(*([1000 * sum(seconds)] * 3))
        cuts = quantiles(seconds, n=100, method="inclusive")
        return cls(*(1000 * cuts[percent - 1] for percent in (50, 95, 99)))


@dataclass(frozen=True, slots=True)
class Figures:
    """What two revisions are compared by.

    Attributes:
        logins_per_second: Logins a second.
        p50_ms: A login's median in milliseconds.
        cpu_ms: CPU time of the services and Kafka for a login, in milliseconds.

    """

    logins_per_second: float
    p50_ms: float
    cpu_ms: float


def ratios(new: Mapping[int, Sequence[Figures]], old: Mapping[int, Sequence[Figures]]) -> dict[str, dict[str, float]]:
    """Return, by figure and by how many sign in at a time, the new median over the old one.

    Args:
        new: The passes of one revision, by how many at a time.
        old: The passes of the other one.

    """
    names = ("logins_per_second", "p50_ms", "cpu_ms")
    return {
        name: {
            str(at_once): median(getattr(each, name) for each in new[at_once])
            / median(getattr(each, name) for each in old[at_once])
            for at_once in new
        }
        for name in names
    }
