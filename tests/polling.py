"""Waiting for what happens elsewhere: by looking again and again, to a deadline.

The deadline is for machines that are many times slower than usual; only a failure waits for it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

DEADLINE_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.02


async def eventually(holds: Callable[[], object], deadline_seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: If it does not in time.

    """
    async with asyncio.timeout(deadline_seconds):
        while not holds():
            await asyncio.sleep(POLL_SECONDS)
