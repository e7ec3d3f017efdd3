"""Log files of child processes: set aside at each start, and never larger than a bound while they are written."""

import shutil
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 20 * 1024 * 1024
KEPT: Final = 9


def set_aside(log: Path) -> None:
    """Move an earlier run's log out of the way: ``x.log`` becomes ``x.log.1``, and so on; the oldest one goes."""
    if not log.exists() or log.stat().st_size == 0:
        return
    for number in range(KEPT, 0, -1):
        newer = _numbered(log, number - 1) if number > 1 else log
        if newer.exists():
            newer.replace(_numbered(log, number))


def keep_bounded(log: Path, max_bytes: int = MAX_BYTES) -> None:
    """Set a log aside that has grown too large while its process goes on writing to the same file.

    The process appends, so after the cut it goes on from the file's new start; lines of that very moment may be lost.
    """
    if log.exists() and log.stat().st_size > max_bytes:
        shutil.copyfile(log, _numbered(log, 1))
        with log.open("r+b") as file:
            file.truncate()


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
