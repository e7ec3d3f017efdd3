"""Wakes the tasks that wait for a key, without polling; a key without a waiter takes no memory."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Waiters:
    """The waiting tasks, by key."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def watch(self, key: str, changed: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """Yield an event that is set on every change of the key's value; clear it before reading the value.

        Args:
            key: The key to watch.
            changed: The event to set, so that a task can wait for several keys; default a new one.

        """
        event = changed or asyncio.Event()
        self._waiting[key].add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    def wake(self, key: str) -> None:
        """Wake the tasks that wait for a key."""
        for event in self._waiting.get(key, ()):
            event.set()

    def wake_all(self) -> None:
        """Wake all tasks."""
        for key in tuple(self._waiting):
            self.wake(key)
