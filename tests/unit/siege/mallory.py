"""Mallory knows the passwords, reads every topic, writes to those between the services, and has a phone.

What Mallory has not got are the others' keys and the services' secrets.
"""

from protocol.challenges import issue_challenge, verify_challenge
from protocol.phrases import pairing_seal
from schemas.base import Message
from schemas.contract import AuthResponse, DevicePaired, PairingRequested, Purpose, Verdict
from schemas.login_messages import UseCode, UseRecoveryCode
from tests.builders import a_key
from tests.events import a_challenge, a_paired, a_response
from tests.messages import a_sign_in
from tests.unit.siege.people import PHONES, People, choose

OWN = PHONES[-1]
VERDICTS = tuple(Verdict)


class Mallory:
    """Who wants in."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._guarded = people.guarded

    def use_old_password(self, cookie: int) -> None:
        """Sign in by a password that was checked a moment before it was changed."""
        begun = [each.password_hash for each in self._guarded.ledger.logins.values() if each.password_hash]
        remembered = choose([None, *self._guarded.ledger.remembered], cookie)
        command = a_sign_in(self._people.new("login"), self._guarded.now, remembered_digest=remembered)
        self._guarded.give(command.model_copy(update={"password_hash": choose(begun, cookie) or "$argon2id$0"}))

    def enter_code_again(self, code: int, login: int) -> None:
        """Enter a code that was entered before."""
        codes = [each for each in self._guarded.said if isinstance(each, UseCode | UseRecoveryCode)][-4:]
        chosen = self._people.login(login)
        if (used := choose(codes, code)) and chosen:
            self._guarded.give(used.model_copy(update={"login_id": chosen.login_id, "at": self._guarded.now}))

    def answer_again(self, answer: int, twist: int) -> None:
        """Publish an answer once more, changed where no signature covers it."""
        if response := choose(self._people.answered(), answer):
            twists: tuple[dict[str, object], ...] = (
                {},
                {"verdict": VERDICTS[twist % 3]},
                {"device_id": OWN.device_id},
                {"challenge_id": (self._people.request(twist) or response).challenge_id},
                {"challenge": (self._people.request(twist) or response).challenge},
                {"purpose": Purpose.PAIRING},
            )
            changes = {"answered_at": self._guarded.now, **twists[twist % len(twists)]}
            self._guarded.give(response.model_copy(update=changes))

    def twist_answer(self, request: int, verdicts: int) -> None:
        """Hold an answer up on its way, and publish another verdict beside what was signed."""
        if issued := self._people.request(request):
            phone = next(each for each in PHONES if each.device_id == issued.device_id)
            signed = a_response(issued.challenge, VERDICTS[verdicts % 3], self._guarded.now, phone)
            self._guarded.give(signed.model_copy(update={"verdict": VERDICTS[verdicts // 3 % 3]}))

    def answer_for_another_phone(self, request: int, number: int) -> None:
        """Answer what another phone is asked."""
        if issued := self._people.request(request):
            self._answer(issued.challenge, number)

    def answer_own_copy(self, request: int, number: int) -> None:
        """Answer a copy of a challenge, addressed to Mallory's phone and signed by Mallory."""
        if issued := self._people.request(request):
            claims, _ = verify_challenge(issued.challenge)
            to_own = {"aud": OWN.device_id} if number % 2 else {}
            copy = issue_challenge(a_key("mallory"), claims.model_copy(update=to_own))
            phone = OWN if to_own else next(each for each in PHONES if each.device_id == claims.aud)
            if to_own:
                self._answer(copy, number)
            else:
                self._guarded.give(a_response(copy, at=self._guarded.now, phone=phone))

    def forge_pairing(self, request: int, how: int) -> None:
        """Say that Mallory's phone was paired, by a seal or a challenge of Mallory's, or by what was true of others."""
        if asked := choose(self._guarded.heard(PairingRequested)[-3:], -1 - request % 3):
            seal = pairing_seal(b"Mallory's key", asked.pairing_id, "alex", OWN.device_id)
            own = a_challenge(OWN, a_key("mallory"), jti=asked.pairing_id)
            forgeries: list[Message] = [
                a_paired(asked.pairing_id, self._guarded.now, phone=OWN, seal=seal, challenge=own),
                a_paired(asked.pairing_id, self._guarded.now, VERDICTS[1 + how % 2], phone=OWN),
            ]
            for true in self._guarded.heard(DevicePaired)[-2:]:
                at = self._guarded.now
                forgeries += [
                    true.model_copy(update={"paired_at": at}),
                    true.model_copy(update={"pairing_id": asked.pairing_id, "paired_at": at}),
                    true.model_copy(update={"device_id": OWN.device_id, "paired_at": at}),
                ]
            self._guarded.give(forgeries[how % len(forgeries)])

    def _answer(self, challenge: str, number: int) -> None:
        response: AuthResponse = a_response(challenge, at=self._guarded.now, phone=OWN, number=10 + number % 90)
        self._guarded.give(response)
