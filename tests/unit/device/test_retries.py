"""When a device retries: docs/protocol.md, sections 3 and 5."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authenticator.device.errors import ConnectionLostError, DeviceError, Problem, ProblemError, UnreachableError
from authenticator.device.retries import BackoffPauses, Retries, Timing

TIMING = Timing()


def refused(name: str, retry_after_seconds: float | None = None) -> ProblemError:
    """Return a refusal of that name."""
    return ProblemError(Problem(name, "", 401, "", retry_after_seconds), "http://localhost:8300/phrases")


def retries(retry_seconds: float = 1e9) -> Retries:
    """Return the policy of one request, with pauses that do not vary."""
    return Retries(BackoffPauses(TIMING, chance=lambda: 0.5), retry_seconds)


def test_pauses_double_up_to_half_a_minute() -> None:
    pauses = BackoffPauses(TIMING, chance=lambda: 0.5)
    assert [pauses.next_seconds() for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    pauses.reset()
    assert pauses.next_seconds() == 1


@given(st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_pauses_vary_by_at_most_a_fifth(chances: list[float]) -> None:
    pauses = BackoffPauses(TIMING, chance=iter(chances).__next__)
    for nominal in (1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30):
        assert nominal * 0.8 <= pauses.next_seconds() <= nominal * 1.2


def test_pauses_of_two_devices_differ() -> None:
    one, other = BackoffPauses(TIMING), BackoffPauses(TIMING)
    assert [one.next_seconds() for _ in range(9)] != [other.next_seconds() for _ in range(9)]


@pytest.mark.parametrize("name", ["stale", "bad-nonce"])
def test_request_is_signed_again_once_without_a_pause(name: str) -> None:
    policy = retries()
    assert policy.pause_seconds(refused(name), 0) == 0
    assert policy.pause_seconds(refused(name), 0) is None


def test_each_reason_has_its_own_second_try() -> None:
    policy = retries()
    assert policy.pause_seconds(refused("stale"), 0) == 0
    assert policy.pause_seconds(refused("bad-nonce"), 0) == 0
    assert policy.pause_seconds(refused("stale"), 0) is None


@pytest.mark.parametrize(
    "name",
    [
        "malformed",
        "bad-signature",
        "wrong-url",
        "replayed-nonce",
        "unknown-device",
        "unknown-challenge",
        "already-answered",
        "expired",
        "wrong-challenge",
        "never-heard-of",
    ],
)
def test_other_refusals_are_final(name: str) -> None:
    assert retries().pause_seconds(refused(name), 0) is None


@pytest.mark.parametrize("error", [refused("unavailable"), UnreachableError("http://localhost:8300", OSError())])
def test_unavailable_service_is_retried_with_growing_pauses(error: DeviceError) -> None:
    policy = retries()
    pauses = [policy.pause_seconds(error, 0) or 0 for _ in range(7)]
    assert all(earlier <= later for earlier, later in pairwise(pauses))
    assert pauses[0] == 1
    assert pauses[-1] == 30


def test_retry_after_decides_the_pause() -> None:
    policy = retries()
    assert policy.pause_seconds(refused("too-many-requests", 17), 0) == 17
    assert policy.pause_seconds(refused("too-many-requests", 0), 0) == 2


def test_retries_end_after_the_limit() -> None:
    policy = retries(retry_seconds=10)
    assert policy.pause_seconds(refused("unavailable"), 9) == 1
    assert policy.pause_seconds(refused("unavailable"), 9) is None
    assert policy.pause_seconds(refused("unavailable", 60), 0) is None


def test_lost_socket_repeats_no_request() -> None:
    assert retries().pause_seconds(ConnectionLostError("gone"), 0) is None
