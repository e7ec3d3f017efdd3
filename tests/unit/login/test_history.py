"""The history of an account: each entry is a part of its own, and the row keeps their number."""

import json

import pytest

from services.common.decisions import Decision
from services.common.rows.codec import read_part, read_row, write_part, write_row
from services.login.domain.account import MOST_HISTORY, Account
from services.login.domain.history import HistoryEntry, HistoryKind
from tests.builders import a_browser, after, an_account, present
from tests.messages import a_sign_in, a_wrong_password
from tests.session_messages import a_removal
from tests.unit.login.owner import Owner

KIND = HistoryKind.METHOD_RENAMED


class Stored:
    """An account and its parts as a store has them."""

    def __init__(self) -> None:
        self.account = an_account()
        self.parts: dict[str, HistoryEntry] = {}

    def save(self, account: Account) -> None:
        """Write a row and what has changed of its parts."""
        for name, part in account.parts():
            if part is None:
                del self.parts[name]
            else:
                self.parts[name] = read_part(HistoryEntry, write_part(part))
        self.account = read_row(Account, write_row(account))

    def history(self) -> list[HistoryEntry]:
        """Return the entries that a page shows, oldest first."""
        return [self.parts[name] for name in self.account.stored_history]


@pytest.mark.parametrize("count", [0, 1, 2, MOST_HISTORY - 1, MOST_HISTORY, MOST_HISTORY + 1, 3 * MOST_HISTORY + 7])
def test_the_last_entries_are_stored_in_order(count: int) -> None:
    stored, entries = Stored(), list[HistoryEntry]()
    for number in range(count):
        changed = stored.account.with_history(KIND, after(number))
        entries.extend(changed.history)
        stored.save(changed)
    assert stored.history() == entries[-MOST_HISTORY:]
    assert stored.account.history_count == count


def test_several_entries_of_one_decision_are_stored_in_order() -> None:
    stored = Stored()
    stored.save(stored.account.with_history(HistoryKind.INVITED, after()))
    both = stored.account.with_history(HistoryKind.WRONG_CODE, after(1)).with_history(
        HistoryKind.CODES_PAUSED, after(2)
    )
    stored.save(both)
    kinds = [entry.what for entry in stored.history()]
    assert kinds == [HistoryKind.INVITED, HistoryKind.WRONG_CODE, HistoryKind.CODES_PAUSED]


def test_a_decision_that_is_repeated_stores_the_same_parts() -> None:
    before = Owner()
    decisions: list[Decision[Account]] = []
    for _ in range(2):
        owner = Owner(before.account)
        decisions.append(owner.take(a_wrong_password(at=after(1))))
    first, second = (present(each.row).parts() for each in decisions)
    assert first == second
    assert len(first) == 1


def test_a_row_is_stored_without_its_history() -> None:
    account = an_account().with_history(HistoryKind.INVITED, after(), browser=a_browser())
    assert json.loads(write_row(account)).keys().isdisjoint({"history", "dropped"})
    assert read_row(Account, write_row(account)) == account.settled()


def test_a_removal_removes_the_entries() -> None:
    stored = Stored()
    for number in range(MOST_HISTORY + 3):
        stored.save(stored.account.with_history(KIND, after(number)))
    owner = Owner(stored.account)
    stored.save(present(owner.take(a_removal(after(99))).row))
    assert (stored.parts, stored.history()) == ({}, [])


def test_a_sign_in_stores_nothing_twice() -> None:
    stored = Stored()
    owner = Owner(stored.account)
    stored.save(present(owner.take(a_wrong_password(at=after(1))).row))
    owner.account = stored.account
    decision = owner.take(a_sign_in(at=after(2)))
    assert present(decision.row).parts() == []
