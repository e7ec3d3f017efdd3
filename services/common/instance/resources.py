"""What an instance takes of its machine: a data directory for itself, and as many open files as it may have."""

import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)
LOCK_FILE: Final = "lock"


class DirectoryInUseError(Exception):
    """Another instance has the data directory. The text says which, and what to do."""


@contextmanager
def own_directory(directory: Path) -> Iterator[None]:
    """Keep a data directory for this process, and make it if it is missing; its end, however it comes, gives it free.

    Raises:
        DirectoryInUseError: If another process has it.

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


def raise_open_files() -> int:
    """Let this process have as many open files, connections among them, as the system grants it; return how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
