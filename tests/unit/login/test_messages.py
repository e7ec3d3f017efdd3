"""Users' texts: every case has one, and it fits."""

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
from tests.builders import present

NAMES = page_messages.Names("Front Desk", "Pocket Key")
NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def _complete(notice: page_messages.PageMessage) -> None:
    assert notice.title
    assert not notice.title.endswith(".")
    assert notice.text.endswith(".")
    assert "{" not in notice.title + notice.text


@pytest.mark.parametrize("kind", LoginKind)
@pytest.mark.parametrize("reason", EndReason)
def test_every_end_reason_has_its_own_text(reason: EndReason, kind: LoginKind) -> None:
    notice = page_messages.ended(reason, kind, NAMES)
    _complete(notice)
    others = {page_messages.ended(other, kind, NAMES).text for other in EndReason if other is not reason}
    assert notice.text not in others


@pytest.mark.parametrize("failure", PairingFailure)
def test_every_pairing_failure_has_its_own_text(failure: PairingFailure) -> None:
    notice = page_messages.pairing_failed(failure, NAMES)
    _complete(notice)
    others = {page_messages.pairing_failed(other, NAMES).text for other in PairingFailure if other is not failure}
    assert notice.text not in others


@pytest.mark.parametrize("reason", EndReason)
@pytest.mark.parametrize("kind", [LoginKind.CONFIRM, LoginKind.ADD_PHONE])
def test_a_signed_in_person_is_not_asked_to_sign_in(reason: EndReason, kind: LoginKind) -> None:
    signed_out = reason in {EndReason.REPORTED, EndReason.REPORTED_ELSEWHERE}
    assert signed_out or "sign in" not in page_messages.ended(reason, kind, NAMES).text.casefold()


def test_a_pairing_without_a_failure_was_not_answered() -> None:
    assert page_messages.pairing_failed(None, NAMES) == page_messages.pairing_failed(PairingFailure.NOT_ANSWERED, NAMES)


def test_texts_use_the_configured_product_names() -> None:
    assert "Pocket Key" in page_messages.pairing_failed(PairingFailure.EXPIRED_PHRASE, NAMES).text
    assert "Front Desk" in page_messages.error(503, NAMES).text


@pytest.mark.parametrize("status", [403, 404, 405, 413, 429, 500, 503])
def test_every_error_page_has_its_own_text(status: int) -> None:
    notice = page_messages.error(status, NAMES)
    _complete(notice)
    assert (notice == page_messages.error(500, NAMES)) is (status == 500)


def test_an_unknown_error_has_the_general_text() -> None:
    assert page_messages.error(418, NAMES) == page_messages.error(500, NAMES)


@pytest.mark.parametrize("what", HistoryKind)
def test_every_history_kind_has_a_text(what: HistoryKind) -> None:
    browser = Browser(name="Firefox on Linux", address="203.0.113.7")
    line = history_line(HistoryEntry(what=what, at=NOW, browser=browser, device_name="Pixel"))
    assert line.text
    assert "{" not in line.text
    assert astuple(line)[1:] == ("2026-02-03T04:05:06+00:00", "Firefox on Linux, 203.0.113.7")


def test_a_history_line_names_the_phone_if_known() -> None:
    assert "Pixel" in history_line(HistoryEntry(what=HistoryKind.SIGNED_IN, at=NOW, device_name="Pixel")).text
    assert "the phone" in history_line(HistoryEntry(what=HistoryKind.SIGNED_IN, at=NOW)).text


def test_a_history_line_without_a_browser_has_no_place() -> None:
    assert history_line(HistoryEntry(what=HistoryKind.ACCOUNT_CREATED, at=NOW)).where == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 second"),
        (30, "30 seconds"),
        (59.1, "1 minute"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (900, "15 minutes"),
    ],
)
def test_a_pause_is_rounded_up(seconds: float, text: str) -> None:
    for notice in (
        page_messages.locked(NOW + timedelta(seconds=seconds), NOW),
        page_messages.pairing_paused(NOW + timedelta(seconds=seconds), NOW),
    ):
        _complete(notice)
        assert f"in {text}." in notice.text
        assert seconds <= notice.wait_seconds < seconds + 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("otre",), "“otre” is not a word of any phrase."),
        (("otre", "lmap"), "“otre” and “lmap” are not words of any phrase."),
        (("a", "b", "c", "d"), "“a”, “b” and “c” are not words of any phrase."),
        (("x" * 5000,), f"“{'x' * 23}…” is not a word of any phrase."),
    ],
)
def test_unknown_words_are_shown_shortened(words: tuple[str, ...], text: str) -> None:
    notice = page_messages.unknown_words(words)
    _complete(notice)
    assert text in notice.text


@pytest.mark.parametrize(("count", "text"), [(0, "no words"), (1, "one word."), (3, "3 words")])
def test_a_wrong_number_of_words_is_shown(count: int, text: str) -> None:
    notice = page_messages.wrong_word_count(count)
    _complete(notice)
    assert text in notice.text


CODE_REFUSALS = (Rejection.WRONG_CODE, Rejection.USED_CODE, Rejection.CODES_PAUSED, Rejection.CODES_CLOSED)
CHANGE_REFUSALS = (
    Rejection.NOT_CONFIRMED,
    Rejection.PASSWORD_CHANGE_DUE,
    Rejection.LAST_METHOD,
    Rejection.TOO_MANY_METHODS,
    Rejection.UNKNOWN_METHOD,
)


def _code_refused(refusal: Rejection, later: datetime) -> page_messages.PageMessage:
    return present(page_messages.code_rejected(refusal, later, NOW))


def test_every_rejection_that_a_person_sees_has_a_notice() -> None:
    later = NOW + timedelta(seconds=30)
    shown = {
        Rejection.UNKNOWN_ACCOUNT: page_messages.wrong_password(),
        Rejection.PASSWORD_CHANGED: page_messages.password_changed(),
        Rejection.LOCKED: page_messages.locked(later, NOW),
        Rejection.TOO_MANY_SIGN_INS: page_messages.too_many_sign_ins(later, NOW),
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
    seen_by_operators_only = {Rejection.NAME_TAKEN, Rejection.CHANGED}
    never_seen = {Rejection.CLOSED, Rejection.LATE, Rejection.UNKNOWN, Rejection.TOO_LATE}
    assert shown.keys() | leads_to_the_right_page | seen_by_operators_only | never_seen == set(Rejection)
    assert len(set(shown.values())) == len(shown)
    for notice in shown.values():
        _complete(notice)
