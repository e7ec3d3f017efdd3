"""Recovery codes: random, easy to type, stored as salted hashes."""

import asyncio
import re

import pytest

from protocol.encoding import decode_base64url
from protocol.typed_codes import CROCKFORD, read_code
from services.common.kafka.publisher import UnavailableError
from services.common.keys.key_files import KeyRing
from services.common.keys.peppers import PEPPER, Pepper
from services.login.codes.recovery_codes import CHARACTERS, CODES, RecoveryCodes, RecoveryCodeSet
from services.login.sign_in.passwords import MOST_OF_A_NETWORK, HashingThreads, HashingTurn
from tests.builders import full_width

PEPPERS = KeyRing(lambda: (Pepper("k1", b"p" * 32),), PEPPER.id_of)
TURN = HashingTurn("192.0.2.7")


@pytest.fixture(scope="module")
def drawn() -> RecoveryCodeSet:
    return asyncio.run(RecoveryCodes(HashingThreads(10), PEPPERS).make(TURN))


def _codes() -> RecoveryCodes:
    return RecoveryCodes(HashingThreads(10), PEPPERS)


def test_ten_different_codes_have_two_groups_without_lookalikes(drawn: RecoveryCodeSet) -> None:
    assert len(set(drawn.codes)) == CODES == 10
    for code in drawn.codes:
        assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", code)


def test_codes_use_the_whole_alphabet() -> None:
    """Ten characters of 32 are 50 bits; fewer than 32 would be less."""
    sets = [asyncio.run(_codes().make(TURN)) for _ in range(4)]
    assert len(set("".join(code for each in sets for code in each.codes)) - {"-"}) == 32


def test_codes_are_stored_as_different_hashes_of_32_bytes(drawn: RecoveryCodeSet) -> None:
    assert len(set(drawn.digests)) == CODES
    assert {len(decode_base64url(each)) for each in drawn.digests} == {32}
    assert len(decode_base64url(drawn.salt)) == 16
    assert not any(code in repr(drawn) for code in drawn.codes)


async def test_a_code_matches_only_in_its_own_set(drawn: RecoveryCodeSet) -> None:
    codes = _codes()
    other = await codes.make(TURN)
    assert await codes.digest(TURN, drawn.codes[3], drawn.salt, drawn.pepper_id) == drawn.digests[3]
    assert await codes.digest(TURN, drawn.codes[3], other.salt, other.pepper_id) not in {*drawn.digests, *other.digests}
    assert await codes.digest(TURN, "00000-00000", drawn.salt, drawn.pepper_id) not in drawn.digests


@pytest.mark.parametrize(
    "typed",
    [
        "AB01C-DE10F",
        "ab01c-de10f",
        " ab01c de10f\n",
        "ABOIC-DELOF",
        "aboic\u2013delof",
        "a b 0 l c d e 1 0 f",
        full_width("AB01CDE10F"),
    ],
)
def test_spelling_variants_of_a_code_are_accepted(typed: str) -> None:
    assert read_code(typed, CHARACTERS, CROCKFORD) == "AB01CDE10F"


@pytest.mark.parametrize("typed", ["", "AB01C", "AB01C-DE10", "AB01C-DE10FF", "AB01C-DEU0F", "é" * 10, "A" * 10_000])
async def test_a_malformed_code_is_not_hashed(typed: str) -> None:
    """The salt is none; to hash under it would fail."""
    assert await _codes().digest(TURN, typed, "no salt", PEPPERS.active.key_id) is None


async def test_too_many_checks_at_once_are_unavailable(drawn: RecoveryCodeSet) -> None:
    codes = RecoveryCodes(HashingThreads(2), PEPPERS)
    asked = [codes.digest(TURN, drawn.codes[0], drawn.salt, drawn.pepper_id) for _ in range(MOST_OF_A_NETWORK + 4)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers.count(drawn.digests[0]) >= 3
    assert sum(isinstance(each, UnavailableError) for each in answers) >= 2
    assert await codes.digest(TURN, drawn.codes[0], drawn.salt, drawn.pepper_id) == drawn.digests[0]
