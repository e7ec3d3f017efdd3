"""A day on which anything may happen to an account. Each step takes any numbers, whoever draws them."""

from collections.abc import Callable
from typing import Final

from schemas.contract import Verdict
from services.login.domain.limits import Enrolment
from tests.builders import policy
from tests.unit.siege.guarded import Guarded
from tests.unit.siege.insiders import Insiders
from tests.unit.siege.mallory import Mallory
from tests.unit.siege.people import PHONES, SELDOM, People, choose

Step = Callable[[int, int, int], object]
PAUSES: Final = (1, 5, 20, 31, 61, 61, 121, 121, 301, 601, 601, 1801, 3601, 7300, 86_000, 90_000)
VERDICTS: Final = (Verdict.APPROVE, Verdict.APPROVE, Verdict.APPROVE, Verdict.DENY, Verdict.DENY, Verdict.REPORT)
OFTEN: Final = ("sign in", "send", "answer", "enter code", "cross", "wait")


class Day:
    """One day."""

    def __init__(self, beginning: int) -> None:
        """Begin by some settings, mostly with an owner who has everything, so that much happens early."""
        enrolment = choose(tuple(Enrolment), beginning // 2) or Enrolment.NOTHING
        remembers = beginning // 6 % 2
        self.guarded = Guarded(
            policy(enrolment=enrolment, remember_days=remembers, number_matching=beginning % SELDOM != 0)
        )
        self.people = People(self.guarded)
        self.insiders = Insiders(self.people)
        self.mallory = Mallory(self.people)
        if beginning % 4:
            self._settle_in(beginning)
        elif beginning % 8:
            self._race(beginning, 0, 1)

    def _settle_in(self, beginning: int) -> None:
        """Enrol a phone, come in by it, and make recovery codes; half the time add an app and another phone."""
        people, insiders = self.people, self.insiders
        people.sign_in(0, beginning, 0)
        people.ask_for_mail(1)
        people.enrol(1, 0)
        people.invite(2)
        people.enrol(1, 2)
        people.enter_phrase(1)
        people.accept(0, PHONES[0])
        people.send(1, 0)
        people.answer(1, Verdict.APPROVE, None)
        insiders.make_codes(1)
        if beginning % 3:
            insiders.add_app(1)
            insiders.add_phone(1)
            people.enter_phrase(1)
            people.accept(0, PHONES[1])
            people.send(1, 0)
        self.guarded.pass_time(PAUSES[beginning % len(PAUSES)])

    @property
    def steps(self) -> dict[str, Step]:
        """What may happen, by its name."""
        people, insiders, mallory = self.people, self.insiders, self.mallory
        return {
            "sign in": people.sign_in,
            "mistype": lambda _a, _b, _c: people.mistype(),
            "send": lambda a, b, c: people.send(a, b if c % 2 else 0),
            "answer": lambda a, b, c: people.answer(a, VERDICTS[b % 6], None if c % 4 else choose((0, 10 + c), c // 4)),
            "cancel": lambda a, _b, _c: people.cancel(a),
            "enter code": people.enter_code,
            "enter wrong codes": lambda a, b, _c: people.enter_wrong_codes(a, 1 + b % 6),
            "enter recovery code": lambda a, b, _c: people.enter_recovery_code(a, b),
            "enrol": self._enrol,
            "pair": self._pair,
            "race": self._race,
            "confirm": self._confirm,
            "add phone": self._add_phone,
            "add app": lambda a, _b, _c: insiders.add_app(a),
            "choose phone": lambda a, b, _c: insiders.choose_phone(a, b),
            "rename": lambda a, b, _c: insiders.rename(a, b),
            "remove": lambda a, b, _c: insiders.remove(a, b),
            "make codes": lambda a, _b, _c: insiders.make_codes(a),
            "change password": lambda a, b, _c: insiders.change_password(a, b),
            "touch": lambda a, _b, _c: insiders.touch(a),
            "end session": lambda a, b, c: insiders.revoke(a, b) if c % 2 else insiders.sign_out(a),
            "forget": lambda a, b, _c: insiders.forget(a, b),
            "reset": lambda a, _b, _c: None if a % SELDOM else insiders.reset(),
            "use old password": lambda a, _b, _c: mallory.use_old_password(a),
            "enter code again": lambda a, b, _c: mallory.enter_code_again(a, b),
            "answer again": lambda a, b, _c: mallory.answer_again(a, b),
            "twist answer": lambda a, b, _c: mallory.twist_answer(a, b),
            "answer for another": lambda a, b, _c: mallory.answer_for_another_phone(a, b),
            "answer own copy": lambda a, b, _c: mallory.answer_own_copy(a, b),
            "forge pairing": lambda a, b, _c: mallory.forge_pairing(a, b),
            "cross": self._cross,
            "repeat": lambda a, _b, _c: self.guarded.repeat(a),
            "wait": lambda a, _b, _c: self.guarded.pass_time(PAUSES[a % len(PAUSES)]),
        }

    def _enrol(self, login: int, code: int, third: int) -> None:
        if third % 3 == 0:
            self.people.ask_for_mail(login)
        elif third % 3 == 1:
            self.people.invite(code)
        self.people.enrol(login, code)

    def _race(self, first: int, second: int, third: int) -> None:
        """Pair two phones at once in two logins: Mallory's, where Mallory knows the password, may be faster."""
        for phrase in (first, second):
            self.people.sign_in(phrase, 0, 0)
            self.people.enter_phrase(1)
        for request in (third, third + 1):
            self.people.accept(request % 2, PHONES[second % 3 + request % 2 - 1])
        self.people.enter_phrase(third)
        self.people.accept(0, PHONES[2])

    def _confirm(self, session: int, method: int, drift: int) -> None:
        self.insiders.confirm(session)
        if method % 2:
            self.people.enter_code(1, method // 2, drift)

    def _add_phone(self, session: int, phone: int, request: int) -> None:
        self.insiders.add_phone(session)
        self._pair(1, phone, request)

    def _pair(self, login: int, phone: int, request: int) -> None:
        """Enter a phrase, and mostly accept on a phone: on Mallory's, if it is Mallory who typed it."""
        if request % SELDOM != 1:
            self.people.enter_phrase(login)
        if request % SELDOM == 0:
            self.people.decline(request)
        elif request % SELDOM != SELDOM - 1:
            self.people.accept(request // SELDOM, PHONES[phone % 3])

    def _cross(self, first: int, second: int, third: int) -> None:
        """Ask the phone, do something else, and answer what was asked."""
        self.people.sign_in(first, second, 0)
        self.people.send(1, 0)
        names = [name for name in self.steps if name not in {"cross", "wait"}]
        self.steps[names[third % len(names)]](first, second, third)
        self.people.answer(1 + first % 3, VERDICTS[second % 6], None)
