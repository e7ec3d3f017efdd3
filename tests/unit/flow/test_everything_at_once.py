"""Honest people and a villain do anything in any order, and services see it in any order: what must hold, holds."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.unit.flow.day import Day

STEPS_A_DAY = 120
STEPS = (*["be honest", "cross"] * 3, "guess phrase", "do mischief", "serve", "wait")
MOST = 59
numbers = st.integers(0, MOST)


class Everything(RuleBasedStateMachine):
    """Days that hypothesis thinks up, and shortens to what matters when one goes wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.day = Day(0)

    @initialize(beginning=numbers)
    def begin(self, beginning: int) -> None:
        """Begin the day."""
        self.day = Day(beginning)

    @rule(step=st.sampled_from(STEPS), numbers=st.tuples(numbers, numbers, numbers, numbers))
    def go_on(self, step: str, numbers: tuple[int, int, int, int]) -> None:
        """Let anything happen."""
        self.day.steps[step](*numbers)

    @invariant()
    def all_holds(self) -> None:
        """What must hold, holds."""
        self.day.watcher.check()


TestEverything = Everything.TestCase


@settings(max_examples=settings().max_examples // 3)
@given(st.randoms(use_true_random=True))
def test_what_must_hold_holds_on_long_days(random: Random) -> None:
    """Days as long as chance makes them: they reach further, and are not shortened when one goes wrong."""
    day = Day(random.randint(0, MOST))
    for _ in range(STEPS_A_DAY):
        first, second, third, fourth = (random.randint(0, MOST) for _ in range(4))
        day.steps[random.choice(STEPS)](first, second, third, fourth)
        day.watcher.check()
