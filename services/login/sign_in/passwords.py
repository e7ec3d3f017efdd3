"""Password hashes: Argon2id.

The parameters are those of OWASP's Password Storage Cheat Sheet: 19 MiB of memory, 2 iterations, 1 lane. Hashing runs
in threads, off the event loop, at most one call per core. Recovery codes use the same threads.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.common.kafka.publisher import UnavailableError

MEMORY_KIBIBYTES: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
LONGEST_PASSWORD: Final = 1024
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_hasher: Final = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES, type=Type.ID)


class HashingThreads:
    """The threads of one instance that hash."""

    def __init__(self, most_waiting: int) -> None:
        """Start no thread yet.

        Args:
            most_waiting: How many calls may run or wait; further calls are refused.

        """
        self._threads = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="argon2")
        self._waiting = 0
        self._most_waiting = most_waiting

    async def run(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call a function in one of the threads.

        Raises:
            UnavailableError: If too many calls wait.

        """
        if self._waiting >= self._most_waiting:
            raise UnavailableError
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))
        finally:
            self._waiting -= 1


class Passwords:
    """Checks passwords for one instance."""

    def __init__(self, threads: HashingThreads) -> None:
        self._threads = threads
        self._decoy_hash = hash_password("the password of no account")

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Check a password against a hash in PHC string format.

        Without a hash, for a name that no account has, the check takes as long and never succeeds.

        Raises:
            UnavailableError: If too many calls wait.

        """
        right = await self._threads.run(_verify, password_hash or self._decoy_hash, password)
        return right and password_hash is not None

    async def hash(self, password: str) -> str:
        """Return a password's hash, PHC string format.

        Raises:
            UnavailableError: If too many calls wait.

        """
        return await self._threads.run(hash_password, password)


def hash_password(password: str) -> str:
    """Return a password's Argon2id hash, PHC string format. It takes some 20 ms of CPU."""
    return _hasher.hash(password)


def _verify(password_hash: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # a lone surrogate is not text
        return False
