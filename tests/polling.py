"""Waiting for what happens elsewhere: by looking again and again, to a deadline.

The deadline is for machines that are many times slower than usual; only a failure waits for it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

DEADLINE_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.02


async def eventually(holds: Callable[[], object], what: str = "") -> None:
    """Wait until something holds.

    Args:
        holds: Says whether it does.
        what: What is the matter while it does not.

    Raises:
        TimeoutError: If it does not in time.

    """
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds():
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise TimeoutError(what) from None
