"""What the clients saw, as they themselves wrote it down: one JSON line each."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from schemas.base import Model
from schemas.contract import Purpose, Verdict


class Way(StrEnum):
    """By what somebody means to sign in."""

    PUSH = "push"
    CODE = "code"


class Habit(StrEnum):
    """What a phone's owner does with a request to sign in.

    APPROVE, DENY: just that. TWICE: approves, then denies. LATE: approves when it is too late. DROP: the phone loses
    its connection when the request comes, and approves once it is back. IGNORE: a code is entered instead.
    """

    APPROVE = "approve"
    DENY = "deny"
    TWICE = "twice"
    LATE = "late"
    DROP = "drop"
    IGNORE = "ignore"


class Ending(StrEnum):
    """How an attempt to sign in ended for the person.

    SIGNED_IN: the account page came. REFUSED: a page said why not, such as denied, not answered in time, or a code that
    does not count. UNAVAILABLE: the service said that it is not there just now until the person gave up. UNCLEAR: none
    of these before the person's patience ended.
    """

    SIGNED_IN = "signed_in"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNCLEAR = "unclear"


class Attempt(Model):
    """An attempt to sign in, as the browser saw it.

    Attributes:
        account_id: Whose.
        way: By what.
        habit: What the phone's owner meant to do.
        login_digest: SHA-256 of the token that the browser got; empty if it got none.
        began: When the password was entered for the first time.
        ended: When it was over.
        ending: How.
        said: What the last page said, shortened.

    """

    kind: Literal["attempt"] = "attempt"
    account_id: str
    way: Way
    habit: Habit = Habit.APPROVE
    login_digest: str = ""
    began: datetime
    ended: datetime
    ending: Ending
    said: str = ""


class PhoneAnswer(Model):
    """An answer, as the phone saw it.

    Attributes:
        challenge_id: To what.
        account_id: Whose account.
        purpose: What was asked.
        verdict: What was answered.
        refusal: Why the service did not take it; empty if it did.
        ended: When that was known.

    """

    kind: Literal["answer"] = "answer"
    challenge_id: str
    account_id: str
    purpose: Purpose
    verdict: Verdict
    refusal: str = ""
    ended: datetime


class FaultResult(Model):
    """A fault that was made.

    Attributes:
        fault: Its kind.
        target: What was broken.
        began_at: When.
        repaired_at: When it was mended, so far as that was in our hands.
        recovered_at: When all instances were ready and all partitions fully replicated again; None if it took too long.
        reason: What was still wrong then.

    """

    kind: Literal["struck"] = "struck"
    fault: str
    target: str
    began_at: datetime
    repaired_at: datetime
    recovered_at: datetime | None
    reason: str = ""


Entry = Attempt | PhoneAnswer | FaultResult


class ClientLog:
    """A history that is being written."""

    def __init__(self, path: Path) -> None:
        """Begin a new one.

        Args:
            path: Its file.

        """
        self._file = path.open("w", encoding="utf-8")
        self.entries: list[Entry] = []

    def note(self, entry: Entry) -> None:
        """Write an entry down, at once."""
        self.entries.append(entry)
        self._file.write(entry.model_dump_json() + "\n")
        self._file.flush()

    def close(self) -> None:
        """End it."""
        self._file.close()
