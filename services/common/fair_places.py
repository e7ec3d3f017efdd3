"""A bounded number of places, shared fairly: who has the most gives one up for a newcomer.

So a crowd under one key, for example from one network, cannot keep others out by filling all places.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class FairPlaces(Generic[ItemT]):
    """Items with places, by key, oldest first within a key."""

    def __init__(self, most: int, most_each: int) -> None:
        """Begin with free places.

        Args:
            most: The number of places; at least one.
            most_each: The number of places that one key can have.

        """
        self._most = max(1, most)
        self._most_each = most_each
        self._items: OrderedDict[str, list[ItemT]] = OrderedDict()
        self._count = 0

    @property
    def count(self) -> int:
        """The number of items."""
        return self._count

    def count_of(self, key: str) -> int:
        """Return the number of a key's items."""
        return len(self._items.get(key, ()))

    def add(self, key: str, item: ItemT) -> ItemT | None:
        """Give an item a place.

        Returns:
            The item that leaves for it, or None: the key's oldest if the key has all that it can have. If there is no
            place, the oldest of the key with the most items.

        """
        leaving = None
        if self.count_of(key) >= self._most_each:
            leaving = self._take_oldest(key)
        elif self._count >= self._most:
            leaving = self.take_from_crowd()
        self._items.setdefault(key, []).append(item)
        self._count += 1
        return leaving

    def take_from_crowd(self) -> ItemT | None:
        """Take the oldest item of the key that has the most; None if there is none."""
        if not self._items:
            return None
        return self._take_oldest(max(self._items, key=self.count_of))

    def take_in_turn(self, may: Callable[[str], bool] = lambda _key: True) -> ItemT | None:
        """Take the oldest item of the key whose turn it is, among the keys that may have one; None if there is none."""
        key = next(filter(may, self._items), None)
        if key is None:
            return None
        item = self._take_oldest(key)
        if key in self._items:
            self._items.move_to_end(key)
        return item

    def remove(self, key: str, item: ItemT) -> None:
        """Remove an item, if it is still there."""
        items = self._items.get(key, [])
        if item in items:
            items.remove(item)
            self._count -= 1
            if not items:
                del self._items[key]

    def _take_oldest(self, key: str) -> ItemT:
        oldest = self._items[key][0]
        self.remove(key, oldest)
        return oldest
