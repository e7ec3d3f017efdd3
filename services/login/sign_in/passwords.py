"""Password hashes: Argon2id.

The parameters are those of OWASP's Password Storage Cheat Sheet: 19 MiB of memory, 2 iterations, 1 lane. Hashing runs
in threads, off the event loop, at most one call per core. Recovery codes use the same threads. Hashes are keyed
(`services.common.keys.peppers`): HMAC-SHA256 of the prepared password is what Argon2id hashes.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from precis_i18n import get_profile

from services.common.fair_places import FairPlaces
from services.common.kafka.publisher import UnavailableError
from services.common.keys.peppers import Pepper, Peppers

MEMORY_KIBIBYTES: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
LONGEST_PASSWORD: Final = 1024
MOST_OF_A_NETWORK: Final = 2
"""Threads that may hash for one network at a time."""
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_PROFILE: Final = get_profile("OpaqueString")
_hasher: Final = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES, type=Type.ID)


@dataclass(frozen=True, slots=True)
class HashingTurn:
    """For whom a call hashes.

    Attributes:
        network: The network that the request came from.
        known: True if the account knows its browser, or has a session in it; it is served first.

    """

    network: str
    known: bool = False


@dataclass(slots=True, eq=False)
class _Waiting:
    turn: HashingTurn
    begins: asyncio.Future[None]


class HashingThreads:
    """The threads of one instance that hash, and the calls that wait for one.

    Networks take turns, and have `MOST_OF_A_NETWORK` threads each at most; known browsers come before all others. If
    too many wait, the network with the most gives up a place. So a crowd from one network delays no other one for long.
    """

    def __init__(self, most_waiting: int) -> None:
        """Start no thread yet.

        Args:
            most_waiting: How many calls may wait, of known browsers and of all others each.

        """
        self._workers = os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="argon2")
        self._running: Counter[str] = Counter()
        self._queues = {known: FairPlaces[_Waiting](most_waiting, most_waiting) for known in (True, False)}

    async def run(
        self,
        turn: HashingTurn,
        function: Callable[Parameters, Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Call a function in one of the threads, when its turn comes.

        Raises:
            UnavailableError: If too many calls wait.

        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(turn, loop.create_future())
        leaving = self._queues[turn.known].add(turn.network, waiting)
        if leaving is not None and not leaving.begins.done():
            leaving.begins.set_exception(UnavailableError())
        self._begin()
        try:
            await waiting.begins
        except asyncio.CancelledError:
            self._queues[turn.known].remove(turn.network, waiting)
            if waiting.begins.done() and not waiting.begins.cancelled():
                self._end(turn)
            raise
        try:
            return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))
        finally:
            self._end(turn)

    def _begin(self) -> None:
        """Let calls begin while there are threads for them."""
        while self._running.total() < self._workers:
            waiting = self._next()
            if waiting is None:
                return
            self._running[waiting.turn.network] += 1
            waiting.begins.set_result(None)

    def _next(self) -> _Waiting | None:
        """Take the call whose turn it is."""
        for known in (True, False):
            taken = self._queues[known].take_in_turn(lambda network: self._running[network] < MOST_OF_A_NETWORK)
            if taken is not None:
                return taken
        return None

    def _end(self, turn: HashingTurn) -> None:
        self._running[turn.network] -= 1
        if not self._running[turn.network]:
            del self._running[turn.network]
        self._begin()


class Passwords:
    """Checks passwords for one instance."""

    def __init__(self, threads: HashingThreads, peppers: Peppers) -> None:
        self._threads = threads
        self._peppers = peppers
        self._decoy_hash = hash_password("the password of no account", peppers.active)

    async def matches(self, turn: HashingTurn, password_hash: str | None, typed: str) -> bool:
        """Check a typed password against a hash.

        Without a hash, for a name that no account has, the check takes as long and never succeeds.

        Raises:
            UnavailableError: If too many calls wait.

        """
        pepper_id, _, _ = (password_hash or self._decoy_hash).partition("$")
        pepper = self._peppers.find(pepper_id)
        checked = self._decoy_hash if password_hash is None or pepper is None else password_hash
        right = await self._threads.run(turn, _verify, checked, typed, pepper or self._peppers.active)
        return right and checked == password_hash

    async def hash(self, turn: HashingTurn, typed: str) -> str:
        """Return a new password's hash; see `hash_password`.

        Raises:
            UnavailableError: If too many calls wait.

        """
        return await self._threads.run(turn, hash_password, typed, self._peppers.active)

    async def renewed(self, turn: HashingTurn, password_hash: str, typed: str) -> str | None:
        """Return the hash of a password that matched, under the active pepper; None if its hash is under that already.

        Raises:
            UnavailableError: If too many calls wait.

        """
        return None if password_hash.startswith(f"{self._peppers.active.key_id}$") else await self.hash(turn, typed)


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
