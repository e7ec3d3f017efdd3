"""Passwords: which new ones are accepted, and which ones match."""

import asyncio
import secrets
import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.connection import KafkaConnection
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.keys.key_files import KeyRing
from services.common.keys.peppers import PEPPER, Pepper
from services.common.rows.view import View
from services.login.admin import AdminError, Administration
from services.login.directory import Directory
from services.login.sign_in.password_policy import (
    SHORTEST_PASSWORD,
    PasswordPolicy,
    Weakness,
    find_weakness,
)
from services.login.sign_in.passwords import (
    LONGEST_PASSWORD,
    MOST_OF_A_NETWORK,
    HashingThreads,
    HashingTurn,
    Passwords,
    hash_password,
    prepare_password,
)
from services.login.tables import ACCOUNTS
from services.login.tables import NAMES as NAMES_TABLE
from tests.builders import full_width

NAMES = ("alex.smith@example.org", "Zoë Ångström", "Account Manager")
TURN = HashingTurn("192.0.2.7")
RIGHT = "correct horse battery"
OLD, NEW = Pepper("old", b"o" * 32), Pepper("new", b"n" * 32)
PEPPERS = KeyRing(lambda: (NEW, OLD), PEPPER.id_of)
HASH = hash_password(RIGHT, NEW)


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
    assert find_weakness(password, NAMES) in {None, *Weakness} - {Weakness.TOO_LONG}


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
    names, accounts = (
        KafkaChangelog(KafkaConnection(nowhere), table.changelog.name, publisher) for table in (NAMES_TABLE, ACCOUNTS)
    )
    found = Directory(b"key", View(names, NAMES_TABLE.model, tmp_path), View(accounts, ACCOUNTS.model, tmp_path))
    administration = Administration(
        View(accounts, ACCOUNTS.model, tmp_path), View(names, NAMES_TABLE.model, tmp_path), found, NEW, publisher
    )
    with pytest.raises(AdminError, match=reason) as refused:
        await administration.add("alex.smith", password, policy=PasswordPolicy("Front Door"))
    assert password not in str(refused.value)


async def test_only_the_right_password_matches() -> None:
    passwords = Passwords(HashingThreads(5), PEPPERS)
    assert await passwords.matches(TURN, HASH, RIGHT)
    assert not await passwords.matches(TURN, HASH, RIGHT + " ")


@pytest.mark.parametrize("typed", ["", "\ud800", "\x00", "x" * (LONGEST_PASSWORD + 1), RIGHT * 100])
async def test_any_other_text_is_a_wrong_password(typed: str) -> None:
    assert not await Passwords(HashingThreads(5), PEPPERS).matches(TURN, HASH, typed)


async def test_no_password_matches_without_an_account() -> None:
    assert not await Passwords(HashingThreads(5), PEPPERS).matches(TURN, None, "the password of no account")


async def test_a_malformed_hash_matches_nothing() -> None:
    assert not await Passwords(HashingThreads(5), PEPPERS).matches(TURN, "$argon2id$1", RIGHT)


async def test_too_many_checks_at_once_are_unavailable() -> None:
    passwords = Passwords(HashingThreads(1), PEPPERS)
    checks = [passwords.matches(TURN, HASH, RIGHT) for _ in range(MOST_OF_A_NETWORK + 3)]
    answers = await asyncio.gather(*checks, return_exceptions=True)
    assert sum(isinstance(each, UnavailableError) for each in answers) >= 2
    assert answers[0] is answers[-1] is True


@given(st.text(min_size=1, max_size=20))
def test_a_password_is_the_same_however_a_system_composes_it(text: str) -> None:
    """RFC 8265 section 4.2: OpaqueString. What it disallows is disallowed in each form."""
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert prepare_password(composed) == prepare_password(decomposed)
    prepared = prepare_password(text)
    assert prepared is None or prepare_password(prepared) == prepared


@pytest.mark.parametrize("typed", ["zw\u00f6lf Boxen", "zwo\u0308lf Boxen", "zw\u00f6lf\u3000Boxen"])
async def test_a_password_with_accents_matches_in_each_form(typed: str) -> None:
    password_hash = hash_password("zw\u00f6lf Boxen", NEW)
    assert await Passwords(HashingThreads(5), PEPPERS).matches(TURN, password_hash, typed)


@pytest.mark.parametrize("character", ["\t", "\x00", "\u200b", "\u202e", "\ufeff", "\ud800", "\x7f"])
def test_a_new_password_has_no_control_or_invisible_character(character: str) -> None:
    assert find_weakness(f"correct horse{character} battery", NAMES) is Weakness.UNTYPEABLE


async def test_a_hash_opens_with_its_own_pepper_alone() -> None:
    stolen = KeyRing(lambda: (Pepper("new", b"x" * 32),), PEPPER.id_of)
    assert not await Passwords(HashingThreads(5), stolen).matches(TURN, HASH, RIGHT)


async def test_a_hash_of_an_older_pepper_matches_and_is_renewed() -> None:
    passwords, older = Passwords(HashingThreads(5), PEPPERS), hash_password(RIGHT, OLD)
    assert await passwords.matches(TURN, older, RIGHT)
    renewed = await passwords.renewed(TURN, older, RIGHT)
    assert renewed is not None
    assert renewed.startswith("new$argon2id$")
    assert await passwords.matches(TURN, renewed, RIGHT)
    assert await passwords.renewed(TURN, renewed, RIGHT) is None


async def test_a_hash_of_a_retired_pepper_matches_nothing() -> None:
    retired = hash_password(RIGHT, Pepper("gone", b"g" * 32))
    assert not await Passwords(HashingThreads(5), PEPPERS).matches(TURN, retired, RIGHT)
