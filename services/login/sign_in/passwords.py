"""Password hashes: Argon2id.

The parameters are those of OWASP's Password Storage Cheat Sheet: 19 MiB of memory, 2 iterations, 1 lane. Hashing runs
in threads, off the event loop, at most one call per core. Recovery codes use the same threads. Hashes are keyed
(`services.common.keys.peppers`): HMAC-SHA256 of the prepared password is what Argon2id hashes.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from precis_i18n import get_profile

from services.common.kafka.publisher import UnavailableError
from services.common.keys.peppers import Pepper, Peppers

MEMORY_KIBIBYTES: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
LONGEST_PASSWORD: Final = 1024
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_PROFILE: Final = get_profile("OpaqueString")
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

    def __init__(self, threads: HashingThreads, peppers: Peppers) -> None:
        self._threads = threads
        self._peppers = peppers
        self._decoy_hash = hash_password("the password of no account", peppers.active)

    async def matches(self, password_hash: str | None, typed: str) -> bool:
        """Check a typed password against a hash.

        Without a hash, for a name that no account has, the check takes as long and never succeeds.

        Raises:
            UnavailableError: If too many calls wait.

        """
        pepper_id, _, _ = (password_hash or self._decoy_hash).partition("$")
        pepper = self._peppers.find(pepper_id)
        checked = self._decoy_hash if password_hash is None or pepper is None else password_hash
        right = await self._threads.run(_verify, checked, typed, pepper or self._peppers.active)
        return right and checked == password_hash

    async def hash(self, typed: str) -> str:
        """Return a new password's hash; see `hash_password`.

        Raises:
            UnavailableError: If too many calls wait.

        """
        return await self._threads.run(hash_password, typed, self._peppers.active)

    async def renewed(self, password_hash: str, typed: str) -> str | None:
        """Return the hash of a password that matched, under the active pepper; None if its hash is under that already.

        Raises:
            UnavailableError: If too many calls wait.

        """
        return None if password_hash.startswith(f"{self._peppers.active.key_id}$") else await self.hash(typed)


def prepare_password(typed: str) -> str | None:
    """Return a typed password, prepared by OpaqueString (RFC 8265 section 4.2), the same however a system composes it.

    The result is None if the text is no password: it is empty or too long, or holds control or invisible characters.
    """
    if len(typed) > LONGEST_PASSWORD:
        return None
    try:
        prepared: str = _PROFILE.enforce(typed)
    except UnicodeEncodeError:
        return None
    return prepared


def hash_password(typed: str, pepper: Pepper) -> str:
    """Return a new password's hash: the id of its pepper, then Argon2id in PHC string format. It takes 20 ms of CPU.

    Raises:
        ValueError: If the text is no password, which `password_policy.find_weakness` tells.

    """
    password = prepare_password(typed)
    if password is None:
        reason = "not a password"
        raise ValueError(reason)
    return pepper.key_id + _hasher.hash(pepper.apply(password))


def _verify(password_hash: str, typed: str, pepper: Pepper) -> bool:
    password = prepare_password(typed)
    try:
        right = _hasher.verify(password_hash.removeprefix(pepper.key_id), pepper.apply(password or ""))
    except (VerificationError, InvalidHashError):
        return False
    return right and password is not None
