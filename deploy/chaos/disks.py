"""A small disk for each instance's RocksDB, in memory, that can be filled."""

import errno
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

DISK_MEBIBYTES: Final = 96
_FILLER: Final = "filler"
_TIMEOUT_SECONDS: Final = 20
_BLOCK: Final = b"\0" * 65536


class Disks:
    """The disks of all instances. They are gone with the run's namespaces."""

    def __init__(self, directory: Path, names: Iterable[str]) -> None:
        """Mount them.

        Args:
            directory: Where the instances have their data.
            names: The instances' names.

        """
        self._directory = directory
        for name in names:
            mounted = directory / name
            mounted.mkdir(parents=True, exist_ok=True)
            command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEBIBYTES}m", "tmpfs", str(mounted)]
            subprocess.run(command, check=True, timeout=_TIMEOUT_SECONDS)

    def fill(self, name: str) -> None:
        """Leave no room on an instance's disk."""
        with (self._directory / name / _FILLER).open("ab", buffering=0) as filler:
            try:
                while filler.write(_BLOCK):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self, name: str) -> None:
        """Make room again."""
        (self._directory / name / _FILLER).unlink(missing_ok=True)
