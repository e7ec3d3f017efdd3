"""Honest people and Mallory do anything to an account in any order: nobody gets round its second factor."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.unit.siege.day import OFTEN, Day

STEPS_A_DAY = 100
MOST = 89
STEPS = tuple(Day(0).steps)
numbers = st.integers(0, MOST)


class Siege(RuleBasedStateMachine):
    """Days that hypothesis thinks up, and shortens to what matters when one goes wrong. Each decision is watched."""

    def __init__(self) -> None:
        super().__init__()
        self.day = Day(0)

    @initialize(beginning=numbers)
    def begin(self, beginning: int) -> None:
        """Begin the day."""
        self.day = Day(beginning)

    @rule(step=st.sampled_from((*OFTEN, *OFTEN, *STEPS)), numbers=st.tuples(numbers, numbers, numbers))
    def go_on(self, step: str, numbers: tuple[int, int, int]) -> None:
        """Let anything happen."""
        self.day.steps[step](*numbers)


TestSiege = Siege.TestCase


@settings(max_examples=settings().max_examples // 3)
@given(st.randoms(use_true_random=True))
def test_what_must_hold_holds_on_long_days(random: Random) -> None:
    """Days as long as chance makes them: they reach further, and are not shortened when one goes wrong."""
    day = Day(random.randint(0, MOST))
    for _ in range(STEPS_A_DAY):
        first, second, third = (random.randint(0, MOST) for _ in range(3))
        day.steps[random.choice((*OFTEN, *STEPS))](first, second, third)
