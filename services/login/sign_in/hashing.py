"""Slow hashes, computed off the event loop and never more at once than there are cores for.

Argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB of memory, 2 iterations, 1 lane.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from services.common.kafka.publisher import UnavailableError

MEMORY_KIBIBYTES: Final = 19 * 1024
ITERATIONS: Final = 2
LANES: Final = 1
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class HashingThreads:
    """The threads of one instance that hash; all that hashes shares them, so that their bound holds for all of it."""

    def __init__(self, most_waiting: int) -> None:
        """Prepare them.

        Args:
            most_waiting: How many may wait for their turn or be at it; more are refused.

        """
        self._threads = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="argon2")
        self._waiting = 0
        self._most_waiting = most_waiting

    async def run(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call a function in one of the threads.

        Raises:
            UnavailableError: If too many wait.

        """
        if self._waiting >= self._most_waiting:
            raise UnavailableError
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))
        finally:
            self._waiting -= 1
