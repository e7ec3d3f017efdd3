"""What people are told: every case has its words, and the words fit the case."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta

import pytest

from schemas.base import Browser
from schemas.contract import PairingFailure
from services.login.account import change_messages
from services.login.account.history_lines import history_line
from services.login.domain.history import HistoryEntry, HistoryKind
from services.login.domain.login import EndReason, LoginKind
from services.login.domain.rejections import Rejection
from services.login.web import page_messages

NAMES = page_messages.Names("Front Desk", "Pocket Key")
NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def _complete(notice: page_messages.PageMessage) -> None:
    assert notice.title
    assert not notice.title.endswith(".")
    assert notice.text.endswith(".")
    assert "{" not in notice.title + notice.text


@pytest.mark.parametrize("kind", LoginKind)
@pytest.mark.parametrize("reason", EndReason)
def test_every_end_of_a_login_has_its_own_words(reason: EndReason, kind: LoginKind) -> None:
    notice = page_messages.ended(reason, kind, NAMES)
    _complete(notice)
    others = {page_messages.ended(other, kind, NAMES).text for other in EndReason if other is not reason}
    assert notice.text not in others


@pytest.mark.parametrize("failure", PairingFailure)
def test_every_failed_pairing_has_its_own_words(failure: PairingFailure) -> None:
    notice = page_messages.pairing_failed(failure, NAMES)
    _complete(notice)
    others = {page_messages.pairing_failed(other, NAMES).text for other in PairingFailure if other is not failure}
    assert notice.text not in others


@pytest.mark.parametrize("reason", EndReason)
@pytest.mark.parametrize("kind", [LoginKind.CONFIRM, LoginKind.ADD_PHONE])
def test_who_is_signed_in_already_is_not_told_to_sign_in_again(reason: EndReason, kind: LoginKind) -> None:
    signed_out = reason in {EndReason.REPORTED, EndReason.REPORTED_ELSEWHERE}
    assert signed_out or "sign in" not in page_messages.ended(reason, kind, NAMES).text.casefold()


def test_a_pairing_that_nobody_answered_says_so() -> None:
    assert page_messages.pairing_failed(None, NAMES) == page_messages.pairing_failed(PairingFailure.NOT_ANSWERED, NAMES)


def test_the_products_go_by_the_names_they_have_here() -> None:
    assert "Pocket Key" in page_messages.pairing_failed(PairingFailure.EXPIRED_PHRASE, NAMES).text
    assert "Front Desk" in page_messages.error(503, NAMES).text


@pytest.mark.parametrize("status", [403, 404, 405, 413, 429, 500, 503])
def test_every_error_page_has_its_own_words(status: int) -> None:
    notice = page_messages.error(status, NAMES)
    _complete(notice)
    assert (notice == page_messages.error(500, NAMES)) is (status == 500)


def test_an_error_without_words_of_its_own_is_told_as_a_general_one() -> None:
    assert page_messages.error(418, NAMES) == page_messages.error(500, NAMES)


@pytest.mark.parametrize("what", HistoryKind)
def test_every_happening_has_its_line(what: HistoryKind) -> None:
    browser = Browser(name="Firefox on Linux", address="203.0.113.7")
    line = history_line(HistoryEntry(what=what, at=NOW, browser=browser, device_name="Pixel"))
    assert line.text
    assert "{" not in line.text
    assert astuple(line)[1:] == ("2026-02-03T04:05:06+00:00", "Firefox on Linux, 203.0.113.7")


def test_a_happening_names_the_phone_if_it_is_known() -> None:
    assert "Pixel" in history_line(HistoryEntry(what=HistoryKind.SIGNED_IN, at=NOW, device_name="Pixel")).text
    assert "the phone" in history_line(HistoryEntry(what=HistoryKind.SIGNED_IN, at=NOW)).text


def test_a_happening_without_a_browser_is_nowhere() -> None:
    assert history_line(HistoryEntry(what=HistoryKind.ACCOUNT_CREATED, at=NOW)).where == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1 second"),
        (30, "30 seconds"),
        (59.1, "1 minute"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (900, "15 minutes"),
    ],
)
def test_a_pause_is_never_told_shorter_than_it_is(seconds: float, said: str) -> None:
    for notice in (
        page_messages.locked(NOW + timedelta(seconds=seconds), NOW),
        page_messages.pairing_paused(NOW + timedelta(seconds=seconds), NOW),
    ):
        _complete(notice)
        assert f"in {said}." in notice.text
        assert seconds <= notice.wait_seconds < seconds + 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("otre",), "“otre” is not a word of any phrase."),
        (("otre", "lmap"), "“otre” and “lmap” are not words of any phrase."),
        (("a", "b", "c", "d"), "“a”, “b” and “c” are not words of any phrase."),
        (("x" * 5000,), f"“{'x' * 23}…” is not a word of any phrase."),
    ],
)
def test_mistyped_words_are_shown_but_never_endlessly(words: tuple[str, ...], said: str) -> None:
    notice = page_messages.unknown_words(words)
    _complete(notice)
    assert said in notice.text


@pytest.mark.parametrize(("count", "said"), [(0, "no words"), (1, "one word."), (3, "3 words")])
def test_too_few_or_too_many_words_are_counted(count: int, said: str) -> None:
    notice = page_messages.wrong_word_count(count)
    _complete(notice)
    assert said in notice.text


CODE_REFUSALS = (Rejection.WRONG_CODE, Rejection.USED_CODE, Rejection.CODES_PAUSED)
CHANGE_REFUSALS = (Rejection.NOT_CONFIRMED, Rejection.LAST_METHOD, Rejection.TOO_MANY_METHODS, Rejection.UNKNOWN_METHOD)


def _code_refused(refusal: Rejection, later: datetime) -> page_messages.PageMessage:
    notice = page_messages.code_rejected(refusal, later, NOW)
    assert notice is not None
    return notice


def test_every_refusal_that_a_person_meets_has_its_notice() -> None:
    later = NOW + timedelta(seconds=30)
    told = {
        Rejection.UNKNOWN_ACCOUNT: page_messages.wrong_password(),
        Rejection.PASSWORD_CHANGED: page_messages.password_changed(),
        Rejection.LOCKED: page_messages.locked(later, NOW),
        Rejection.PAIRING_PAUSED: page_messages.pairing_paused(later, NOW),
        Rejection.TOO_MANY_EMAILS: page_messages.too_many_emails(),
        **{refusal: _code_refused(refusal, later) for refusal in CODE_REFUSALS},
        **{refusal: change_messages.change_rejected(refusal) for refusal in CHANGE_REFUSALS},
    }
    leads_to_the_right_page = {
        Rejection.NO_LOGIN,
        Rejection.NO_SESSION,
        Rejection.NOT_NOW,
        Rejection.OTHER_CHALLENGE,
        Rejection.PUSH_PAUSED,
        Rejection.PUSH_LOCKED,
    }
    met_by_operators_only = {Rejection.ACCOUNT_EXISTS, Rejection.CHANGED}
    met_by_nobody = {Rejection.LATE, Rejection.UNKNOWN, Rejection.TOO_LATE}
    assert told.keys() | leads_to_the_right_page | met_by_operators_only | met_by_nobody == set(Rejection)
    assert len(set(told.values())) == len(told)
    for notice in told.values():
        _complete(notice)
