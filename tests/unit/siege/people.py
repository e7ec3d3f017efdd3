"""What honest people do with an account, in the browser and on the phone. Actions choose by any numbers."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from protocol.verification_codes import step_at
from schemas.contract import AuthResponse, ChallengeIssued, PairingFailed, PairingFailure, PairingRequested, Verdict
from services.login.domain.expire import expire
from services.login.domain.login import Login, LoginState
from tests.builders import LIMITS, Phone, a_digest, a_phone
from tests.events import a_paired, a_response, without_number
from tests.messages import (
    a_cancel,
    a_code,
    a_pairing_start,
    a_recovery_code,
    a_send,
    a_sign_in,
    a_wrong_code,
    a_wrong_password,
    an_enrolment,
    an_enrolment_mail,
)
from tests.session_messages import an_invitation
from tests.unit.siege.guarded import Guarded

PHONES: Final = (a_phone("Pixel 9"), a_phone("Fairphone 5"), a_phone("Mallory's phone"))
BROWSERS: Final = ("home", "work", "café")
SELDOM: Final = 6
"""One time in so many, somebody acts on what is over."""
T = TypeVar("T")


def choose(options: Sequence[T], number: int) -> T | None:
    """Return one of the options, or None where there are none."""
    return options[number % len(options)] if options else None


class People:
    """The owner, whoever else sits at a browser, and an administrator."""

    def __init__(self, guarded: Guarded) -> None:
        self.guarded = guarded
        self.count = 0
        self._showed: dict[str, Phone] = {}

    def new(self, what: str) -> str:
        """Return a name that nobody used before."""
        self.count += 1
        return f"{what}-{self.count}"

    def sign_in(self, browser: int, wish: int, cookie: int) -> str | None:
        """Enter the password; perhaps with the wish to be remembered, or with the cookie of such a wish."""
        login_id = self.new("login")
        changes: dict[str, Any] = {"browser_digest": a_digest(BROWSERS[browser % 3])}
        if wish % 2:
            changes["remember_digest"] = a_digest(f"cookie of {login_id}")
        if cookie % 3:
            good = list(self.guarded.ledger.remembered)
            changes["remembered_digest"] = choose(good if good and cookie % SELDOM else self._wishes(), cookie)
        hashed = self.guarded.ledger.password_hash
        self.guarded.give(a_sign_in(login_id, self.guarded.now, password_hash=hashed, **changes))
        return login_id

    def mistype(self) -> None:
        """Enter a wrong password."""
        self.guarded.give(a_wrong_password(self.guarded.now))

    def send(self, login: int, phone: int) -> None:
        """Click OK or Send."""
        if chosen := self.login(login):
            device = choose([None, *(each.device_id for each in PHONES)], phone)
            self.guarded.give(a_send(chosen.login_id, self.guarded.now, self.new("challenge"), device))

    def answer(self, request: int, verdict: Verdict, number: int | None) -> None:
        """Answer a request on the phone; without a number given, by the right one, and for 0 by none."""
        if issued := self.request(request):
            phone = next(each for each in PHONES if each.device_id == issued.device_id)
            response = a_response(issued.challenge, verdict, self.guarded.now, phone, number=number or None)
            left_out = without_number(issued.challenge, self.guarded.now, phone)
            self.guarded.give(left_out if number == 0 else response)

    def cancel(self, login: int) -> None:
        """Click Cancel."""
        if chosen := self.login(login):
            self.guarded.give(a_cancel(chosen.login_id, self.guarded.now))

    def enter_code(self, login: int, method: int, drift: int) -> None:
        """Enter a right code of a phone or an app: of now, or of a step before or after."""
        ledger = self.guarded.ledger
        if chosen := self.login(login):
            method_id = choose([*ledger.phones, *ledger.apps], method) or "none"
            step = step_at(self.guarded.now) + drift % 3 - 1
            self.guarded.give(a_code(step, chosen.login_id, self.guarded.now, method_id))

    def enter_wrong_codes(self, login: int, count: int) -> None:
        """Enter wrong codes, one after the other."""
        if chosen := self.login(login):
            for _ in range(count):
                self.guarded.give(a_wrong_code(self.guarded.now, chosen.login_id))

    def enter_recovery_code(self, login: int, code: int) -> None:
        """Enter a recovery code of any set there ever was."""
        if chosen := self.login(login):
            self.guarded.give(a_recovery_code(f"code {1 + code % 30}", chosen.login_id, self.guarded.now))

    def ask_for_mail(self, login: int) -> None:
        """Ask for a code by e-mail."""
        if chosen := self.login(login):
            self.guarded.give(an_enrolment_mail(self.new("enrolment"), chosen.login_id, self.guarded.now))

    def enrol(self, login: int, code: int) -> None:
        """Enter a code for the first pairing: the one that was mailed, or one that was handed out, or neither."""
        if chosen := self.login(login):
            codes: tuple[dict[str, Any], ...] = (
                {"enrolment_id": chosen.enrolment_id},
                {"enrolment_id": choose([*self.guarded.ledger.mailed.values()], code)},
                {"invitation_digest": a_digest(f"invitation {code % 3}")},
            )
            self.guarded.give(an_enrolment(chosen.login_id, self.guarded.now, **codes[code % 3]))

    def invite(self, code: int) -> None:
        """Hand a code out."""
        self.guarded.give(an_invitation(f"invitation {code % 3}", self.guarded.now))

    def enter_phrase(self, login: int) -> None:
        """Enter a phrase that a phone shows."""
        if chosen := self.login(login):
            self.guarded.give(a_pairing_start(self.new("pairing"), self.guarded.now, login_id=chosen.login_id))

    def accept(self, request: int, phone: Phone) -> None:
        """Accept a pairing on the phone that showed the phrase: on this one, if nobody accepted it before."""
        if asked := choose(self.guarded.heard(PairingRequested)[-3:], -1 - request % 3):
            showed = self._showed.setdefault(asked.pairing_id, phone)
            self.guarded.give(a_paired(asked.pairing_id, self.guarded.now, phone=showed))

    def decline(self, request: int) -> None:
        """Decline a pairing on a phone."""
        if asked := choose(self.guarded.heard(PairingRequested)[-3:], -1 - request % 3):
            reason = PairingFailure.DECLINED
            self.guarded.give(PairingFailed(pairing_id=asked.pairing_id, account_id="alex", reason=reason))

    def login(self, number: int, state: LoginState | None = None) -> Login | None:
        """Return one of the logins, mostly one that is not over; of those, mostly the newest."""
        logins = expire(self.guarded.account, self.guarded.now, LIMITS).logins[::-1]
        pending = [each for each in logins if not each.over and state in {None, each.state}]
        return choose(pending if pending and number % SELDOM else logins, number // 2)

    def request(self, number: int) -> ChallengeIssued | None:
        """Return the request that a phone shows, or seldom one that a phone showed."""
        shown = list(self.guarded.ledger.asked.values())
        lately = self.guarded.heard(ChallengeIssued)[-4:]
        return choose(shown if shown and number % SELDOM else lately, number)

    def answered(self) -> list[AuthResponse]:
        """Return the last answers that were given."""
        return self.guarded.heard(AuthResponse)[-6:]

    def _wishes(self) -> list[str]:
        return [each.remember_digest for each in self.guarded.ledger.logins.values() if each.remember_digest]
