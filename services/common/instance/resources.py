"""Resources that an instance takes from its machine: an exclusive data directory, and open files."""

import fcntl
import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)
LOCK_FILE: Final = "lock"
OPEN_FILES: Final = Path("/dev/fd")
NEARLY_ALL: Final = 0.9
OTHERS: Final = 0o077
"""What group and others may do with a file."""


class DirectoryInUseError(Exception):
    """Another instance uses the data directory. The text names the directory and what to do."""


@contextmanager
def own_directory(directory: Path) -> Iterator[None]:
    """Lock a data directory for this process, creating it if it is missing. The end of the process unlocks it.

    Raises:
        DirectoryInUseError: If another process holds the lock.

    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        text = f"another instance uses the data directory {directory}; each needs its own (--data-directory)"
        raise DirectoryInUseError(text) from None
    try:
        yield
    finally:
        os.close(descriptor)


def open_secrets(directories: Iterable[Path], files: Iterable[Path]) -> list[Path]:
    """Return what other users of the machine can read or change.

    Args:
        directories: Directories of secrets. What is in a directory that is closed to others, is closed too.
        files: Further files.

    """
    opened = [each for each in dict.fromkeys(directories) if _is_open(each)]
    inside = [path for each in opened for path in sorted(each.iterdir())]
    return [*opened, *(path for path in (*inside, *files) if _is_open(path))]


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & OTHERS)
    except OSError:  # removed in between, or a dangling link
        return False


def raise_open_files() -> int:
    """Raise this process's limit of open files, which include connections, to the hard limit; return it."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    return hard_limit


def open_files_run_out() -> bool:
    """Return whether nearly all files that this process may open are open, so that connections are refused soon."""
    try:
        used = sum(1 for _ in OPEN_FILES.iterdir())
    except OSError:  # to list them takes a file
        return True
    return used >= NEARLY_ALL * resource.getrlimit(resource.RLIMIT_NOFILE)[0]
