"""The attacker knows the passwords, reads every topic, writes to those between the services, and has a phone.

What the attacker has not got are the other phones' keys, the services' signing keys, and the key of the seal.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from protocol.challenges import issue_challenge, verify_challenge
from protocol.phrases import pairing_seal
from schemas.base import Message
from schemas.codec import Event
from schemas.contract import (
    AuthResponse,
    DevicePaired,
    PairingFailed,
    PairingRequested,
    Purpose,
    Verdict,
)
from services.login.domain.policy import Policy
from tests.builders import Phone, a_digest, a_key
from tests.events import a_challenge, a_paired, a_response
from tests.messages import a_sign_in
from tests.model.machine import (
    ATTACKERS_PHONE,
    NAMES,
    WORDS,
    ChallengeHandle,
    LoginHandle,
    ModelMachine,
    RuleT,
    accounts,
    action,
    logins,
    looking,
    of_login,
    orphaned,
    phrase_words,
    sent,
    shown,
)
from tests.model.people import People

MessageT = TypeVar("MessageT", bound=Message)
ATTACKERS_KEY: Final = a_key("attacker")
verdicts: Final = st.sampled_from(Verdict)
recent: Final = st.integers(1, 4)
"""Which of the last messages of a kind, counted back: what they are about may still be open."""
unsigned_changes: Final = st.sampled_from(
    [
        {},
        *({"verdict": verdict} for verdict in Verdict),
        *({"purpose": purpose} for purpose in Purpose),
        *({"reply_key": key} for key in (*NAMES, *map(a_digest, WORDS))),
        {"device_id": ATTACKERS_PHONE.device_id},
    ]
)
"""What can be changed about a response with no signature over it."""


def after_any(kind: type[Message]) -> Callable[[RuleT], RuleT]:
    """Allow a rule only after a message of a kind."""
    return precondition(lambda self: bool(self.kafka.published(kind)))


class Attacker(ModelMachine):
    """Whoever wants in.

    Attributes:
        forged: What the attacker published past the web sides.

    """

    def begin(self, login_policy: Policy) -> None:
        """Begin anew under another policy."""
        self.forged: list[Event[Message]] = []
        super().begin(login_policy)

    def _publish(self, message: AuthResponse | DevicePaired | PairingFailed | PairingRequested) -> None:
        """Write to a topic between the services, past their web sides."""
        if isinstance(message, AuthResponse):
            claims, _ = verify_challenge(message.challenge)
            self.oracle.bypassed |= {message.challenge_id, claims.jti}
        else:
            self.oracle.bypassed.add(message.pairing_id)
        self.forged.append(self.kafka.command(message))
        self.catch_up()

    def _recent(self, kind: type[MessageT], number: int) -> MessageT:
        messages = self.kafka.published(kind)
        return messages[-min(number, len(messages))]

    def _respond(
        self,
        challenge: str,
        verdict: Verdict,
        phone: Phone,
        *,
        number: int | None = None,
        published: Verdict | None = None,
    ) -> None:
        self.oracle.note_signature(phone, challenge, verdict)
        response = a_response(challenge, verdict, self.kafka.now, phone, number=number)
        self._publish(response.model_copy(update={"verdict": published or verdict}))


class LateAnswers(Attacker):
    """Publishes true answers when it suits."""

    @action(challenge=sent, signed=verdicts, published=verdicts)
    def intercept_answer(self, challenge: ChallengeHandle, signed: Verdict, published: Verdict) -> None:
        """Publish what a phone signs, past the push service, in time or not, beside a verdict of the attacker's."""
        issued, phone = challenge.issued, challenge.phone
        if issued is not None and phone is not None:
            self._respond(issued.challenge, signed, phone, published=published)

    @after_any(AuthResponse)
    @action(number=recent, changes=unsigned_changes)
    def replay_response(self, number: int, changes: dict[str, object]) -> None:
        """Publish a response once more, as of now, changed where no signature covers it."""
        response = self._recent(AuthResponse, number)
        self._publish(response.model_copy(update={"answered_at": self.kafka.now, **changes}))


class ForgedAnswers(LateAnswers):
    """Forges what phones answer."""

    @action(challenge=shown, verdict=verdicts, number=st.sampled_from([None, 10, 99]))
    def answer_for_another_phone(self, challenge: ChallengeHandle, verdict: Verdict, number: int | None) -> None:
        """Sign, on the attacker's phone, what another phone was asked."""
        if (issued := challenge.issued) is not None:
            self._respond(issued.challenge, verdict, ATTACKERS_PHONE, number=number)

    @action(challenge=sent, verdict=verdicts, readdressed=st.booleans())
    def answer_copy(self, challenge: ChallengeHandle, verdict: Verdict, *, readdressed: bool) -> None:
        """Have a copy of a challenge answered that the attacker signed: on the attacker's phone, or on a fooled one."""
        issued, phone = challenge.issued, ATTACKERS_PHONE if readdressed else challenge.phone
        if issued is not None and phone is not None:
            claims, _ = verify_challenge(issued.challenge)
            copy = issue_challenge(ATTACKERS_KEY, claims.model_copy(update={"aud": phone.device_id}))
            self._respond(copy, verdict, phone)

    @action(challenge=shown, other=of_login, whole=st.sampled_from([False, False, True]))
    def publish_answer_to_another(self, challenge: ChallengeHandle, other: ChallengeHandle, *, whole: bool) -> None:
        """Publish for a challenge what a phone signed for another one."""
        issued, approved, phone = challenge.issued, other.issued, other.phone
        if issued is not None and approved is not None and phone is not None:
            self.oracle.note_signature(phone, approved.challenge, Verdict.APPROVE)
            changes = {"challenge_id": issued.challenge_id, **({"challenge": issued.challenge} if whole else {})}
            self._publish(a_response(approved.challenge, at=self.kafka.now, phone=phone).model_copy(update=changes))

    @action(challenge=shown, other=sent)
    def submit_answer_to_another(self, challenge: ChallengeHandle, other: ChallengeHandle) -> None:
        """Send the push service, for a challenge, the phone's approval of another one."""
        issued, approved, phone = challenge.issued, other.issued, challenge.phone
        if issued is not None and approved is not None and phone is not None:
            self.oracle.note_signature(phone, approved.challenge, Verdict.APPROVE)
            nonce = self.new("nonce")
            self.send_answer(phone.answer(approved.challenge, at=self.kafka.now, nonce=nonce), issued.challenge, nonce)

    @action(challenge=shown)
    def submit_from_another_phone(self, challenge: ChallengeHandle) -> None:
        """Send the push service an approval by the attacker's phone of what another phone was asked."""
        if (issued := challenge.issued) is not None:
            self.oracle.note_signature(ATTACKERS_PHONE, issued.challenge, Verdict.APPROVE)
            nonce = self.new("nonce")
            signed = ATTACKERS_PHONE.answer(issued.challenge, at=self.kafka.now, nonce=nonce)
            self.send_answer(signed, issued.challenge, nonce)

    @action(challenge=shown)
    def submit_answer_to_copy(self, challenge: ChallengeHandle) -> None:
        """Send the push service a fooled phone's approval of a copy that the attacker signed, with the copy."""
        issued, phone = challenge.issued, challenge.phone
        if issued is not None and phone is not None:
            copy = issue_challenge(ATTACKERS_KEY, verify_challenge(issued.challenge)[0])
            self.oracle.note_signature(phone, copy, Verdict.APPROVE)
            nonce = self.new("nonce")
            self.send_answer(phone.answer(copy, at=self.kafka.now, nonce=nonce), copy, nonce)


class ForgedPairings(Attacker, People):
    """Forges what pairs phones."""

    @after_any(DevicePaired)
    @action(number=recent, account=accounts, own_phone=st.booleans(), own_seal=st.booleans())
    def replay_pairing(self, number: int, account: str, *, own_phone: bool, own_seal: bool) -> None:
        """Publish a pairing once more: for another account, with the attacker's phone, under the attacker's seal."""
        true = self._recent(DevicePaired, number)
        device_id = ATTACKERS_PHONE.device_id if own_phone else true.device_id
        seal = _seal(true.pairing_id, account, device_id) if own_seal else true.seal
        changes = {"account_id": account, "device_id": device_id, "seal": seal, "paired_at": self.kafka.now}
        self._publish(true.model_copy(update=changes))

    @after_any(PairingRequested)
    @after_any(DevicePaired)
    @action(number=recent, request=recent)
    def replay_pairing_for(self, number: int, request: int) -> None:
        """Publish a pairing once more, under the id of another one that is asked for."""
        asked = self._recent(PairingRequested, request)
        changes = {"pairing_id": asked.pairing_id, "paired_at": self.kafka.now}
        self._publish(self._recent(DevicePaired, number).model_copy(update=changes))

    @action(login=looking, verdict=verdicts)
    def forge_pairing(self, login: LoginHandle, verdict: Verdict) -> None:
        """Answer on the attacker's phone for a pairing that is asked for, all signed and sealed by the attacker."""
        pairing_id = self.show_and_enter_phrase(login, ATTACKERS_PHONE).challenge_id
        challenge = a_challenge(ATTACKERS_PHONE, ATTACKERS_KEY, jti=pairing_id, account_id=login.account)
        self.oracle.note_signature(ATTACKERS_PHONE, challenge, verdict)
        seal = _seal(pairing_id, login.account, ATTACKERS_PHONE.device_id)
        fields = {"account_id": login.account, "phone": ATTACKERS_PHONE, "challenge": challenge, "seal": seal}
        self._publish(a_paired(pairing_id, self.kafka.now, verdict, **fields))

    @action(login=looking, verdict=st.sampled_from([Verdict.DENY, Verdict.REPORT]))
    def seal_declined_pairing(self, login: LoginHandle, verdict: Verdict) -> None:
        """Publish a pairing under the true seal that the phone declined: as if the pairing service had erred."""
        pairing = self.show_and_enter_phrase(login, ATTACKERS_PHONE)
        fields = {"account_id": login.account, "phone": ATTACKERS_PHONE}
        self._publish(a_paired(pairing.challenge_id, self.kafka.now, verdict, **fields))

    @after_any(PairingRequested)
    @action(request=recent, words=phrase_words, account=accounts)
    def claim_phrase(self, request: int, words: str, account: str) -> None:
        """Ask the pairing service for the phone that shows a phrase, past the login service."""
        changes = {"phrase_digest": a_digest(words), "account_id": account}
        self._publish(self._recent(PairingRequested, request).model_copy(update=changes))

    @after_any(PairingFailed)
    @action(number=recent)
    def repeat_failure(self, number: int) -> None:
        """Say once more that a pairing failed."""
        self._publish(self._recent(PairingFailed, number))


class Thief(Attacker):
    """Uses what was good once."""

    @action(logins, login=logins, by_cookie=st.booleans())
    def use_old_password(self, login: LoginHandle, *, by_cookie: bool) -> LoginHandle:
        """Sign in by the password that a login began by, checked a moment before it was changed."""
        begun = self.oracle.history(login.account).logins.get(login.login_id)
        login_id = self.new("login")
        changes = {"remembered_digest": login.remember_digest if by_cookie else None}
        command = a_sign_in(login_id, self.kafka.now, password_hash=begun.password_hash if begun else "", **changes)
        handle = LoginHandle(self, login_id, login.account, command.session_digest)
        self.give(command, login.account)
        return handle

    @action(challenge=orphaned)
    def report_from_removed_phone(self, challenge: ChallengeHandle) -> None:
        """Report what a phone was asked that is paired no more: a report counts when its login is over, too."""
        issued, phone = challenge.issued, challenge.phone
        if issued is not None and phone is not None:
            self._respond(issued.challenge, Verdict.REPORT, phone)


def _seal(pairing_id: str, account_id: str, device_id: str) -> str:
    return pairing_seal(b"the attacker's key", pairing_id, account_id, device_id)
