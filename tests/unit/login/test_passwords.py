"""Passwords: which new ones are accepted, and which ones match."""

import asyncio
import secrets
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.connection import KafkaConnection
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.login.admin import AdminError, Administration
from services.login.sign_in.password_policy import SHORTEST_PASSWORD, Weakness, find_weakness
from services.login.sign_in.passwords import LONGEST_PASSWORD, HashingThreads, Passwords, hash_password
from services.login.tables import ACCOUNTS
from tests.builders import full_width

NAMES = ("alex.smith@example.org", "Zoë Ångström", "Account Manager")
RIGHT = "correct horse battery"
HASH = hash_password(RIGHT)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "k7gq-mwx2-8fjr",
        "My dog is called Rex",
        "zwölf Boxkämpfer",
        "正確な馬のバッテリーの話です",
        "7392a1847562b1",
        "wet paint, dry humour",
    ],
)
def test_a_good_password_is_accepted(password: str) -> None:
    assert find_weakness(password, NAMES) is None


@pytest.mark.parametrize(
    "password",
    [
        "administrator",
        "password1234",
        "Password2026!",
        "PASSWORDPASSWORD",
        "P@ssw0rd1234",
        "¡¡password!!",
        "$unshine2020",
        "qwertyuiop12",
        "1qaz2wsx3edc",
        "123456123456",
        "1234567890!!",
        "trustno1!!!!!",
        "trustno1trustno1",
        full_width("password1234"),
        "Alexander1984",
        "password" * 100,
    ],
)
def test_a_decorated_common_word_is_rejected(password: str) -> None:
    assert find_weakness(password, NAMES) is Weakness.COMMON


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaa", "1a" * 10, "!!!!!!!!!!!!?", "abcdefghijkl", "ZYXWVUTSRQPO", " " * 20]
)
def test_a_repetitive_password_is_rejected(password: str) -> None:
    assert find_weakness(password, NAMES) is Weakness.REPETITIVE


@pytest.mark.parametrize(
    "password",
    [
        "alex.smith-7gq2",
        "I am Alex-Smith.",
        "xxALEX.SMITH@EXAMPLE.ORGxx",
        "account manager 7",
        "my-AccountManager",
        "zoe\u0308_a\u030angstro\u0308m!",
    ],
)
def test_a_password_with_a_name_is_rejected_in_any_spelling(password: str) -> None:
    assert find_weakness(password, NAMES) is Weakness.NAMED


def test_a_short_name_is_allowed() -> None:
    assert find_weakness("maximal 7 bottles", ("max",)) is None


def test_the_length_has_a_minimum_and_a_maximum() -> None:
    letters = "".join(secrets.choice(string.ascii_letters) for _ in range(LONGEST_PASSWORD + 1))
    assert find_weakness(letters[: SHORTEST_PASSWORD - 1], NAMES) is Weakness.TOO_SHORT
    assert find_weakness(letters[:SHORTEST_PASSWORD], ()) is None
    assert find_weakness(letters[:LONGEST_PASSWORD], ()) is None
    assert find_weakness(letters, ()) is Weakness.TOO_LONG


@given(st.text(min_size=SHORTEST_PASSWORD, max_size=LONGEST_PASSWORD))
def test_any_text_is_judged(password: str) -> None:
    assert find_weakness(password, NAMES) in {None, Weakness.NAMED, Weakness.REPETITIVE, Weakness.COMMON}


@pytest.mark.parametrize("unit", ["12#45", "#", "a1", "password", "@4310"])
def test_checking_a_long_password_takes_linear_time(unit: str) -> None:
    """Quadratic time or memory would make this test time out."""
    for _ in range(50):
        find_weakness((unit * LONGEST_PASSWORD)[:LONGEST_PASSWORD], NAMES)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("hunter2", "at least 12 characters"),
        ("x" * 2000, "at most 1024 characters"),
        ("it is alex.smith", "must not contain"),
        ("Front Door 7 bottles", "must not contain"),
        ("abababababab", "repeats itself"),
        ("password1234", "first that an attacker would try"),
    ],
)
async def test_an_administrators_password_is_checked_before_publishing(
    password: str, reason: str, tmp_path: Path
) -> None:
    nowhere = f"{tmp_path.name}.invalid:9092"
    publisher = Publisher(KafkaConnection(nowhere), "", "test")
    changelog = KafkaChangelog(KafkaConnection(nowhere), ACCOUNTS.changelog.name, publisher)
    administration = Administration(View(changelog, ACCOUNTS.model, tmp_path), publisher)
    with pytest.raises(AdminError, match=reason) as refused:
        await administration.add("alex.smith", password, product_name="Front Door")
    assert password not in str(refused.value)


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
