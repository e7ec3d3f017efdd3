"""The right password matches; a missing account takes as long as a wrong password."""

import asyncio

import pytest

from services.common.kafka.publisher import UnavailableError
from services.login.sign_in.passwords import LONGEST_PASSWORD, HashingThreads, Passwords, hash_password

RIGHT = "correct horse battery"
HASH = hash_password(RIGHT)


async def test_only_the_right_password_matches() -> None:
    passwords = Passwords(HashingThreads(5))
    assert await passwords.matches(HASH, RIGHT)
    assert not await passwords.matches(HASH, RIGHT + " ")


@pytest.mark.parametrize("typed", ["", "\ud800", "\x00", "x" * (LONGEST_PASSWORD + 1), RIGHT * 100])
async def test_any_other_text_is_a_wrong_password(typed: str) -> None:
    assert not await Passwords(HashingThreads(5)).matches(HASH, typed)


async def test_no_password_matches_without_an_account() -> None:
    assert not await Passwords(HashingThreads(5)).matches(None, "the password of no account")


async def test_a_malformed_hash_matches_nothing() -> None:
    assert not await Passwords(HashingThreads(5)).matches("$argon2id$1", RIGHT)


async def test_too_many_checks_at_once_are_unavailable() -> None:
    passwords = Passwords(HashingThreads(1))
    first, second = await asyncio.gather(*[passwords.matches(HASH, RIGHT) for _ in range(2)], return_exceptions=True)
    assert first is True
    assert isinstance(second, UnavailableError)
