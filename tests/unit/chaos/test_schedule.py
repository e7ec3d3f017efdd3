"""The faults of a run follow from its seed alone, and leave none out."""

from itertools import islice

from lab.chaos.schedule import LONGEST_STEP_SECONDS, SECONDS, Fault, FaultKind, plan

ROUND = len(FaultKind)


def first(seed: int, count: int) -> list[Fault]:
    return list(islice(plan(seed), count))


def test_a_seed_gives_the_same_faults_again_and_another_one_others() -> None:
    assert first(1, 3 * ROUND) == first(1, 3 * ROUND)
    assert first(1, ROUND) != first(2, ROUND)


def test_each_round_has_every_kind_once() -> None:
    faults = [fault.kind for fault in first(7, 3 * ROUND)]
    assert all(sorted(faults[begin : begin + ROUND]) == sorted(FaultKind) for begin in range(0, 3 * ROUND, ROUND))


def test_every_fault_is_within_its_bounds() -> None:
    for fault in first(3, 10 * ROUND):
        shortest, longest = SECONDS[fault.kind]
        assert shortest <= fault.seconds <= longest
        assert 0 < abs(fault.step_seconds) <= LONGEST_STEP_SECONDS


def test_a_pause_lasts_longer_than_a_session() -> None:
    assert SECONDS[FaultKind.PAUSE_INSTANCE][0] > 6
