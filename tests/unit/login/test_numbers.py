"""Number matching: an approval counts only with the number in the browser, which the phone is never sent."""

import hmac
from collections import Counter

import pytest

from protocol.challenges import HIGHEST_NUMBER, LOWEST_NUMBER, verify_challenge
from schemas.contract import Verdict
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from tests.builders import NUMBER_KEY, after, number_of, policy
from tests.events import a_response, without_number
from tests.messages import a_sign_in
from tests.unit.login.owner import Owner, asked, same

ALL = set(range(LOWEST_NUMBER, HIGHEST_NUMBER + 1))


def _shown(challenge: str) -> int:
    """Return the number that the browser shows."""
    return number_of(verify_challenge(challenge)[0].jti)


def _another(challenge: str) -> int:
    return min(ALL - {_shown(challenge)})


def test_a_challenge_says_that_an_approval_needs_the_number() -> None:
    owner, challenge = asked()
    assert verify_challenge(challenge)[0].number_matching
    sent = owner.login().challenge
    assert sent is not None
    assert sent.number_matching


def test_the_number_that_the_browser_shows_approves() -> None:
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


def test_a_wrong_number_ends_the_login_counts_as_a_refusal_and_is_told() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, number=_another(challenge), at=after(5)))
    assert owner.login().state is LoginState.ENDED
    assert (owner.account.push.denials.failures, owner.account.push.denials.last_failure_at) == (1, after(5))
    assert owner.told()[-1] is HistoryKind.WRONG_NUMBER


def test_an_approval_without_a_number_denies() -> None:
    owner, challenge = asked()
    owner.take(without_number(challenge))
    assert owner.login().end_reason is EndReason.WRONG_NUMBER
    assert owner.account.sessions == ()


def test_after_a_wrong_number_the_right_one_is_too_late() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, number=_another(challenge)))
    assert owner.take(a_response(challenge)).outcome == Rejection.LATE
    assert owner.account.sessions == ()


def test_the_number_of_another_request_denies() -> None:
    owner, first = asked()
    owner.take(a_response(first))
    other = next(name for name in map(str, range(9)) if number_of(name) != _shown(first))
    second = owner.challenge(a_sign_in(other, after(1)))
    owner.take(a_response(second, number=_shown(first), at=after(2)))
    assert owner.login(other).end_reason is EndReason.WRONG_NUMBER


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.REPORT])
def test_to_refuse_needs_no_number_and_a_wrong_one_does_not_matter(verdict: Verdict) -> None:
    for number in (None, 10, 99):
        owner, challenge = asked()
        assert owner.take(a_response(challenge, verdict, number=number)).outcome == OK
        assert owner.login().end_reason in {EndReason.DENIED, EndReason.REPORTED}


def test_neither_challenge_nor_row_depends_on_the_number() -> None:
    """Whatever the number is, they are the same to the byte: so they cannot hold it."""
    numbers = set()
    for key in (b"one key", b"another key"):
        numbers.add(policy(number_key=key).signer.number_of("login-1"))
        owner, other = Owner(), Owner(number_key=key)
        assert other.challenge(a_sign_in()) == owner.challenge(a_sign_in())
        assert same(other.account, owner.account)
    assert len(numbers) == 2


def test_numbers_have_two_digits_and_each_is_as_likely() -> None:
    drawn = Counter(number_of(f"challenge-{count}") for count in range(9000))
    assert drawn.keys() == ALL
    assert max(drawn.values()) < 3 * min(drawn.values())


def test_a_number_follows_from_the_key_and_the_challenge_alone() -> None:
    assert number_of("challenge-1") == number_of("challenge-1")
    assert len({number_of(f"challenge-{count}") for count in range(20)}) > 10
    assert len({policy(number_key=str(count).encode()).signer.number_of("challenge-1") for count in range(20)}) > 10


def test_where_numbers_are_switched_off_an_approval_needs_none() -> None:
    owner, challenge = asked(number_matching=False)
    assert not verify_challenge(challenge)[0].number_matching
    assert owner.take(without_number(challenge)).outcome == OK
    assert owner.login().state is LoginState.APPROVED


def test_a_request_keeps_asking_for_the_number_when_the_setting_is_switched_off_meanwhile() -> None:
    owner, challenge = asked()
    later = Owner(owner.account, number_matching=False)
    later.take(a_response(challenge, number=_another(challenge)))
    assert later.login().end_reason is EndReason.WRONG_NUMBER


def test_a_number_is_made_of_the_hmac_of_its_challenges_id() -> None:
    """So instances of two releases show and take the same one."""
    tag = hmac.digest(NUMBER_KEY, b"countersign number\x00challenge-1", "sha256")
    assert number_of("challenge-1") == LOWEST_NUMBER + int.from_bytes(tag[:8], "big") % len(ALL)
