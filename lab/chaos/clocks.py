"""A clock for each instance that can be set, as if its machine's were wrong: libfaketime, preloaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LIBRARIES: Final = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")


class ClocksMissingError(Exception):
    """libfaketime is not installed."""

    def __init__(self) -> None:
        super().__init__("This needs libfaketime: on Debian and Ubuntu, apt-get install libfaketime.")


class Clocks:
    """The clocks of all instances. How fast time passes is not touched, and waiting takes as long as it does."""

    def __init__(self, directory: Path) -> None:
        """Find the library.

        Args:
            directory: Where each clock's offset is kept.

        Raises:
            ClocksMissingError: If it is not installed.

        """
        found = [path for pattern in _LIBRARIES for path in Path("/").glob(pattern.removeprefix("/"))]
        if not found:
            raise ClocksMissingError
        self._library = found[0]
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def environment(self, name: str) -> Mapping[str, str]:
        """Return the variables with which an instance looks at its own clock.

        Args:
            name: The instance's name.

        """
        self.set(name, 0)
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # With the correction, waiting for a lock for a while (as Python does for its own) would not wait at all.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_CACHE_DURATION": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, name: str, offset_seconds: int) -> None:
        """Set an instance's clock; it follows within a second.

        Args:
            name: The instance's name.
            offset_seconds: How far it is ahead of the true time; behind, if negative.

        """
        draft = self._file(name).with_suffix(".new")
        draft.write_text(f"{offset_seconds:+d}\n")
        draft.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self._directory / name
