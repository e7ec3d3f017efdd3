"""Times become percentiles, and two revisions' passes become ratios."""

import pytest

from lab.bench.statistics import Figures, Latencies, ratios


def test_percentiles_are_in_milliseconds_between_the_two_nearest() -> None:
    found = Latencies.of([number / 1000 for number in range(101)])
    assert (found.p50, found.p95, found.p99) == pytest.approx((50, 95, 99))


def test_percentiles_of_one_time_are_that_time() -> None:
    assert Latencies.of([0.25]) == Latencies(250, 250, 250)


def test_percentiles_of_nothing_are_zero() -> None:
    assert Latencies.of([]) == Latencies(0, 0, 0)


def test_a_ratio_is_the_new_median_over_the_old_one() -> None:
    new = {1: [Figures(20, 10, 4), Figures(40, 30, 8), Figures(60, 20, 6)], 8: [Figures(90, 80, 4)]}
    old = {1: [Figures(10, 40, 12), Figures(20, 40, 12), Figures(90, 40, 12)], 8: [Figures(45, 160, 16)]}
    assert ratios(new, old) == {
        "logins_per_second": {"1": 2.0, "8": 2.0},
        "p50_ms": {"1": 0.5, "8": 0.5},
        "cpu_ms": {"1": 0.5, "8": 0.25},
    }
