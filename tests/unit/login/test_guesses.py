"""Wrong passwords from one address, or for names without an account."""

from datetime import datetime, timedelta

import pytest

from schemas.base import Message
from schemas.login_messages import ForgetGuesses
from services.common.decisions import OK, Decision, decide_once
from services.common.throttle import PauseLimits
from services.login.domain.decide import decide_account
from services.login.domain.guesses import Guesses, address_source, decide_guess, name_source
from services.login.domain.rejections import Rejection
from tests.builders import T0, a_digest, after, an_account, an_event, policy
from tests.messages import a_guess, a_wrong_password

QUIET = timedelta(hours=1)
POLICY = policy(addresses=PauseLimits(tries=3, pause_seconds=60, longest_pause_seconds=240, forget_after_seconds=3600))


def take(row: Guesses | None, message: Message) -> Decision[Guesses]:
    return decide_once(row, an_event(message), lambda known, event: decide_guess(known, event, POLICY))


def after_guesses(*moments: datetime) -> tuple[Guesses, list[str]]:
    row, outcomes = None, []
    for moment in moments:
        decision = take(row, a_guess(moment))
        row = decision.row
        outcomes.append(decision.outcome)
    assert row is not None
    return row, outcomes


def test_the_third_wrong_password_pauses_the_address() -> None:
    row, outcomes = after_guesses(after(0), after(1), after(2))
    assert outcomes == [OK, OK, Rejection.LOCKED]
    assert row.passwords.paused_until == after(62)
    assert (row.passwords.is_paused(after(61)), row.passwords.is_paused(after(62))) == (True, False)


def test_pauses_grow_up_to_a_limit() -> None:
    row, _ = after_guesses(*(after(minutes=5 * number) for number in range(8)))
    assert row.passwords.paused_until == after(minutes=39)


def test_guesses_during_a_pause_do_not_count() -> None:
    row, outcomes = after_guesses(after(0), after(1), after(2), after(30))
    assert outcomes[-1] == Rejection.LOCKED
    assert row.passwords.paused_until == after(62)


def test_a_quiet_source_starts_over() -> None:
    row, outcomes = after_guesses(after(0), after(1), T0 + QUIET + timedelta(seconds=2))
    assert (row.passwords.failures, outcomes[-1]) == (1, OK)


@pytest.mark.parametrize(("later", "forgotten"), [(QUIET, False), (QUIET + timedelta(seconds=1), True)])
def test_a_long_quiet_source_is_forgotten(later: timedelta, *, forgotten: bool) -> None:
    row, _ = after_guesses(T0)
    decision = take(row, ForgetGuesses(source=a_digest("source"), at=T0 + later))
    assert (decision.row is None) == forgotten


def test_a_name_without_an_account_is_paused_like_an_account() -> None:
    account, row = an_account(), None
    moments = [after(second) for second in (*range(12), 40, 41, 4000, 4001)]
    for moment in moments:
        counted = decide_once(account, an_event(a_wrong_password(moment)), lambda a, e: decide_account(a, e, POLICY))
        guessed = take(row, a_guess(moment, by_address=False))
        assert counted.row is not None
        assert guessed.row is not None
        account, row = counted.row, guessed.row
        assert (counted.outcome, account.passwords.paused_until) == (guessed.outcome, row.passwords.paused_until)


def test_a_repeated_guess_counts_once() -> None:
    event = an_event(a_guess())
    first = decide_once(None, event, lambda known, each: decide_guess(known, each, POLICY))
    again = decide_once(first.row, event, lambda known, each: decide_guess(known, each, POLICY))
    assert again.row == first.row


def test_names_and_addresses_have_different_sources() -> None:
    assert address_source("192.0.2.7") != name_source("192.0.2.7")


def test_unrelated_messages_leave_a_source_unchanged() -> None:
    row, _ = after_guesses(after(0))
    assert decide_guess(row, an_event(a_wrong_password()), POLICY) == Decision(row)
