"""What is done from a browser that is signed in, or was, or never was; and what an administrator does."""

from typing import Final

from tests.builders import a_digest
from tests.messages import a_sign_out
from tests.session_messages import (
    a_choice,
    a_confirmation,
    a_forgetting,
    a_further_phone,
    a_method_removal,
    a_password_change,
    a_renaming,
    a_reset,
    a_revocation,
    a_touch,
    an_app_added,
    new_recovery_codes,
)
from tests.unit.siege.people import SELDOM, People, choose

NOBODY: Final = a_digest("nobody's session")


class Insiders:
    """Whoever is signed in, or says so."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._guarded = people.guarded

    def confirm(self, session: int) -> str:
        """Ask for the second factor again."""
        login_id = self._people.new("confirm")
        self._guarded.give(a_confirmation(login_id, self._guarded.now, session_digest=self._session(session)))
        return login_id

    def add_phone(self, session: int) -> str:
        """Begin to pair a further phone."""
        login_id = self._people.new("add")
        self._guarded.give(a_further_phone(login_id, self._guarded.now, session_digest=self._session(session)))
        return login_id

    def add_app(self, session: int) -> None:
        """Add an authenticator app."""
        changes = {"session_digest": self._session(session)}
        self._guarded.give(an_app_added(self._people.new("app"), self._guarded.now, **changes))

    def choose_phone(self, session: int, method: int) -> None:
        """Have a phone asked first."""
        self._guarded.give(a_choice(self._method(method), self._guarded.now, self._session(session)))

    def rename(self, session: int, method: int) -> None:
        """Give a method another name."""
        command = a_renaming(self._method(method), at=self._guarded.now)
        self._guarded.give(command.model_copy(update={"session_digest": self._session(session)}))

    def remove(self, session: int, method: int) -> None:
        """Remove a method."""
        self._guarded.give(a_method_removal(self._method(method), self._guarded.now, self._session(session)))

    def make_codes(self, session: int) -> None:
        """Make new recovery codes."""
        first = 1 + 10 * (self._people.count % 3)
        self._guarded.give(new_recovery_codes(self._guarded.now, first=first, session_digest=self._session(session)))

    def change_password(self, session: int, old: int) -> None:
        """Change the password, seldom by one that is no more."""
        old_hash = self._guarded.ledger.password_hash if old % SELDOM else "$argon2id$old"
        changes = {"old_password_hash": old_hash, "password_hash": f"$argon2id${self._people.new('password')}"}
        self._guarded.give(
            a_password_change(self._guarded.now, session_digest=self._session(session), **changes),
        )

    def touch(self, session: int) -> None:
        """Click somewhere."""
        self._guarded.give(a_touch(self._guarded.now, self._session(session)))

    def sign_out(self, session: int) -> None:
        """Sign out."""
        command = a_sign_out(at=self._guarded.now)
        self._guarded.give(command.model_copy(update={"session_digest": self._session(session)}))

    def revoke(self, session: int, other: int) -> None:
        """Sign another browser out."""
        self._guarded.give(a_revocation(self._session(other), self._guarded.now, self._session(session)))

    def forget(self, session: int, browser: int) -> None:
        """Have a browser forgotten."""
        browser_digest = choose([*self._guarded.ledger.remembered], browser) or NOBODY
        self._guarded.give(a_forgetting(browser_digest, self._guarded.now, self._session(session)))

    def reset(self) -> None:
        """Reset all methods, as an administrator."""
        self._guarded.give(a_reset(self._guarded.now))

    def _session(self, number: int) -> str:
        """Return a session: mostly one that is open, seldom any that there ever was."""
        ledger = self._guarded.ledger
        ever = [*(each.session_digest for each in ledger.logins.values()), NOBODY]
        now_open = [each for each in ledger.sessions if ledger.is_open(each, self._guarded.now)]
        return choose(now_open if now_open and number % SELDOM else ever, -1 - number) or NOBODY

    def _method(self, number: int) -> str:
        ledger = self._guarded.ledger
        return choose([*ledger.phones, *ledger.apps], number) or "none"
