"""What is done from a browser that is signed in, what an administrator does, and the time."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.builders import a_digest
from tests.messages import a_sign_out
from tests.model.machine import (
    LONGEST_DELAY_SECONDS,
    LoginHandle,
    ModelMachine,
    accounts,
    action,
    challenges,
    logins,
    names,
    signed_in,
    which,
    while_idle,
)
from tests.model.memory_kafka import GUESSES, PHRASES
from tests.session_messages import (
    a_choice,
    a_confirmation,
    a_forgetting,
    a_further_phone,
    a_method_removal,
    a_new_name,
    a_password_change,
    a_removal,
    a_renaming,
    a_reset,
    a_revocation,
    a_touch,
    an_app_added,
    new_recovery_codes,
)

EARLIEST_END: Final = 30
"""So many commands come before an account may lose all that it has."""


class Sessions(ModelMachine):
    """Browsers that are signed in, or were."""

    @action(logins, challenges, session=signed_in)
    def confirm(self, session: LoginHandle) -> LoginHandle:
        """Begin to give the second factor again."""
        login = LoginHandle(self, self.new("confirmation"), session.account, session.session_digest)
        command = a_confirmation(login.login_id, self.kafka.now, session_digest=session.session_digest)
        self.give(command, session.account)
        return login

    @action(logins, challenges, session=signed_in)
    def add_phone(self, session: LoginHandle) -> LoginHandle:
        """Begin to pair a further phone."""
        login = LoginHandle(self, self.new("addition"), session.account, session.session_digest)
        command = a_further_phone(login.login_id, self.kafka.now, session_digest=session.session_digest)
        self.give(command, session.account)
        return login

    @action(session=signed_in)
    def add_app(self, session: LoginHandle) -> None:
        """Add an authenticator app."""
        command = an_app_added(self.new("app"), self.kafka.now, session_digest=session.session_digest)
        self.give(command, session.account)

    @action(session=signed_in, method=which)
    def choose_phone(self, session: LoginHandle, method: int) -> None:
        """Have a phone asked first."""
        command = a_choice(self.method(session, method), self.kafka.now, session.session_digest)
        self.give(command, session.account)

    @while_idle
    @action(session=signed_in, method=which)
    def rename_method(self, session: LoginHandle, method: int) -> None:
        """Give a method another name."""
        command = a_renaming(self.method(session, method), at=self.kafka.now)
        self.give(command.model_copy(update={"session_digest": session.session_digest}), session.account)

    @action(session=signed_in, method=which)
    def remove_method(self, session: LoginHandle, method: int) -> None:
        """Remove a method."""
        command = a_method_removal(self.method(session, method), self.kafka.now, session.session_digest)
        self.give(command, session.account)

    @action(session=signed_in, first=st.sampled_from([1, 11, 21]))
    def make_recovery_codes(self, session: LoginHandle, first: int = 1) -> None:
        """Make new recovery codes."""
        command = new_recovery_codes(self.kafka.now, first=first, session_digest=session.session_digest)
        self.give(command, session.account)

    @action(session=signed_in)
    def change_password(self, session: LoginHandle) -> None:
        """Change the password."""
        hashes = {
            "old_password_hash": self.oracle.history(session.account).password_hash,
            "password_hash": f"$argon2id${self.new('password')}",
        }
        command = a_password_change(self.kafka.now, session_digest=session.session_digest, **hashes)
        self.give(command, session.account)

    @while_idle
    @action(session=signed_in)
    def use_session(self, session: LoginHandle) -> None:
        """Click somewhere."""
        self.give(a_touch(self.kafka.now, session.session_digest), session.account)

    @action(session=signed_in)
    def sign_out(self, session: LoginHandle) -> None:
        """Click Sign out."""
        command = a_sign_out(at=self.kafka.now).model_copy(update={"session_digest": session.session_digest})
        self.give(command, session.account)

    @action(session=signed_in, other=logins)
    def revoke_session(self, session: LoginHandle, other: LoginHandle) -> None:
        """Sign another browser out."""
        command = a_revocation(other.session_digest, self.kafka.now, session.session_digest)
        self.give(command, session.account)

    @action(session=signed_in, browser=logins)
    def forget_browser(self, session: LoginHandle, browser: LoginHandle) -> None:
        """Have a browser forgotten."""
        digest = browser.remember_digest or a_digest("no browser's")
        self.give(a_forgetting(digest, self.kafka.now, session.session_digest), session.account)

    @action(
        session=logins,
        action=st.sampled_from(
            sorted(
                ("add_app", "add_phone", "change_password", "confirm", "make_recovery_codes", "sign_out", "use_session")
            )
        ),
    )
    def use_old_session(self, session: LoginHandle, action: str) -> None:
        """Do something from a browser that perhaps is signed in no more, or never was."""
        getattr(self, action)(session)


class Operator(ModelMachine):
    """An administrator, and the service's own housekeeping."""

    _ended = False

    @precondition(lambda self: not self._ended and len(self.kafka.commands) > EARLIEST_END)
    @action(account=accounts)
    def reset_methods(self, account: str) -> None:
        """Reset all methods of an account: once, for so much ends by it."""
        self._ended = True
        self.give(a_reset(self.kafka.now), account)

    @precondition(lambda self: not self._ended and len(self.kafka.commands) > EARLIEST_END)
    @action(account=accounts)
    def remove_account(self, account: str) -> None:
        """Remove an account, and perhaps make one of the same name anew: once, likewise."""
        self._ended = True
        self.give(a_removal(self.kafka.now), account)

    @while_idle
    @action(name=names)
    def add_account(self, name: str) -> None:
        """Make an account, if the name is free."""
        self.create_account(name, self.new(name))

    @while_idle
    @action(name=names)
    def add_and_remove_account(self, name: str) -> None:
        """Make an account, and remove it while the services still make it."""
        account_id = self.new(name)
        lagging, self.lagging = self.lagging, True
        self.create_account(name, account_id)
        removal = a_removal(self.kafka.now).model_copy(update={"name_digest": a_digest(name)})
        self.give(removal, account_id)
        self.lagging = lagging
        self.catch_up()

    @while_idle
    @action(account=accounts, name=names)
    def rename_account(self, account: str, name: str) -> None:
        """Give an account another name, if that is free."""
        self.give(a_new_name(name, self.kafka.now), account)

    @precondition(lambda self: bool({**self.kafka.rows(GUESSES), **self.kafka.rows(PHRASES)}))
    @while_idle
    @action()
    def sweep(self) -> None:
        """Forget what is of no use any more."""
        self.kafka.sweep()
        self.catch_up()


class Moments(ModelMachine):
    """Short times."""

    @action(seconds=st.sampled_from([1, 5, 20, LONGEST_DELAY_SECONDS, 61, 121]))
    def wait_a_moment(self, seconds: float) -> None:
        """Let seconds pass, or a minute or two."""
        self.pass_time(seconds)


class Clock(Moments):
    """Any times."""

    @action(seconds=st.sampled_from([121, 301, 601, 1801, 3601, 7300, 90_000]))
    def wait(self, seconds: float) -> None:
        """Let minutes pass, or much more."""
        self.pass_time(seconds)
