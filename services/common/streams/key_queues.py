"""Work by key: in order for one key, side by side for different ones, and never more at once than was set."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

Work = Callable[[], Awaitable[None]]


class KeyQueues:
    """The queues of one table's keys in one instance.

    Work enters in the order of arrival, over all topics that the table reads, before anything is awaited. The work of a
    key begins once the work before it has ended.
    """

    def __init__(self, at_once: int, on_end: Callable[[], None] = lambda: None) -> None:
        """Prepare them.

        Args:
            at_once: How many keys' work may be under way at the same time.
            on_end: Called whenever a piece of work has ended.

        """
        self._on_end = on_end
        self._waiting: dict[bytes, deque[Work]] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._room: Final = asyncio.Semaphore(at_once)
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def put(self, key: bytes, work: Work) -> None:
        """Enter work for a key."""
        queue = self._waiting.get(key)
        if queue is not None:
            queue.append(work)
            return
        self._waiting[key] = deque([work])
        task = asyncio.get_running_loop().create_task(self._run(key))
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def length(self, key: bytes) -> int:
        """Return how much work of a key has not ended."""
        return len(self._waiting.get(key, ()))

    @property
    def longest(self) -> int:
        """How much work the key with the most work has."""
        return max(map(len, self._waiting.values()), default=0)

    @property
    def keys(self) -> int:
        """How many keys have work that has not ended."""
        return len(self._waiting)

    async def wait_failure(self) -> None:
        """Wait until any work fails, and raise its error; what waits behind it never begins.

        Raises:
            Exception: What the work raised.

        """
        await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Cancel all work."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self._failure.cancel():
            self._failure.exception()  # else Python would report that nothing waited for it

    async def _run(self, key: bytes) -> None:
        queue = self._waiting[key]
        while queue:
            async with self._room:
                await queue[0]()
            queue.popleft()
            if not queue:
                del self._waiting[key]
            self._on_end()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)
