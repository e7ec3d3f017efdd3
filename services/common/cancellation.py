"""A cancellation that a library lost is not lost for us."""

import asyncio


def raise_if_cancelled() -> None:
    """Raise the cancellation of this task again if it was asked for and the task goes on all the same.

    `asyncio.wait_for` of Python 3.11 loses one that comes in the same moment as the answer (CPython gh-96764, mended in
    3.12 by waiting differently); libraries wait with it.

    Raises:
        asyncio.CancelledError: If it was.

    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
