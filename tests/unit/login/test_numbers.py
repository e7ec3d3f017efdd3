"""Number matching: an approval needs the browser's number, which is never sent to the phone."""

import hmac
from collections import Counter

import pytest

from protocol.challenges import HIGHEST_NUMBER, LOWEST_NUMBER, verify_challenge
from schemas.contract import Verdict
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from tests.builders import NUMBER_KEY, after, number_of, policy, present
from tests.events import a_response, without_number
from tests.messages import a_sign_in
from tests.unit.login.owner import Owner, asked, same

ALL = set(range(LOWEST_NUMBER, HIGHEST_NUMBER + 1))


def _shown(challenge: str) -> int:
    """Return the number that the browser shows."""
    return number_of(verify_challenge(challenge)[0].jti)


def _another(challenge: str) -> int:
    return min(ALL - {_shown(challenge)})


def test_a_challenge_requires_number_matching() -> None:
    owner, challenge = asked()
    assert verify_challenge(challenge)[0].number_matching
    sent = present(owner.login().challenge)
    assert sent.number_matching


def test_the_shown_number_approves() -> None:
    owner, challenge = asked()
    assert owner.take(a_response(challenge, number=_shown(challenge))).outcome == OK
    assert owner.login().state is LoginState.APPROVED


def test_every_other_number_denies() -> None:
    for number in ALL:
        owner, challenge = asked()
        owner.take(a_response(challenge, number=number))
        right = number == _shown(challenge)
        assert bool(owner.account.sessions) is right
        assert owner.login().end_reason is (None if right else EndReason.WRONG_NUMBER)


def test_a_wrong_number_ends_the_login_and_counts_as_a_denial() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, number=_another(challenge), at=after(5)))
    assert owner.login().state is LoginState.ENDED
    assert (owner.account.push.denials.failures, owner.account.push.denials.counted_from) == (1, after(5))
    assert owner.history()[-1] is HistoryKind.WRONG_NUMBER


def test_an_approval_without_a_number_denies() -> None:
    owner, challenge = asked()
    owner.take(without_number(challenge))
    assert owner.login().end_reason is EndReason.WRONG_NUMBER
    assert owner.account.sessions == ()


def test_the_right_number_after_a_wrong_one_is_late() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, number=_another(challenge)))
    assert owner.take(a_response(challenge)).outcome == Rejection.LATE
    assert owner.account.sessions == ()


def test_the_number_of_another_challenge_denies() -> None:
    owner, first = asked()
    owner.take(a_response(first))
    other = next(name for name in map(str, range(9)) if number_of(name) != _shown(first))
    second = owner.challenge(a_sign_in(other, after(1)))
    owner.take(a_response(second, number=_shown(first), at=after(2)))
    assert owner.login(other).end_reason is EndReason.WRONG_NUMBER


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.REPORT])
def test_a_denial_or_report_needs_no_number(verdict: Verdict) -> None:
    for number in (None, 10, 99):
        owner, challenge = asked()
        assert owner.take(a_response(challenge, verdict, number=number)).outcome == OK
        assert owner.login().end_reason in {EndReason.DENIED, EndReason.REPORTED}


def test_neither_challenge_nor_row_depends_on_the_number() -> None:
    """Both are the same for different numbers, so they cannot contain it."""
    numbers = set()
    for key in (b"one key", b"another key"):
        numbers.add(policy(number_key=key).signer.number_of("login-1"))
        owner, other = Owner(), Owner(number_key=key)
        assert other.challenge(a_sign_in()) == owner.challenge(a_sign_in())
        assert same(other.account, owner.account)
    assert len(numbers) == 2


def test_numbers_have_two_digits_and_are_equally_likely() -> None:
    drawn = Counter(number_of(f"challenge-{count}") for count in range(9000))
    assert drawn.keys() == ALL
    assert max(drawn.values()) < 3 * min(drawn.values())


def test_a_number_depends_only_on_key_and_challenge() -> None:
    assert number_of("challenge-1") == number_of("challenge-1")
    assert len({number_of(f"challenge-{count}") for count in range(20)}) > 10
    assert len({policy(number_key=str(count).encode()).signer.number_of("challenge-1") for count in range(20)}) > 10


def test_an_approval_needs_no_number_without_number_matching() -> None:
    owner, challenge = asked(number_matching=False)
    assert not verify_challenge(challenge)[0].number_matching
    assert owner.take(without_number(challenge)).outcome == OK
    assert owner.login().state is LoginState.APPROVED


def test_an_open_challenge_keeps_number_matching_when_the_setting_changes() -> None:
    owner, challenge = asked()
    later = Owner(owner.account, number_matching=False)
    later.take(a_response(challenge, number=_another(challenge)))
    assert later.login().end_reason is EndReason.WRONG_NUMBER


def test_a_number_is_derived_from_the_hmac_of_its_challenge_id() -> None:
    """So instances of two releases use the same number."""
    tag = hmac.digest(NUMBER_KEY, b"countersign number\x00challenge-1", "sha256")
    assert number_of("challenge-1") == LOWEST_NUMBER + int.from_bytes(tag[:8], "big") % len(ALL)
