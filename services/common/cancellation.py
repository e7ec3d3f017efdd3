"""Re-raises a task cancellation that a library swallowed."""

import asyncio


def raise_if_cancelled() -> None:
    """Raise CancelledError if this task has a pending cancellation request.

    `asyncio.wait_for` of Python 3.11 swallows a cancellation that arrives together with the result (CPython gh-96764,
    fixed in 3.12). Libraries use it internally.

    Raises:
        asyncio.CancelledError: If the task is being cancelled.

    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
