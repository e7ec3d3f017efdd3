"""Passwords: hashed and checked off the event loop, never more at once than there are cores for.

Argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB of memory, 2 iterations, 1 lane.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.common.publisher import UnavailableError

MEMORY_KIBIBYTES: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
LONGEST_PASSWORD: Final = 1024
_hasher: Final = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES, type=Type.ID)


def hash_password(password: str) -> str:
    """Return a password's Argon2id hash, PHC string format. Takes some 20 ms of CPU."""
    return _hasher.hash(password)


class Passwords:
    """Checks passwords for one instance."""

    def __init__(self, most_waiting: int) -> None:
        """Prepare it.

        Args:
            most_waiting: How many may wait for their turn; more are refused.

        """
        self._threads = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="argon2")
        self._waiting = 0
        self._most_waiting = most_waiting
        self._nobody = hash_password("the password of nobody")

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Check a password.

        Args:
            password_hash: The account's hash, or None: for no account it takes as long and is never right.
            password: What was typed.

        Raises:
            UnavailableError: If too many wait.

        """
        if self._waiting >= self._most_waiting:
            raise UnavailableError
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._threads, _verify, password_hash or self._nobody, password)
        finally:
            self._waiting -= 1
        return right and password_hash is not None


def _verify(password_hash: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
