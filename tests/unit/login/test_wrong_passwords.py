"""Wrong passwords are counted by the account's owner, across browsers and instances."""

from datetime import timedelta

from services.common.decisions import OK
from services.common.throttle import Throttle
from services.login.domain.account import MOST_HISTORY
from services.login.domain.history import HistoryKind
from services.login.domain.rejections import Rejection
from tests.builders import after, an_account
from tests.messages import a_sign_in, a_wrong_password
from tests.unit.login.owner import Owner

TRIES = 5


def _locked(count: int) -> tuple[Owner, float]:
    """Return an account with so many wrong passwords, each given as soon as one is taken, and when the last one was."""
    owner = Owner()
    seconds = 0.0
    for _ in range(count):
        until = owner.account.passwords.paused_until
        seconds = max(seconds, (until - after()).total_seconds()) if until else seconds
        owner.take(a_wrong_password(after(seconds)))
    return owner, seconds


def _pause(count: int) -> timedelta:
    owner, seconds = _locked(count)
    assert owner.account.passwords.paused_until is not None
    return owner.account.passwords.paused_until - after(seconds)


def test_four_wrong_passwords_do_not_pause() -> None:
    owner, _ = _locked(TRIES - 1)
    assert owner.account.passwords.paused_until is None
    assert owner.take(a_sign_in()).outcome == OK


def test_the_fifth_wrong_password_pauses_the_account() -> None:
    owner, _ = _locked(TRIES - 1)
    assert owner.take(a_wrong_password()).outcome == Rejection.LOCKED
    assert owner.account.passwords.paused_until == after(30)


def test_the_pause_doubles_up_to_a_quarter_of_an_hour() -> None:
    pauses = [_pause(count).total_seconds() for count in range(TRIES, TRIES + 7)]
    assert pauses == [30, 60, 120, 240, 480, 900, 900]


def test_the_pause_stays_at_its_maximum() -> None:
    owner = Owner(an_account(passwords=Throttle(failures=10_000, last_failure_at=after(minutes=-20))))
    owner.take(a_wrong_password())
    assert owner.account.passwords.paused_until == after(minutes=15)


def test_a_pause_rejects_the_right_password() -> None:
    owner, _ = _locked(TRIES)
    assert owner.take(a_sign_in(at=after(29.999))).outcome == Rejection.LOCKED
    assert owner.account.logins == ()
    assert owner.take(a_sign_in(at=after(30))).outcome == OK


def test_wrong_passwords_during_a_pause_do_not_count() -> None:
    owner, _ = _locked(TRIES)
    for _ in range(10):
        assert owner.take(a_wrong_password(after(29))).outcome == Rejection.LOCKED
    assert owner.account.passwords.paused_until == after(30)
    assert owner.account.passwords.failures == TRIES


def test_a_right_password_resets_the_count() -> None:
    owner, seconds = _locked(TRIES + 2)
    assert owner.account.passwords.paused_until is not None
    assert owner.take(a_sign_in(at=owner.account.passwords.paused_until)).outcome == OK
    assert owner.account.passwords.failures == 0
    assert owner.take(a_wrong_password(after(seconds + 900))).outcome == OK


def test_a_replaced_password_does_not_reset_the_count() -> None:
    owner, _ = _locked(TRIES - 1)
    owner.take(a_sign_in(password_hash="$argon2id$0"))
    assert owner.take(a_wrong_password()).outcome == Rejection.LOCKED


def test_the_history_has_wrong_passwords_and_pauses() -> None:
    owner, _ = _locked(TRIES)
    history = [entry.what for entry in owner.account.history]
    assert history == [HistoryKind.WRONG_PASSWORD] * TRIES + [HistoryKind.PAUSED]


def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    owner, seconds = _locked(TRIES + 40)
    assert len(owner.account.history) == MOST_HISTORY
    assert owner.account.history[-1].what is HistoryKind.PAUSED
    assert owner.account.history[-1].at == after(seconds)
