"""Wakes whoever waits for a key: no polling, nothing held while nobody looks."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Waiters:
    """Who waits, by key."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def watch(self, key: str, changed: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever the key's value changes; clear it before looking at the value.

        Args:
            key: What to watch.
            changed: An event to use, so that one can wait for several keys; default a new one.

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
        """Wake all who wait for a key."""
        for event in self._waiting.get(key, ()):
            event.set()

    def wake_all(self) -> None:
        """Wake everybody."""
        for key in tuple(self._waiting):
            self.wake(key)
