"""Throttling: pauses after consecutive failures, and sliding windows."""

from datetime import timedelta

import pytest

from services.common.throttle import NO_FAILURES, PauseLimits, Throttle, WindowLimits
from tests.builders import after

GROWING = PauseLimits(tries=3, pause_seconds=60, longest_pause_seconds=240)
FORGETTING = GROWING.model_copy(update={"forget_after_seconds": 600})
LEVEL = PauseLimits(tries=3, pause_seconds=60, longest_pause_seconds=60)
WINDOW = WindowLimits(most=2, window_seconds=60)


def _failed(limits: PauseLimits, *seconds: float) -> Throttle:
    """Return the throttle after failures at these times."""
    throttle = NO_FAILURES
    for each in seconds:
        throttle = throttle.failed(after(each), limits)
    return throttle


def test_a_few_failures_lead_to_no_pause() -> None:
    assert _failed(GROWING, 0, 1) == Throttle(failures=2, last_failure_at=after(1))
    assert not _failed(GROWING, 0, 1).is_paused(after(1))


def test_a_pause_lasts_up_to_its_end_and_not_longer() -> None:
    throttle = _failed(GROWING, 0, 1, 2)
    assert throttle == Throttle(failures=3, last_failure_at=after(2), paused_until=after(62))
    assert throttle.is_paused(after(61.999))
    assert not throttle.is_paused(after(62))


@pytest.mark.parametrize(
    ("failures", "seconds"), [(2, None), (3, 60), (4, 120), (5, 240), (6, 240), (22, 240), (23, 240), (1_000_000, 240)]
)
def test_each_further_failure_doubles_the_pause_up_to_the_longest(failures: int, seconds: int | None) -> None:
    assert GROWING.pause_end(failures, after(1)) == (None if seconds is None else after(1 + seconds))


def test_a_pause_doubles_twenty_times_at_most() -> None:
    endless = PauseLimits(tries=1, pause_seconds=1, longest_pause_seconds=30 * 24 * 60 * 60)
    assert endless.pause_end(21, after()) == after(1 << 20)
    assert endless.pause_end(22, after()) == after(1 << 20)


def test_pauses_that_grow_go_on_growing_after_the_last_one_is_over() -> None:
    assert _failed(GROWING, 0, 1, 2, 1000).failures == 4
    assert _failed(GROWING, 0, 1, 2, 1000).paused_until == after(1120)


def test_if_pauses_do_not_grow_each_resets_the_count() -> None:
    assert (GROWING.grows, LEVEL.grows) == (True, False)
    assert _failed(LEVEL, 0, 1, 2, 61.999) == Throttle(
        failures=4, last_failure_at=after(61.999), paused_until=after(121.999)
    )
    assert _failed(LEVEL, 0, 1, 2, 62) == Throttle(failures=1, last_failure_at=after(62))


@pytest.mark.parametrize(("seconds", "failures"), [(600, 2), (600.001, 1)])
def test_time_without_failures_resets_the_count(seconds: float, failures: int) -> None:
    assert _failed(FORGETTING, 0, seconds).failures == failures
    assert FORGETTING.forgets(after(), after(seconds)) == (failures == 1)


def test_by_default_failures_are_never_forgotten() -> None:
    assert not GROWING.forgets(after(), after() + timedelta(days=1000))
    assert GROWING.forgets(None, after())
    assert FORGETTING.forgets(None, after())


def test_success_forgets_failures_and_pause() -> None:
    assert _failed(GROWING, 0, 1, 2).succeeded() == NO_FAILURES
    assert not NO_FAILURES.is_paused(after())


def test_a_window_holds_so_many_and_lets_one_more_in_when_the_oldest_leaves_it() -> None:
    assert WINDOW.next_at((), after()) is None
    assert WINDOW.next_at((after(),), after(1)) is None
    assert WINDOW.next_at((after(), after(10)), after(10)) == after(60)
    assert WINDOW.next_at((after(), after(10)), after(60)) is None
    assert WINDOW.next_at((after(-5), after(), after(10)), after(10)) == after(60)


def test_a_window_keeps_what_is_younger_than_its_length() -> None:
    assert WINDOW.recent((after(0), after(0.001), after(30)), after(60)) == (after(0.001), after(30))
