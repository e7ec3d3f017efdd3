"""Throttling: pauses after consecutive failures, and sliding windows."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert _failed(GROWING, 0, 1) == Throttle(failures=2, counted_from=after(0), in_a_row=2)
    assert not _failed(GROWING, 0, 1).is_paused(after(1))


def test_a_pause_lasts_up_to_its_end_and_not_longer() -> None:
    throttle = _failed(GROWING, 0, 1, 2)
    assert throttle == Throttle(failures=3, counted_from=after(0), paused_until=after(62), in_a_row=3)
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
        failures=4, counted_from=after(0), paused_until=after(121.999), in_a_row=4
    )
    assert _failed(LEVEL, 0, 1, 2, 62) == Throttle(failures=1, counted_from=after(62), in_a_row=4)


@pytest.mark.parametrize(("seconds", "failures"), [(599.999, 3), (600, 2), (1199.999, 2), (1200, 1), (100_000, 1)])
def test_failures_are_forgotten_one_by_one(seconds: float, failures: int) -> None:
    assert _failed(FORGETTING, 0, 0, seconds).failures == failures


def test_failures_are_forgotten_steadily_however_often_others_come() -> None:
    assert _failed(FORGETTING, *range(0, 60_000, 599)).failures <= 2
    assert _failed(FORGETTING, 0, 400, 800, 1200).failures == 2


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=60).map(sorted))
def test_an_office_that_errs_less_often_than_it_is_forgiven_is_never_paused(errors: list[int]) -> None:
    """As a leaky bucket: a pause needs more failures within some time than are forgotten in it."""
    throttle = NO_FAILURES
    for number, each in enumerate(errors):
        throttle = throttle.failed(after(each), FORGETTING)
        crowded = any(
            number - first + 1 - (each - errors[first]) // 600 >= FORGETTING.tries for first in range(number + 1)
        )
        assert throttle.paused_until is None or crowded


def test_failures_that_are_forgotten_need_no_row() -> None:
    assert not _failed(FORGETTING, 0).is_forgotten(after(599.999), FORGETTING)
    assert _failed(FORGETTING, 0).is_forgotten(after(600), FORGETTING)
    assert NO_FAILURES.is_forgotten(after(), FORGETTING)
    paused = Throttle(paused_until=after(700))
    assert not paused.is_forgotten(after(699), FORGETTING)


def test_by_default_failures_are_never_forgotten() -> None:
    assert not _failed(GROWING, 0).is_forgotten(after() + timedelta(days=1000), GROWING)


def test_a_success_takes_the_try_that_was_counted_in_advance_off_and_one_more() -> None:
    assert _failed(FORGETTING, 0, 1).refunded(after(1), FORGETTING) == NO_FAILURES
    many = _failed(FORGETTING, 0, 1, 2, 100, 300)
    assert many.refunded(after(300), FORGETTING) == Throttle(failures=3, counted_from=after(0), paused_until=after(540))


def test_a_success_ends_the_pause_that_its_own_try_began() -> None:
    paused = _failed(FORGETTING, 0, 1, 2)
    assert paused.is_paused(after(2))
    assert not paused.refunded(after(2), FORGETTING).is_paused(after(2))


def test_so_many_failures_in_a_row_close_it_however_old_they_are() -> None:
    closing = FORGETTING.model_copy(update={"close_after": 4})
    throttle = _failed(closing, 0, 10_000, 20_000)
    assert not throttle.is_closed(closing)
    throttle = throttle.failed(after(30_000), closing)
    assert (throttle.failures, throttle.is_closed(closing), throttle.is_closed(FORGETTING)) == (1, True, False)
    assert not throttle.succeeded().is_closed(closing)


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
