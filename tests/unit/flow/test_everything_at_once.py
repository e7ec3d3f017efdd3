"""Honest people and a villain do anything in any order, and services see it in any order: what must hold, holds."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.contract import Verdict
from tests.builders import Phone
from tests.unit.flow.invariants import Watcher
from tests.unit.flow.people import NAMES, PHONES, PHRASES, People, choose
from tests.unit.flow.script import PAIRING, act
from tests.unit.flow.villain import Villain
from tests.unit.flow.world import World

names = st.sampled_from(NAMES)
phones = st.sampled_from(PHONES)
phrases = st.sampled_from(PHRASES)
verdicts = st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.DENY, Verdict.REPORT])
numbers = st.integers(0, 7)
pauses = st.sampled_from([0.5, 5, 60, 121, 301, 1801])


class Everything(RuleBasedStateMachine):
    """Everybody acts; the services decide when they like."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.people = People(self.world)
        self.villain = Villain(self.people)
        self.watcher = Watcher(self.world, self.people.truth)

    @initialize(paired=st.booleans())
    def begin(self, *, paired: bool) -> None:
        """Begin with accounts, and perhaps with a phone that is paired, so that much happens early."""
        for action in PAIRING if paired else ():
            self.world.settle()
            act(self.people, action)
        self.world.settle()

    @rule(seconds=pauses)
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.pass_time(seconds)

    @rule()
    def decide_all(self) -> None:
        """Let the services catch up."""
        self.world.settle()

    @precondition(lambda self: self.world.waiting())
    @rule(number=numbers, count=st.integers(1, 3))
    def decide_some(self, number: int, count: int) -> None:
        """Let a service read on in one topic."""
        for _ in range(count):
            if place := choose(self.world.waiting(), number):
                self.world.step(place)

    @precondition(lambda self: self.world.waiting())
    @rule(number=numbers)
    def crash(self, number: int) -> None:
        """Let an instance die between a row and what follows from it."""
        if place := choose(self.world.waiting(), number):
            self.world.crash(place)

    @rule(number=numbers, count=st.integers(1, 4))
    def repeat(self, number: int, count: int) -> None:
        """Let records come again."""
        if place := choose(self.world.places(), number):
            self.world.rewind(place, count)

    @rule(name=names)
    def sign_in(self, name: str) -> None:
        """Enter the right password."""
        self.people.sign_in(name)

    @rule(name=names)
    def mistype(self, name: str) -> None:
        """Enter a wrong password."""
        self.people.mistype(name)

    @rule(phone=phones, phrase=phrases)
    def ask_for_phrase(self, phone: Phone, phrase: str) -> None:
        """Tap + New Account."""
        self.people.ask_for_phrase(phone, phrase)

    @rule(name=names, login=numbers, phrase=phrases)
    def enter_phrase(self, name: str, login: int, phrase: str) -> None:
        """Type a phrase."""
        self.people.enter_phrase(name, login, phrase)

    @rule(name=names, login=numbers)
    def ask_phone(self, name: str, login: int) -> None:
        """Click OK, or Send."""
        self.people.ask_phone(name, login)

    @rule(name=names, login=numbers)
    def cancel(self, name: str, login: int) -> None:
        """Click Cancel."""
        self.people.cancel(name, login)

    @rule(name=names, login=numbers)
    def sign_out(self, name: str, login: int) -> None:
        """Click Sign out."""
        self.people.sign_out(name, login)

    @rule(phone=phones)
    def open_app(self, phone: Phone) -> None:
        """Open the authenticator."""
        self.people.open_app(phone)

    @rule(phone=phones, waiting=numbers, verdict=verdicts)
    def answer(self, phone: Phone, waiting: int, verdict: Verdict) -> None:
        """Answer on a phone."""
        self.people.answer(phone, waiting, verdict)

    @rule(name=names, again=st.booleans())
    def remove(self, name: str, *, again: bool) -> None:
        """Remove an account, and perhaps make one of the same name."""
        self.people.remove(name)
        if again:
            self.people.create(name)

    @rule(challenge=numbers, verdict=verdicts)
    def answer_for_another_phone(self, challenge: int, verdict: Verdict) -> None:
        """Answer what another phone was asked."""
        self.villain.answer_for_another_phone(challenge, verdict)

    @rule(challenge=numbers, verdict=verdicts)
    def answer_own_copy(self, challenge: int, verdict: Verdict) -> None:
        """Answer a copy that Mallory signed."""
        self.villain.answer_own_copy(challenge, verdict)

    @rule(response=numbers, twist=numbers)
    def twist_response(self, response: int, twist: int) -> None:
        """Publish a changed response."""
        self.villain.twist_response(response, twist)

    @rule(pairing=numbers, name=names, own_phone=st.booleans(), own_seal=st.booleans())
    def twist_pairing(self, pairing: int, name: str, *, own_phone: bool, own_seal: bool) -> None:
        """Publish a changed pairing."""
        self.villain.twist_pairing(pairing, name, own_phone=own_phone, own_seal=own_seal)

    @rule(phrase=phrases, name=names, number=numbers)
    def claim_phrase(self, phrase: str, name: str, number: int) -> None:
        """Ask for the phone that shows a phrase, past the login service."""
        self.villain.claim_phrase(phrase, name, number)

    @rule(number=numbers)
    def fail_pairing(self, number: int) -> None:
        """Say once more that a pairing failed."""
        self.villain.fail_pairing(number)

    @invariant()
    def all_holds(self) -> None:
        """What must hold, holds."""
        self.watcher.check()


TestEverything = Everything.TestCase
