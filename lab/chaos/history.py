"""The clients' log: what browsers and phones saw, one JSON line each."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from schemas.base import Model
from schemas.contract import Purpose, Verdict


class Way(StrEnum):
    """By what a person means to sign in."""

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

    SIGNED_IN: the account page came. REFUSED: a page gave the reason, for example denied, not answered in time, or a
    code that does not count. UNAVAILABLE: the service was unavailable until the person gave up. UNCLEAR: none of these
    before the person's patience ended.
    """

    SIGNED_IN = "signed_in"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNCLEAR = "unclear"


class Attempt(Model):
    """An attempt to sign in, as the browser saw it.

    Attributes:
        account_id: The person's account.
        way: By what.
        habit: What the phone's owner meant to do.
        login_digest: SHA-256 of the token that the browser got; empty if it got none.
        began: When the password was entered for the first time.
        ended: When it was over.
        ending: How it ended.
        last_page: Path, status and text of the last page, shortened.

    """

    kind: Literal["attempt"] = "attempt"
    account_id: str
    way: Way
    habit: Habit = Habit.APPROVE
    login_digest: str = ""
    began: datetime
    ended: datetime
    ending: Ending
    last_page: str = ""


class PhoneAnswer(Model):
    """An answer, as the phone saw it.

    Attributes:
        challenge_id: The challenge.
        account_id: The account that it was about.
        purpose: The challenge's purpose.
        verdict: The answer's verdict.
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
        began_at: When it began.
        repaired_at: When its cause was removed.
        recovered_at: When all instances were ready and all partitions fully replicated again; None if it took too long.
        reason: Why not, in that case.

    """

    kind: Literal["fault"] = "fault"
    fault: str
    target: str
    began_at: datetime
    repaired_at: datetime
    recovered_at: datetime | None
    reason: str = ""


Entry = Attempt | PhoneAnswer | FaultResult


class ClientLog:
    """The log while it is written."""

    def __init__(self, path: Path) -> None:
        """Begin a new file.

        Args:
            path: The file.

        """
        self._file = path.open("w", encoding="utf-8")
        self.entries: list[Entry] = []

    def note(self, entry: Entry) -> None:
        """Write an entry, at once."""
        self.entries.append(entry)
        self._file.write(entry.model_dump_json() + "\n")
        self._file.flush()

    def close(self) -> None:
        """End it."""
        self._file.close()
