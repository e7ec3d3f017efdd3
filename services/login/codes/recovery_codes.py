"""Recovery codes, for a person without a phone: shown once, stored as salted hashes, each good for one use.

A code is ten characters of Crockford's base32, 50 random bits. The codes of a set share a salt, so a check of a typed
code takes one hash and not ten. Each set has its own salt, so hashes cannot be computed in advance. They are keyed, as
passwords are (`services.common.keys.peppers`).
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

from argon2.low_level import Type, hash_secret_raw

from protocol.encoding import decode_base64url, encode_base64url
from protocol.typed_codes import CROCKFORD, read_code
from services.common.keys.peppers import Pepper, Peppers
from services.login.codes.drawn_codes import draw_code, grouped
from services.login.sign_in.passwords import ITERATIONS, LANES, MEMORY_KIBIBYTES, HashingThreads, HashingTurn

CODES: Final = 10
CHARACTERS: Final = 10
"""Characters of a code, without the hyphen; 5 bits each."""
SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class RecoveryCodeSet:
    """Ten new codes.

    Attributes:
        codes: The codes, XXXXX-XXXXX, to be shown once and stored nowhere.
        salt: The set's salt: 16 bytes, base64url, 22 characters.
        pepper_id: The id of the pepper of the hashes.
        digests: Argon2id of each code under salt and pepper, in the codes' order: 32 bytes, base64url, 43 characters.

    """

    codes: tuple[str, ...] = field(repr=False)
    salt: str
    pepper_id: str
    digests: tuple[str, ...]


class RecoveryCodes:
    """Makes and hashes recovery codes for one instance."""

    def __init__(self, threads: HashingThreads, peppers: Peppers) -> None:
        self._threads = threads
        self._peppers = peppers

    async def make(self, turn: HashingTurn) -> RecoveryCodeSet:
        """Draw a new set. Ten hashes take some 200 ms of CPU.

        Raises:
            UnavailableError: If too many calls wait.

        """
        return await self._threads.run(turn, _make, self._peppers.active)

    async def digest(self, turn: HashingTurn, typed: str, salt: str, pepper_id: str) -> str | None:
        """Return a typed code's digest under a set's salt and pepper: 32 bytes, base64url, 43 characters.

        None means that the text cannot be a code, or that the pepper was retired.

        Raises:
            UnavailableError: If too many calls wait.

        """
        code = read_code(typed, CHARACTERS, CROCKFORD)
        pepper = None if code is None else self._peppers.find(pepper_id)
        return None if code is None or pepper is None else await self._threads.run(turn, _digest, code, salt, pepper)


def _make(pepper: Pepper) -> RecoveryCodeSet:
    drawn = [draw_code(CHARACTERS) for _ in range(CODES)]
    salt = encode_base64url(secrets.token_bytes(SALT_BYTES))
    return RecoveryCodeSet(
        codes=tuple(grouped(code, CHARACTERS // 2) for code in drawn),
        salt=salt,
        pepper_id=pepper.key_id,
        digests=tuple(_digest(code, salt, pepper) for code in drawn),
    )


def _digest(code: str, salt: str, pepper: Pepper) -> str:
    hashed = hash_secret_raw(
        pepper.apply(code),
        decode_base64url(salt),
        time_cost=ITERATIONS,
        memory_cost=MEMORY_KIBIBYTES,
        parallelism=LANES,
        hash_len=_DIGEST_BYTES,
        type=Type.ID,
    )
    return encode_base64url(hashed)
