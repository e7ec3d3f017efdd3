"""What people do who have a password, at a browser and with a phone in hand."""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, multiple, precondition

from protocol.challenges import sign_answer
from schemas.contract import Verdict
from schemas.push_messages import RegisterDevice
from services.login.domain.limits import Enrolment
from tests.builders import PUSH_URL, Phone, a_digest, at_most, policy
from tests.messages import (
    a_cancel,
    a_pairing_start,
    a_phrase_request,
    a_send,
    a_sign_in,
    an_enrolment,
    an_enrolment_mail,
)
from tests.model.machine import (
    NAMES,
    PHONES,
    WORDS,
    ChallengeHandle,
    LoginHandle,
    ModelMachine,
    PhraseHandle,
    accounts,
    action,
    challenges,
    fresh,
    logins,
    looking,
    open_logins,
    phones,
    phrase_words,
    phrases,
    ready,
    remembered,
    sent,
    shown,
    while_idle,
)
from tests.model.memory_kafka import CHANNELS
from tests.session_messages import an_invitation

SECONDS_BETWEEN_LOGINS: Final = 20
BROWSERS: Final = ("home", "work", "café", None)
browsers: Final = st.sampled_from(BROWSERS)


class People(ModelMachine):
    """Both accounts' owners, and whoever else knows a password."""

    @initialize(
        targets=(logins, challenges),
        enrolment=st.sampled_from([Enrolment.NOTHING, *Enrolment]),
        remember_days=st.integers(0, 1),
        number_matching=st.sampled_from([True, True, True, False]),
        most_challenges=st.sampled_from([3, 20]),
        paired=st.sampled_from([2, 1, 1, 0]),
        asked=st.booleans(),
    )
    def open_service(  # noqa: PLR0913, PLR0917 - the settings, and how far people are
        self,
        enrolment: Enrolment,
        remember_days: int,
        most_challenges: int,
        number_matching: bool,  # noqa: FBT001 - hypothesis names each argument
        paired: int,
        asked: bool,  # noqa: FBT001
    ) -> MultipleResults[LoginHandle]:
        """Begin by some settings, mostly with accounts whose phone let them in; perhaps it is asked once more."""
        limits = {"remember_days": remember_days, "challenges": at_most(most_challenges)}
        self.begin(policy(enrolment=enrolment, number_matching=number_matching, **limits))
        names = NAMES[:paired]
        begun = [self.pair(name, PHONES[-number]) for number, name in enumerate(names)]
        return multiple(*begun, *(self.sign_in(name) for name in names if asked))

    def pair(self, account: str, phone: Phone = PHONES[0]) -> LoginHandle:
        """Sign in, enrol, pair a phone, and approve the login on it."""
        login, digest, at = self.sign_in(account), a_digest("the first invitation"), self.kafka.now
        if self.limits.enrolment is Enrolment.EMAIL:
            self.give(an_enrolment_mail(f"enrolment-of-{account}", login.login_id, at), account)
            self.give(an_enrolment(login.login_id, at, enrolment_id=f"enrolment-of-{account}"), account)
        elif self.limits.enrolment is Enrolment.INVITATION:
            self.give(an_invitation("the first invitation", at), account)
            self.give(an_enrolment(login.login_id, at, invitation_digest=digest), account)
        self.pair_phone(login, phone)
        self.approve(self.ask_phone(login))
        return login

    def _sign_in(self, account: str, browser: str | None, *, remember: bool = False, **changes: Any) -> LoginHandle:
        self.pass_time(SECONDS_BETWEEN_LOGINS)
        login_id = self.new("login")
        if browser is not None:
            changes["browser_digest"] = a_digest(browser)
        if remember:
            changes["remember_digest"] = a_digest(f"cookie of {login_id}")
        password_hash = self.oracle.history(account).password_hash
        command = a_sign_in(login_id, self.kafka.now, **{"password_hash": password_hash, **changes})
        login = LoginHandle(self, login_id, account, command.session_digest, command.remember_digest)
        self.give(command, account)
        return login

    @action(logins, challenges, account=accounts, browser=browsers, remember=st.booleans())
    def sign_in(self, account: str, browser: str | None = "home", *, remember: bool = False) -> LoginHandle:
        """Enter the right password, and perhaps wish to be remembered."""
        return self._sign_in(account, browser, remember=remember)

    @while_idle
    @action(logins, challenges, account=accounts)
    def sign_in_after_rotation(self, account: str) -> LoginHandle:
        """Enter the right password, whose hash is renewed under another key."""
        return self._sign_in(account, "home", renewed_hash=f"$argon2id${self.new('renewed')}")

    @action(logins, challenges, login=remembered, browser=browsers)
    def sign_in_by_cookie(self, login: LoginHandle, browser: str | None) -> LoginHandle:
        """Enter the right password in a browser that is remembered."""
        return self._sign_in(login.account, browser, remembered_digest=login.remember_digest)

    @action(
        logins,
        challenges,
        account=accounts,
        verdict=st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.DENY]),
        remember=st.booleans(),
    )
    def sign_in_and_answer(self, account: str, verdict: Verdict, *, remember: bool) -> LoginHandle:
        """Enter the right password, and answer what the phone shows thereupon."""
        login = self.sign_in(account, remember=remember)
        if login.shown:
            self.submit(login, verdict)
        return login

    @precondition(lambda self: sum(bool(row.device_name) for row in self.kafka.rows(CHANNELS).values()) < len(PHONES))
    @action(phone=phones)
    def open_app(self, phone: Phone) -> None:
        """Open the authenticator, which registers if a challenge has named it."""
        if phone.device_id in self.kafka.rows(CHANNELS):
            self.give(RegisterDevice(device_id=phone.device_id, at=self.kafka.now, device_name=phone.name))

    @while_idle
    @action(phrases, phone=phones, words=phrase_words)
    def ask_for_phrase(self, phone: Phone, words: str = WORDS[0]) -> PhraseHandle:
        """Tap + New Account."""
        self.give(a_phrase_request(self.new("nonce"), self.kafka.now, phone=phone, phrase_digest=a_digest(words)))
        return PhraseHandle(self, phone, words)

    @action(login=looking, phone=phones)
    def pair_phone(self, login: LoginHandle, phone: Phone) -> None:
        """Type a phrase that a phone shows, and accept on the phone."""
        pairing = self.show_and_enter_phrase(login, phone)
        if pairing.shown:
            self.approve(pairing)

    @action(challenges, login=looking, phone=phones)
    def show_and_enter_phrase(self, login: LoginHandle, phone: Phone) -> ChallengeHandle:
        """Tap + New Account, and type the phrase at once: one that no phone showed before."""
        words = self.new("phrase")
        self.ask_for_phrase(phone, words)
        return self.type_phrase(login, words)

    @action(challenges, login=looking, phrase=fresh)
    def enter_phrase(self, login: LoginHandle, phrase: PhraseHandle) -> ChallengeHandle:
        """Type a phrase that a phone shows, and click CONNECT DEVICE."""
        return self.type_phrase(login, phrase.words)

    @action(challenges, login=looking, words=phrase_words)
    def type_phrase(self, login: LoginHandle, words: str = WORDS[0]) -> ChallengeHandle:
        """Type a phrase that perhaps no phone shows, or that was entered before."""
        pairing_id = self.new("pairing")
        changes = {"login_id": login.login_id, "phrase_digest": a_digest(words)}
        self.give(a_pairing_start(pairing_id, self.kafka.now, **changes), login.account)
        return ChallengeHandle(self, pairing_id)

    @action(challenges, login=ready, phone=st.sampled_from([None, None, *PHONES]))
    def ask_phone(self, login: LoginHandle, phone: Phone | None = None) -> ChallengeHandle:
        """Click OK or Send: ask the first phone, or one that is chosen."""
        challenge_id = self.new("challenge")
        device_id = None if phone is None else phone.device_id
        self.give(a_send(login.login_id, self.kafka.now, challenge_id, device_id), login.account)
        return ChallengeHandle(self, challenge_id)

    @action(challenge=shown)
    def approve(self, challenge: ChallengeHandle) -> None:
        """Tap Approve, and enter the right number where one is asked for."""
        self.submit(challenge, Verdict.APPROVE)

    @action(challenge=shown, verdict=st.sampled_from([Verdict.DENY, Verdict.REPORT]))
    def answer(self, challenge: ChallengeHandle, verdict: Verdict) -> None:
        """Tap Deny or It wasn't me."""
        self.submit(challenge, verdict)

    @action(challenge=shown, number=st.sampled_from([None, 10, 99]))
    def enter_wrong_number(self, challenge: ChallengeHandle, number: int | None) -> None:
        """Approve by a number that is not the browser's, or by none."""
        issued, phone = challenge.issued, challenge.phone
        if number is not None:
            self.submit(challenge, Verdict.APPROVE, number)
        elif issued is not None and phone is not None:
            self.oracle.note_signature(phone, issued.challenge, Verdict.APPROVE)
            nonce, at, url = self.new("nonce"), self.kafka.now, f"{PUSH_URL}/challenges/any/answer"
            said: dict[str, Any] = {
                "challenge": issued.challenge,
                "verdict": Verdict.APPROVE,
                "url": url,
                "nonce": nonce,
                "at": at,
            }
            self.send_answer(sign_answer(phone.key, **said), issued.challenge, nonce)

    @action(challenge=sent, verdict=st.sampled_from(Verdict))
    def answer_late(self, challenge: ChallengeHandle, verdict: Verdict) -> None:
        """Answer what the phone may show no more."""
        self.submit(challenge, verdict)

    @action(challenge=sent)
    def repeat_answer(self, challenge: ChallengeHandle) -> None:
        """Send what the phone answered once more, signed anew: it heard nothing."""
        if (answered := self.answered.get(challenge.challenge_id)) is not None:
            self.submit(challenge, *answered)

    @action(login=open_logins)
    def cancel(self, login: LoginHandle) -> None:
        """Click Cancel."""
        self.give(a_cancel(login.login_id, self.kafka.now), login.account)
