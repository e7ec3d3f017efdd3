"""Several keys for one purpose: a new one is taken into use while what the old ones made is still good."""

from collections.abc import Callable
from typing import Generic

from services.common.keys.key_files import KeyT


class KeyRing(Generic[KeyT]):
    """Keys of which the first one serves what is new, and every one what was made with it.

    A key that is not known is looked for in the file once more: another instance may run with a newer one already. So
    the file can be given a new key, and the instances be restarted one after the other.
    """

    def __init__(self, load: Callable[[], tuple[KeyT, ...]], id_of: Callable[[KeyT], str]) -> None:
        """Load the keys.

        Args:
            load: Reads them from their file.
            id_of: Gives a key's id.

        """
        self._load = load
        self._id_of = id_of
        self._keys = load()

    @property
    def active(self) -> KeyT:
        """The key for what is new."""
        return self._keys[0]

    @property
    def all(self) -> tuple[KeyT, ...]:
        """All keys that are known, the active one first."""
        return self._keys

    def find(self, key_id: str) -> KeyT | None:
        """Return the key of an id, or None if it was retired.

        Raises:
            KeyFileError: If the key is not known and the file cannot be read any more.

        """
        return self._known(key_id) or self._known_anew(key_id)

    def _known(self, key_id: str) -> KeyT | None:
        return next((key for key in self._keys if self._id_of(key) == key_id), None)

    def _known_anew(self, key_id: str) -> KeyT | None:
        # What serves new things stays: it changes with a restart, and not with what is asked for.
        loaded = tuple(key for key in self._load() if self._known(self._id_of(key)) is None)
        self._keys = (*self._keys, *loaded)
        return self._known(key_id)
