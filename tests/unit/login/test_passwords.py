"""Passwords: the right one matches, anything else does not, and no account costs as much as a wrong password."""

import asyncio

import pytest

from services.common.kafka.publisher import UnavailableError
from services.login.sign_in.passwords import LONGEST_PASSWORD, HashingThreads, Passwords, hash_password

RIGHT = "correct horse battery"
HASH = hash_password(RIGHT)


async def test_the_right_password_matches_and_no_other() -> None:
    passwords = Passwords(HashingThreads(5))
    assert await passwords.matches(HASH, RIGHT)
    assert not await passwords.matches(HASH, RIGHT + " ")


@pytest.mark.parametrize("typed", ["", "\ud800", "\x00", "x" * (LONGEST_PASSWORD + 1), RIGHT * 100])
async def test_anything_that_may_be_sent_is_a_wrong_password(typed: str) -> None:
    assert not await Passwords(HashingThreads(5)).matches(HASH, typed)


async def test_no_account_has_a_right_password() -> None:
    assert not await Passwords(HashingThreads(5)).matches(None, "the password of no account")


async def test_a_hash_that_is_none_matches_nothing() -> None:
    assert not await Passwords(HashingThreads(5)).matches("$argon2id$1", RIGHT)


async def test_too_many_at_once_are_told_to_try_later() -> None:
    passwords = Passwords(HashingThreads(1))
    first, second = await asyncio.gather(*[passwords.matches(HASH, RIGHT) for _ in range(2)], return_exceptions=True)
    assert first is True
    assert isinstance(second, UnavailableError)
