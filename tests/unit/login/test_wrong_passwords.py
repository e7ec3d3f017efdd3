"""Wrong passwords are counted by account, by address, and by names without an account."""

from datetime import datetime, timedelta

import pytest

from schemas.base import Message
from schemas.login_messages import ForgetGuesses
from services.common.decisions import OK, Decision, decide_once
from services.common.throttle import PauseLimits, Throttle
from services.login.directory import digest_name
from services.login.domain.attempts import NO_ATTEMPTS, Attempts
from services.login.domain.decide import decide_account
from services.login.domain.guesses import Guesses, decide_guess, network_source
from services.login.domain.history import HistoryKind
from services.login.domain.rejections import Rejection
from tests.builders import T0, a_digest, after, an_account, an_event, policy, present
from tests.messages import a_code, a_guess, a_sign_in, a_wrong_password
from tests.unit.login.owner import Owner

TRIES = 5
QUIET = timedelta(hours=1)
POLICY = policy(addresses=PauseLimits(tries=3, pause_seconds=60, longest_pause_seconds=240, forget_after_seconds=3600))


def _locked(count: int) -> tuple[Owner, float]:
    """Return an account with so many wrong passwords, each given as soon as one is taken, and when the last one was."""
    owner = Owner()
    seconds = 0.0
    for _ in range(count):
        until = owner.account.passwords.others.paused_until
        seconds = max(seconds, (until - after()).total_seconds()) if until else seconds
        owner.take(a_wrong_password(after(seconds)))
    return owner, seconds


def _pause(count: int) -> timedelta:
    owner, seconds = _locked(count)
    return present(owner.account.passwords.others.paused_until) - after(seconds)


def test_four_wrong_passwords_do_not_pause() -> None:
    owner, _ = _locked(TRIES - 1)
    assert owner.account.passwords.others.paused_until is None
    assert owner.take(a_sign_in()).outcome == OK


def test_the_fifth_wrong_password_pauses_the_account() -> None:
    owner, _ = _locked(TRIES - 1)
    assert owner.take(a_wrong_password()).outcome == Rejection.LOCKED
    assert owner.account.passwords.others.paused_until == after(30)


def test_the_pause_doubles_up_to_a_quarter_of_an_hour() -> None:
    pauses = [_pause(count).total_seconds() for count in range(TRIES, TRIES + 7)]
    # A failure is forgotten each twelve minutes, so the last one waits for the pause of the one before it.
    assert pauses == [30, 60, 120, 240, 480, 480, 900]


def test_the_pause_stays_at_its_maximum() -> None:
    owner = Owner(an_account(passwords=Attempts(others=Throttle(failures=10_000, counted_from=after(minutes=-20)))))
    owner.take(a_wrong_password())
    assert owner.account.passwords.others.paused_until == after(minutes=15)


def test_a_pause_rejects_the_right_password() -> None:
    owner, _ = _locked(TRIES)
    assert owner.take(a_sign_in(at=after(29.999))).outcome == Rejection.LOCKED
    assert owner.account.logins == ()
    assert owner.take(a_sign_in(at=after(30))).outcome == OK


def test_wrong_passwords_during_a_pause_do_not_count() -> None:
    owner, _ = _locked(TRIES)
    for _ in range(10):
        assert owner.take(a_wrong_password(after(29))).outcome == Rejection.LOCKED
    assert owner.account.passwords.others.paused_until == after(30)
    assert owner.account.passwords.others.failures == TRIES


def test_only_the_second_factor_resets_the_count() -> None:
    owner, _ = _locked(TRIES + 2)
    at = present(owner.account.passwords.others.paused_until)
    assert owner.take(a_sign_in(at=at)).outcome == OK
    assert owner.account.passwords.others.failures == TRIES + 2
    owner.take(a_code(at=at))
    assert owner.account.passwords == NO_ATTEMPTS


def test_a_replaced_password_does_not_reset_the_count() -> None:
    owner, _ = _locked(TRIES - 1)
    owner.take(a_sign_in(password_hash="$argon2id$0"))
    assert owner.take(a_wrong_password()).outcome == Rejection.LOCKED


def test_the_history_has_wrong_passwords_and_pauses() -> None:
    owner, _ = _locked(TRIES)
    history = [(entry.what, entry.count) for entry in owner.account.history]
    assert history == [(HistoryKind.WRONG_PASSWORD, TRIES), (HistoryKind.PAUSED, 1)]


def _take(row: Guesses | None, message: Message) -> Decision[Guesses]:
    return decide_once(row, an_event(message), lambda known, event: decide_guess(known, event, POLICY))


def _after_guesses(*moments: datetime) -> tuple[Guesses, list[str]]:
    row, outcomes = None, []
    for moment in moments:
        decision = _take(row, a_guess(moment))
        row = decision.row
        outcomes.append(decision.outcome)
    return present(row), outcomes


def test_the_third_wrong_password_pauses_the_address() -> None:
    row, outcomes = _after_guesses(after(0), after(1), after(2))
    # The try that begins the pause was counted before it is made.
    assert outcomes == [OK, OK, OK]
    assert row.passwords.paused_until == after(62)
    assert (row.passwords.is_paused(after(61)), row.passwords.is_paused(after(62))) == (True, False)


def test_pauses_grow_up_to_a_limit() -> None:
    row, _ = _after_guesses(*(after(minutes=5 * number) for number in range(8)))
    assert row.passwords.paused_until == after(minutes=39)


def test_guesses_during_a_pause_do_not_count() -> None:
    row, outcomes = _after_guesses(after(0), after(1), after(2), after(30))
    assert outcomes[-1] == Rejection.LOCKED
    assert row.passwords.paused_until == after(62)


def test_a_quiet_source_starts_over() -> None:
    row, outcomes = _after_guesses(after(0), after(1), T0 + 2 * QUIET)
    assert (row.passwords.failures, outcomes[-1]) == (1, OK)


@pytest.mark.parametrize(("later", "forgotten"), [(QUIET - timedelta(seconds=1), False), (QUIET, True)])
def test_a_long_quiet_source_is_forgotten(later: timedelta, *, forgotten: bool) -> None:
    row, _ = _after_guesses(T0)
    decision = _take(row, ForgetGuesses(source=a_digest("source"), at=T0 + later))
    assert (decision.row is None) == forgotten


def test_a_name_without_an_account_is_paused_like_an_account() -> None:
    account, row = an_account(), None
    moments = [after(second) for second in (*range(12), 40, 41, 4000, 4001)]
    for moment in moments:
        counted = decide_once(account, an_event(a_wrong_password(moment)), lambda a, e: decide_account(a, e, POLICY))
        guessed = _take(row, a_guess(moment, by_address=False))
        account, row = present(counted.row), present(guessed.row)
        assert (counted.outcome, account.passwords.others.paused_until) == (guessed.outcome, row.passwords.paused_until)


def test_a_repeated_guess_counts_once() -> None:
    event = an_event(a_guess())
    first = decide_once(None, event, lambda known, each: decide_guess(known, each, POLICY))
    again = decide_once(first.row, event, lambda known, each: decide_guess(known, each, POLICY))
    assert again.row == first.row


def test_names_and_addresses_have_different_sources() -> None:
    assert network_source(b"key", "192.0.2.7") != digest_name(b"key", "192.0.2.7")


def test_unrelated_messages_leave_a_source_unchanged() -> None:
    row, _ = _after_guesses(after(0))
    assert decide_guess(row, an_event(a_wrong_password()), POLICY) == Decision(row)
