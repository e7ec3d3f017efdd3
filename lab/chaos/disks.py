"""A small disk for each instance's RocksDB, in memory, that can be filled."""

import errno
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

DISK_MEBIBYTES: Final = 96
_FILLER: Final = "filler"
_TIMEOUT_SECONDS: Final = 20
_BLOCK: Final = b"\0" * 65536


class Disks:
    """The disks of all instances."""

    def __init__(self, directory: Path, names: Iterable[str]) -> None:
        """Prepare them; none is mounted yet.

        Args:
            directory: Where the instances have their data.
            names: The instances' names.

        """
        self._directory = directory
        self._names = tuple(names)

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Mount them; unmount them at the end, whatever ends it, so that their folders can be removed."""
        with ExitStack() as mounts:
            for name in self._names:
                folder = self._directory / name
                folder.mkdir(parents=True, exist_ok=True)
                # First, so that no interruption comes in between; what still has a file open there keeps that alone.
                mounts.callback(_run, "umount", "--lazy", str(folder), check=False)
                _run("mount", "-t", "tmpfs", "-o", f"size={DISK_MEBIBYTES}m", "tmpfs", str(folder))
            yield

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


def _run(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, timeout=_TIMEOUT_SECONDS)
