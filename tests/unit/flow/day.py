"""A day on which anything may happen: what honest people do, what a villain does, and in what order services see it.

Each step takes any numbers and makes something of them, whoever draws the numbers.
"""

from collections.abc import Callable
from typing import Final

from tests.unit.flow.invariants import Watcher
from tests.unit.flow.people import NAMES, PHONES, PHRASES, People, choose
from tests.unit.flow.script import ACTIONS, OFTEN, PAIRING, VERDICTS, Action, act
from tests.unit.flow.villain import Villain
from tests.unit.flow.world import ACCOUNTS, World

Step = Callable[[int, int, int, int], None]
PAUSES: Final = (0.5, 5, 5, 20, 20, 60, 60, 121, 301, 1700, 1801)
BEGINNINGS: Final[tuple[tuple[Action, ...], ...]] = (PAIRING, PAIRING[:4], ())
CHOICES: Final = (*ACTIONS, *OFTEN)
MISCHIEF: Final[tuple[Callable[[Villain, int, int, int], None], ...]] = (
    lambda villain, first, second, _third: villain.answer_for_another_phone(first, VERDICTS[second % 4]),
    lambda villain, first, second, _third: villain.answer_own_copy(first, VERDICTS[second % 4]),
    lambda villain, first, second, _third: villain.twist_response(first, second),
    lambda villain, first, second, third: villain.twist_pairing(
        first, NAMES[second % 2], own_phone=third % 2 == 0, own_seal=third % 3 == 0
    ),
    lambda villain, first, second, _third: villain.forge_pairing(-1 - first % 3, VERDICTS[second % 4]),
    lambda villain, first, second, third: villain.claim_phrase(PHRASES[first % 3], NAMES[second % 2], third),
    lambda villain, first, _second, _third: villain.fail_pairing(first),
)


class Day:
    """One day."""

    def __init__(self, beginning: int) -> None:
        """Begin with accounts, and mostly with a phone that is paired or asked, so that much happens early."""
        self.world = World()
        self.people = People(self.world)
        self.villain = Villain(self.people)
        self.watcher = Watcher(self.world, self.people.truth)
        for action in choose(BEGINNINGS, beginning) or ():
            self.world.settle()
            act(self.people, action)
        self.world.settle()

    @property
    def steps(self) -> dict[str, Step]:
        """What may happen, by its name."""
        return {
            "be honest": self.be_honest,
            "cross": self.cross,
            "guess phrase": self.guess_phrase,
            "do mischief": self.do_mischief,
            "serve": self.serve,
            "wait": self.wait,
        }

    def be_honest(self, what: int, first: int, second: int, third: int) -> None:
        """Do what honest people do; mostly the services catch up with it at once."""
        act(self.people, (CHOICES[what % len(CHOICES)], first, second, third))
        if third % 4:
            self.world.settle()

    def cross(self, what: int, first: int, second: int, third: int) -> None:
        """Answer what a phone asks, and do something else at the same moment; each service sees it as it likes."""
        self._ask_something(NAMES[first % 2], second, third)
        meanwhile: Action = (CHOICES[what % len(CHOICES)], first, second, third)
        answer: Action = ("answer", first, second, third)
        for action in (answer, meanwhile) if second % 2 else (meanwhile, answer):
            act(self.people, action)
        if second % 3 == 0:
            self.do_mischief(third, first, second, third)
        while waiting := self.world.waiting():
            self.world.step(waiting[third % len(waiting)])

    def _ask_something(self, name: str, phone: int, phrase: int) -> None:
        """Sign in, and pair a phone if there is none, as far as the phone's answer."""
        self.world.settle()
        self.people.sign_in(name)
        self.world.settle()
        if not self.world.row(ACCOUNTS, name).devices:
            self.people.ask_for_phrase(PHONES[phone % 3], PHRASES[phrase % 3])
            self.world.settle()
            self.people.enter_phrase(name, -1, PHRASES[phrase % 3])
            self.world.settle()

    def guess_phrase(self, name: int, login: int, phrase: int, _third: int) -> None:
        """Type a phrase that perhaps no phone shows."""
        self.people.enter_phrase(NAMES[name % 2], login, PHRASES[phrase % 3])

    def do_mischief(self, what: int, first: int, second: int, third: int) -> None:
        """Publish what nobody should have."""
        MISCHIEF[what % len(MISCHIEF)](self.villain, first, second, third)

    def serve(self, what: int, number: int, _second: int, _third: int) -> None:
        """Let a service read on in a topic; or die between a row and what follows; or read again."""
        if what % 4 == 0:
            self.world.rewind(self.world.places()[number % len(self.world.places())], number)
        elif place := choose(self.world.waiting(), number):
            move = self.world.crash if what % 4 == 1 else self.world.step
            move(place)

    def wait(self, pause: int, name: int, removed: int, _third: int) -> None:
        """Let the services catch up, and time pass; now and then an account is removed and made anew."""
        self.world.settle()
        self.world.pass_time(PAUSES[pause % len(PAUSES)])
        if removed == 0:
            self.people.remove(NAMES[name % 2])
            self.people.create(NAMES[name % 2])
