"""What people type beside the password: codes, enrolment codes, and what is wrong."""

from typing import Final

from hypothesis import strategies as st

from protocol.verification_codes import step_at
from schemas.login_messages import UseCode, UseRecoveryCode
from tests.builders import a_digest
from tests.messages import (
    a_code,
    a_guess,
    a_recovery_code,
    a_wrong_code,
    a_wrong_password,
    an_enrolment,
    an_enrolment_mail,
)
from tests.model.machine import (
    LoginHandle,
    ModelMachine,
    accounts,
    action,
    challenges,
    codes,
    logins,
    open_logins,
    ready,
    unenrolled,
    which,
    while_idle,
)
from tests.model.people import People, browsers
from tests.session_messages import an_invitation

INVITATIONS: Final = ("invitation 1", "invitation 2")
LOGIN_ACTIONS: Final = ("enter_code", "enter_recovery_code", "enter_wrong_codes")
invitations: Final = st.sampled_from(INVITATIONS)
recovery_numbers: Final = st.integers(1, 30)


class Codes(People):
    """Verification codes and recovery codes."""

    @action(codes, login=ready, method=which, drift=st.integers(-1, 1))
    def enter_code(self, login: LoginHandle, method: int = 0, drift: int = 0) -> UseCode:
        """Enter a right code of a phone or an app: of now, or of a step before or after."""
        step = step_at(self.kafka.now) + drift
        command = a_code(step, login.login_id, self.kafka.now, self.method(login, method))
        self.give(command, login.account)
        return command

    @action(codes, login=ready, number=recovery_numbers)
    def enter_recovery_code(self, login: LoginHandle, number: int = 1) -> UseRecoveryCode:
        """Enter a recovery code of any set that there ever was."""
        command = a_recovery_code(f"code {number}", login.login_id, self.kafka.now)
        self.give(command, login.account)
        return command

    @action(login=open_logins, times=st.integers(1, 6))
    def enter_wrong_codes(self, login: LoginHandle, times: int = 1) -> None:
        """Enter wrong codes, one after the other."""
        for _ in range(times):
            self.give(a_wrong_code(self.kafka.now, login.login_id), login.account)

    @action(logins, challenges, account=accounts, remember=st.booleans())
    def sign_in_by_code(self, account: str, *, remember: bool) -> LoginHandle:
        """Enter the right password, and a code of the account's first method at once."""
        login = self.sign_in(account, remember=remember)
        self.enter_code(login)
        return login

    @action(logins, challenges, account=accounts)
    def be_remembered(self, account: str) -> LoginHandle:
        """Have a browser remembered by a code, and sign in by its cookie."""
        return self.sign_in_by_cookie(self.sign_in_by_code(account, remember=True), "home")

    @action(code=codes, login=open_logins)
    def enter_code_again(self, code: UseCode | UseRecoveryCode, login: LoginHandle) -> None:
        """Enter a code that was entered before."""
        self.give(code.model_copy(update={"login_id": login.login_id, "at": self.kafka.now}), login.account)

    @action(login=logins, action=st.sampled_from(LOGIN_ACTIONS))
    def use_old_login(self, login: LoginHandle, action: str) -> None:
        """Do something in a login that perhaps is over, or not so far."""
        getattr(self, action)(login)


class EnrolmentCodes(ModelMachine):
    """Codes that the first pairing needs."""

    @while_idle
    @action(account=accounts, invitation=invitations)
    def invite(self, account: str, invitation: str) -> None:
        """Hand an enrolment code out."""
        self.give(an_invitation(invitation, self.kafka.now), account)

    @action(login=unenrolled)
    def ask_for_email(self, login: LoginHandle) -> None:
        """Ask for an enrolment code by e-mail."""
        self.give(an_enrolment_mail(self.new("enrolment"), login.login_id, self.kafka.now), login.account)

    @action(login=unenrolled)
    def enrol_by_email(self, login: LoginHandle) -> None:
        """Enter the last enrolment code that was sent to the account in any login."""
        enrolment_id = next(reversed(self.oracle.history(login.account).emailed.values()), None)
        self.give(an_enrolment(login.login_id, self.kafka.now, enrolment_id=enrolment_id), login.account)

    @action(login=unenrolled, invitation=invitations)
    def enrol_by_invitation(self, login: LoginHandle, invitation: str = INVITATIONS[0]) -> None:
        """Enter an enrolment code that was handed out, or was not."""
        digest = a_digest(invitation)
        self.give(an_enrolment(login.login_id, self.kafka.now, invitation_digest=digest), login.account)


class Guesses(ModelMachine):
    """Wrong passwords."""

    @while_idle
    @action(account=accounts, times=st.integers(1, 5), browser=browsers)
    def mistype_password(self, account: str, times: int = 1, browser: str | None = None) -> None:
        """Enter wrong passwords, one after the other."""
        browser_digest = None if browser is None else a_digest(browser)
        for _ in range(times):
            self.give(a_wrong_password(self.kafka.now, browser_digest), account)

    @while_idle
    @action(by_address=st.booleans(), times=st.sampled_from([1, 5, 20]))
    def guess(self, *, by_address: bool, times: int) -> None:
        """Guess passwords, from one address or for one name that no account has."""
        for _ in range(times):
            guess = a_guess(self.kafka.now, by_address=by_address)
            self.give(guess.model_copy(update={"source": a_digest(f"source by address: {by_address}")}))
