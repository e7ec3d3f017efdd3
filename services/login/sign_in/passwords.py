"""Passwords: hashed and checked with Argon2id (services/login/sign_in/hashing.py has its parameters)."""

from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.login.sign_in.hashing import ITERATIONS, LANES, MEMORY_KIBIBYTES, HashingThreads

LONGEST_PASSWORD: Final = 1024
_hasher: Final = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES, type=Type.ID)


def hash_password(password: str) -> str:
    """Return a password's Argon2id hash, PHC string format. Takes some 20 ms of CPU."""
    return _hasher.hash(password)


class Passwords:
    """Checks passwords for one instance."""

    def __init__(self, threads: HashingThreads) -> None:
        self._threads = threads
        self._nobody = hash_password("the password of nobody")

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Check a password.

        Args:
            password_hash: The account's hash, or None: for no account it takes as long and is never right.
            password: What was typed.

        Raises:
            UnavailableError: If too many wait.

        """
        right = await self._threads.run(_verify, password_hash or self._nobody, password)
        return right and password_hash is not None

    async def hash(self, password: str) -> str:
        """Return a password's hash, PHC string format.

        Raises:
            UnavailableError: If too many wait.

        """
        return await self._threads.run(hash_password, password)


def _verify(password_hash: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # a lone surrogate is no text
        return False
