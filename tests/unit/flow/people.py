"""People and their phones: each action publishes what its web side would.

Actions take any numbers and choose with them from what there is, so that hypothesis can act at random.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from schemas.contract import ChallengeIssued, Verdict
from schemas.login_messages import CreateAccount, RemoveAccount
from schemas.push_messages import RegisterDevice
from services.login.domain.account import Account
from services.login.domain.expire import expire
from services.login.domain.login import Login
from services.push.domain.channel import Channel, PendingChallenge
from tests.builders import LIMITS, Phone, a_digest, a_phone
from tests.messages import (
    a_cancel,
    a_pairing_start,
    a_phrase_request,
    a_send,
    a_sign_in,
    a_sign_out,
    a_submission,
    a_wrong_password,
)
from tests.unit.flow.truth import Truth
from tests.unit.flow.world import ACCOUNTS, CHANNELS, World

NAMES: Final = ("alex", "bo")
PHONES: Final = (a_phone("Pixel 9"), a_phone("Fairphone 5"), a_phone("Mallory's phone"))
MALLORY: Final = PHONES[-1]
PHRASES: Final = tuple(a_digest(f"phrase {number}") for number in range(3))
SELDOM: Final = 7
"""One time in so many, somebody acts on what is over."""
T = TypeVar("T")


def choose(options: Sequence[T], number: int) -> T | None:
    """Return one of the options, or None where there are none."""
    return options[number % len(options)] if options else None


class People:
    """Everybody honest.

    Attributes:
        world: Where they act.
        truth: What they did.

    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.truth = Truth()
        self._count = 0
        for name in NAMES:
            self.create(name)

    def create(self, name: str) -> None:
        """Make an account."""
        fields = {"account_id": name, "at": self.world.now, "display_name": name, "password_hash": "$argon2id$1"}
        self.world.command(CreateAccount.model_validate(fields))

    def remove(self, name: str) -> None:
        """Remove an account."""
        self.world.command(RemoveAccount(account_id=name, at=self.world.now))

    def sign_in(self, name: str) -> None:
        """Enter the right password."""
        login_id = self._new("login")
        command = a_sign_in(login_id, self.world.now, account_id=name)
        self.truth.challenges[login_id] = self.truth.sessions[command.session_digest] = (name, login_id)
        self.world.command(command)

    def mistype(self, name: str) -> None:
        """Enter a wrong password."""
        self.world.command(a_wrong_password(self.world.now).model_copy(update={"account_id": name}))

    def ask_for_phrase(self, phone: Phone, phrase: str) -> None:
        """Tap + New Account."""
        self.world.command(a_phrase_request(self._new("nonce"), self.world.now, phone=phone, phrase_digest=phrase))

    def enter_phrase(self, name: str, login: int, phrase: str) -> None:
        """Type a phrase and click CONNECT DEVICE."""
        if chosen := self._login(name, login):
            pairing_id = self._new("pairing")
            self.truth.pairings[pairing_id] = (name, phrase)
            changes = {"account_id": name, "login_id": chosen.login_id, "phrase_digest": phrase}
            self.world.command(a_pairing_start(pairing_id, self.world.now, **changes))

    def ask_phone(self, name: str, login: int) -> None:
        """Click OK, or Send."""
        if chosen := self._login(name, login):
            challenge_id = self._new("challenge")
            self.truth.challenges[challenge_id] = (name, chosen.login_id)
            command = a_send(chosen.login_id, self.world.now, challenge_id)
            self.world.command(command.model_copy(update={"account_id": name}))

    def cancel(self, name: str, login: int) -> None:
        """Click Cancel."""
        if chosen := self._login(name, login):
            command = a_cancel(chosen.login_id, self.world.now)
            self.world.command(command.model_copy(update={"account_id": name}))

    def sign_out(self, name: str, login: int) -> None:
        """Click Sign out."""
        if chosen := self._login(name, login):
            command = a_sign_out(chosen.login_id, self.world.now)
            self.world.command(command.model_copy(update={"account_id": name}))

    def open_app(self, phone: Phone) -> None:
        """Open the authenticator."""
        self.world.command(RegisterDevice(device_id=phone.device_id, at=self.world.now, device_name=phone.name))

    def answer(self, phone: Phone, waiting: int, verdict: Verdict) -> None:
        """Tap Approve, Deny or It wasn't me, on something that the phone shows or showed."""
        open_now = [each for each in self.shown(phone) if self.world.now <= each.expires_at]
        if chosen := choose(open_now if open_now and waiting % SELDOM else self.shown(phone), waiting):
            self.truth.signs(phone, chosen.challenge, verdict)
            nonce = self._new("nonce")
            signed = phone.answer(chosen.challenge, verdict, at=self.world.now, nonce=nonce)
            fields = {"answer": signed, "verdict": verdict}
            self.world.command(a_submission(self._issued(chosen.challenge_id), nonce, self.world.now, **fields))

    def shown(self, phone: Phone) -> tuple[PendingChallenge, ...]:
        """Return what waits on a phone."""
        channel: Channel | None = self.world.row(CHANNELS, phone.device_id)
        return channel.pending if channel else ()

    def _issued(self, challenge_id: str) -> ChallengeIssued:
        return next(each for each in self.world.published(ChallengeIssued) if each.challenge_id == challenge_id)

    def _login(self, name: str, number: int) -> Login | None:
        """Return one of an account's logins, mostly one that is not over."""
        account: Account | None = self.world.row(ACCOUNTS, name)
        logins = expire(account, self.world.now, LIMITS).logins if account else ()
        pending = [login for login in logins if not login.over]
        return choose(pending if pending and number % SELDOM else logins, number)

    def _new(self, what: str) -> str:
        self._count += 1
        return f"{what}-{self._count}"
