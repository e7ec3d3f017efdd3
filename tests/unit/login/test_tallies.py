"""Logins, challenges and pairings are counted once, with their outcome and duration."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.base import Message
from schemas.contract import PairingFailed, PairingFailure, Verdict
from services.common.decisions import decide_once
from services.common.telemetry.metrics import Metrics
from services.login.domain.account import Account
from services.login.domain.decide import decide_account
from services.login.domain.login import LoginState
from services.login.metrics import AccountTally
from tests.builders import a_login, after, an_account, an_event, policy, present
from tests.events import a_login_challenge, a_paired, a_response, without_number
from tests.messages import a_cancel, a_code, a_pairing_start, a_sign_in
from tests.session_messages import a_removal


class Counted:
    """An account whose decisions are counted."""

    def __init__(self, account: Account) -> None:
        self.metrics = Metrics()
        self._tally = AccountTally(self.metrics)
        self._account = account

    def take(self, message: Message, seconds: float = 0, *, repeats: int = 1) -> None:
        """Decide a message and count it, as often as it comes."""
        event = an_event(message, at=after(seconds))
        for _ in range(repeats):
            decision = decide_once(self._account, event, lambda row, each: decide_account(row, each, policy()))
            self._tally.count(self._account, event, decision)
            self._account = present(decision.row)

    def count(self, name: str, **labels: str) -> float:
        """Return a sample's value, 0 if there is none."""
        return self.metrics.registry.get_sample_value(f"countersign_{name}", labels) or 0


def _answer(verdict: Verdict) -> Callable[[], Message]:
    return lambda: a_response(a_login_challenge(), verdict, after(7))


@pytest.mark.parametrize(
    ("message", "outcome", "login", "method"),
    [
        (_answer(Verdict.APPROVE), "approved", "approved", "push"),
        (_answer(Verdict.DENY), "denied", "denied", "none"),
        (_answer(Verdict.REPORT), "reported", "reported", "none"),
        (lambda: without_number(a_login_challenge(), after(7)), "wrong_number", "wrong_number", "none"),
        (lambda: a_cancel(at=after(7)), "withdrawn", "cancelled", "none"),
        (lambda: a_code(at=after(7)), "withdrawn", "approved", "phone_code"),
        (lambda: a_removal(after(7)), "withdrawn", "cancelled", "none"),
    ],
)
def test_a_challenge_and_its_login_are_counted_once_by_outcome(
    message: Callable[[], Message], outcome: str, login: str, method: str
) -> None:
    counted = Counted(an_account())
    counted.take(a_sign_in(), repeats=2)
    assert counted.count("login_challenges_sent_total") == 1
    counted.take(message(), 7, repeats=2)
    assert counted.count("login_challenges_total", outcome=outcome) == 1
    assert counted.count("logins_begun_total", kind="sign_in") == 1
    assert counted.count("logins_total", kind="sign_in", outcome=login, method=method) == 1
    answered = outcome != "withdrawn"
    assert counted.count("answer_duration_seconds_count", purpose="login") == answered
    assert counted.count("answer_duration_seconds_sum", purpose="login") == 7 * answered
    assert counted.count("reports_total") == (outcome == "reported")


@pytest.mark.parametrize("minutes", [3, 24 * 60], ids=["login is kept", "login is gone"])
def test_an_unanswered_challenge_is_counted_at_the_next_decision(minutes: int) -> None:
    counted = Counted(an_account())
    counted.take(a_sign_in())
    counted.take(a_sign_in("login-2", after(minutes=minutes)), minutes * 60)
    assert counted.count("login_challenges_total", outcome="expired") == 1
    assert counted.count("logins_total", kind="sign_in", outcome="not_answered", method="none") == 1
    assert counted.count("answer_duration_seconds_count", purpose="login") == 0


def test_a_report_after_a_cancel_is_counted_as_a_report() -> None:
    counted = Counted(an_account())
    counted.take(a_sign_in())
    counted.take(a_cancel(at=after(1)), 1)
    counted.take(_answer(Verdict.REPORT)(), 7, repeats=2)
    assert (counted.count("login_challenges_total", outcome="withdrawn"), counted.count("reports_total")) == (1, 1)


def _failed(reason: PairingFailure) -> Callable[[], Message]:
    return lambda: PairingFailed(pairing_id="pairing-1", account_id="alex", reason=reason)


@pytest.mark.parametrize(
    ("message", "seconds", "outcome"),
    [
        (lambda: a_paired(at=after(9)), 9, "paired"),
        (_failed(PairingFailure.DECLINED), 9, "denied"),
        (_failed(PairingFailure.REPORTED), 9, "reported"),
        (_failed(PairingFailure.UNKNOWN_PHRASE), 9, "unknown_phrase"),
        (lambda: a_cancel(at=after(9)), 9, "withdrawn"),
        (lambda: a_pairing_start("pairing-2", after(minutes=3)), 180, "expired"),
    ],
)
def test_a_pairing_is_counted_once_by_outcome(message: Callable[[], Message], seconds: float, outcome: str) -> None:
    counted = Counted(an_account(paired=False))
    counted.take(a_sign_in())
    counted.take(a_pairing_start(), repeats=2)
    assert counted.count("pairings_begun_total") == 1
    counted.take(message(), seconds, repeats=2)
    assert counted.count("pairings_total", outcome=outcome) == 1
    answered = outcome in {"paired", "denied", "reported"}
    assert counted.count("answer_duration_seconds_sum", purpose="pairing") == seconds * answered


def test_no_label_identifies_the_account_or_login() -> None:
    counted = Counted(an_account())
    counted.take(a_sign_in())
    counted.take(_answer(Verdict.APPROVE)(), 7)
    labels: set[Any] = {
        value
        for family in counted.metrics.registry.collect()
        for each in family.samples
        for value in each.labels.values()
    }
    assert not any("alex" in value.lower() or "login-1" in value for value in labels)


def test_a_challenge_is_counted_beside_a_login_without_one() -> None:
    counted = Counted(an_account(logins=(a_login("waiting"),)))
    counted.take(a_sign_in())
    counted.take(_answer(Verdict.DENY)(), 7)
    assert counted.count("login_challenges_total", outcome="denied") == 1


def test_a_pairing_is_counted_beside_a_login_without_one() -> None:
    counted = Counted(an_account(paired=False, logins=(a_login("waiting", state=LoginState.NEEDS_PHONE),)))
    counted.take(a_sign_in())
    counted.take(a_pairing_start())
    counted.take(a_paired(at=after(9)), 9)
    assert counted.count("pairings_total", outcome="paired") == 1


def test_an_open_pairing_is_not_counted() -> None:
    counted = Counted(an_account(paired=False))
    counted.take(a_sign_in())
    counted.take(a_pairing_start())
    counted.take(a_sign_in("login-2", after(1)), 1)
    assert counted.count("pairings_total", outcome="withdrawn") == 0
    assert counted.count("pairings_total", outcome="expired") == 0


def test_an_answers_duration_includes_fractions_of_a_second() -> None:
    counted = Counted(an_account())
    counted.take(a_sign_in())
    counted.take(a_response(a_login_challenge(), at=after(0.25)), 0.25)
    assert counted.count("answer_duration_seconds_sum", purpose="login") == 0.25
