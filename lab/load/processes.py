"""What a process costs, as Linux counts it: memory, CPU time, open files; and what a folder takes of the disk."""

import os
import resource
from pathlib import Path
from typing import Final

from services.common.instance.resources import raise_open_files

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_USER_TICKS_FIELD: Final = 11
"""Where /proc/PID/stat has the user time, counted behind the name in brackets (proc_pid_stat(5), field 14)."""


class FilesLimitError(Exception):
    """The system grants too few open files. The text has how many are needed, and what to do."""


def resident_bytes(pid: int) -> int:
    """Return how much memory a process has in use (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def cpu_seconds(pid: int) -> float:
    """Return how much CPU time a process has used, its own and the system's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[_USER_TICKS_FIELD : _USER_TICKS_FIELD + 2]
    return (int(user) + int(system)) / _TICKS_PER_SECOND


def disk_bytes(directory: Path) -> int:
    """Return how much of the disk a folder takes."""
    return sum(path.lstat().st_blocks * 512 for path in directory.rglob("*") if not path.is_dir())


def require_open_files(needed: int) -> None:
    """Let this process and those that it starts have as many open files as the system grants.

    Raises:
        FilesLimitError: If that is less than needed.

    """
    most = raise_open_files()
    if most != resource.RLIM_INFINITY and most < needed:
        text = (
            f"{needed} open files are needed, {most} granted: raise that (ulimit -Hn {needed}), or take fewer people."
        )
        raise FilesLimitError(text)
