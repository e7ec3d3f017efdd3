"""Honest people and a villain do anything in any order, and services see it in any order: what must hold, holds."""

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.unit.flow.invariants import Watcher
from tests.unit.flow.people import NAMES, PHRASES, People, choose
from tests.unit.flow.script import PAIRING, VERDICTS, Action, act, actions
from tests.unit.flow.villain import Villain
from tests.unit.flow.world import World

numbers = st.integers(0, 11)
PAUSES: Final = (0.5, 5, 60, 121, 301, 1801)
MISCHIEF: Final[tuple[Callable[[Villain, int, int, int], None], ...]] = (
    lambda villain, first, second, _third: villain.answer_for_another_phone(first, VERDICTS[second % 4]),
    lambda villain, first, second, _third: villain.answer_own_copy(first, VERDICTS[second % 4]),
    lambda villain, first, second, _third: villain.twist_response(first, second),
    lambda villain, first, second, third: villain.twist_pairing(
        first, NAMES[second % 2], own_phone=third % 2 == 0, own_seal=third % 3 == 0
    ),
    lambda villain, first, second, third: villain.claim_phrase(PHRASES[first % 3], NAMES[second % 2], third),
    lambda villain, first, _second, _third: villain.fail_pairing(first),
)


class Everything(RuleBasedStateMachine):
    """Everybody acts; the services decide when they like.

    There are few rules, each with many ways to act: of many rules hypothesis would leave most out in each run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.people = People(self.world)
        self.villain = Villain(self.people)
        self.watcher = Watcher(self.world, self.people.truth)

    @initialize(script=st.sampled_from([PAIRING, PAIRING, PAIRING[:4], ()]))
    def begin(self, script: tuple[Action, ...]) -> None:
        """Begin with accounts, and perhaps with a phone that is paired or asked, so that much happens early."""
        self._act(script)

    def _act(self, script: tuple[Action, ...]) -> None:
        for action in script:
            self.world.settle()
            act(self.people, action)
        self.world.settle()

    @rule(script=st.lists(actions, min_size=1, max_size=5).map(tuple))
    def act_in_turn(self, script: tuple[Action, ...]) -> None:
        """Do what honest people do, each after the services have caught up."""
        self._act(script)

    @rule(script=st.lists(actions, min_size=1, max_size=5))
    def act_at_once(self, script: list[Action]) -> None:
        """Do what honest people do, all at the same time."""
        for action in script:
            act(self.people, action)

    @rule(name=st.sampled_from(NAMES), login=numbers, phrase=st.sampled_from(PHRASES))
    def guess_phrase(self, name: str, login: int, phrase: str) -> None:
        """Type a phrase that perhaps no phone shows."""
        self.people.enter_phrase(name, login, phrase)

    @rule(mischief=st.sampled_from(MISCHIEF), first=numbers, second=numbers, third=numbers)
    def do_mischief(
        self, mischief: Callable[[Villain, int, int, int], None], first: int, second: int, third: int
    ) -> None:
        """Publish what nobody should have."""
        mischief(self.villain, first, second, third)

    @rule(moves=st.lists(st.tuples(numbers, st.sampled_from(["step", "step", "crash", "rewind"])), max_size=8))
    def serve(self, moves: list[tuple[int, str]]) -> None:
        """Let services read on, here and there; or die between a row and what follows; or read again."""
        for number, move in moves:
            if move == "rewind":
                self.world.rewind(self.world.places()[number % len(self.world.places())], number)
            elif place := choose(self.world.waiting(), number):
                act_on = self.world.crash if move == "crash" else self.world.step
                act_on(place)

    @rule(seconds=st.sampled_from(PAUSES), name=st.sampled_from(NAMES), removed=numbers)
    def wait(self, seconds: float, name: str, removed: int) -> None:
        """Let the services catch up, and time pass; now and then an account is removed and made anew."""
        self.world.settle()
        self.world.pass_time(seconds)
        if removed == 0:
            self.people.remove(name)
            self.people.create(name)

    @invariant()
    def all_holds(self) -> None:
        """What must hold, holds."""
        self.watcher.check()


TestEverything = Everything.TestCase
