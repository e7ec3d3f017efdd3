"""Password hashes: Argon2id.

The parameters are those of OWASP's Password Storage Cheat Sheet: 19 MiB of memory, 2 iterations, 1 lane. Hashing runs
in threads, off the event loop, at most one call per core. Recovery codes use the same threads.
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

from services.common.fair_places import FairPlaces
from services.common.kafka.publisher import UnavailableError

MEMORY_KIBIBYTES: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
LONGEST_PASSWORD: Final = 1024
MOST_OF_A_NETWORK: Final = 2
"""Threads that may hash for one network at a time."""
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
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

    def __init__(self, threads: HashingThreads) -> None:
        self._threads = threads
        self._decoy_hash = hash_password("the password of no account")

    async def matches(self, turn: HashingTurn, password_hash: str | None, password: str) -> bool:
        """Check a password against a hash in PHC string format.

        Without a hash, for a name that no account has, the check takes as long and never succeeds.

        Raises:
            UnavailableError: If too many calls wait.

        """
        right = await self._threads.run(turn, _verify, password_hash or self._decoy_hash, password)
        return right and password_hash is not None

    async def hash(self, turn: HashingTurn, password: str) -> str:
        """Return a password's hash, PHC string format.

        Raises:
            UnavailableError: If too many calls wait.

        """
        return await self._threads.run(turn, hash_password, password)


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
