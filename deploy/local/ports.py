"""TCP ports of this machine: finds free ones, and checks that a port is free."""

import errno
import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import BinaryIO, Final

FIRST_PORT: Final = 10_000
LAST_PORT: Final = 32_767
"""The range of free ports. Outgoing connections use higher ports (Linux from 32768, others from 49152), so they cannot
take the port of a program while it restarts."""
_DRAWS: Final = 1000
_RESERVED: Final[dict[int, BinaryIO]] = {}
"""The open files whose locks reserve ports for this process."""


class PortTakenError(Exception):
    """A required port is in use. The text is one line for the user.

    Attributes:
        port: The port.

    """

    def __init__(self, port: int, wanted_for: str) -> None:
        super().__init__(f"Port {port} is already in use, and {wanted_for} needs it.")
        self.port = port


def free_port(host: str = "127.0.0.1") -> int:
    """Return a random TCP port that is free, and that no other process gets from here while this one runs.

    Raises:
        OSError: If none of a thousand random ports is free.

    """
    for _ in range(_DRAWS):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        if port in _RESERVED or not _reserve(port):
            continue
        try:
            require_free(port, "the caller", host)
        except PortTakenError:
            continue
        return port
    raise OSError(errno.EADDRINUSE, f"no free port was found between {FIRST_PORT} and {LAST_PORT}")


def _reserve(port: int) -> bool:
    """Reserve a port among the processes of this user until this one ends; False if another one has it.

    Several test runs start their stacks side by side, and a port is taken only a second after it was found free.
    """
    folder = Path(tempfile.gettempdir()) / f"countersign-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = (folder / str(port)).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _RESERVED[port] = file
    return True


def require_free(port: int, wanted_for: str, host: str = "127.0.0.1") -> None:
    """Check that a port is free.

    Args:
        port: The TCP port.
        wanted_for: The program that needs it, for the error message.
        host: The address to listen on.

    Raises:
        PortTakenError: If it is in use.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Like a server, so that closing connections of an earlier run do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(port, wanted_for) from None
            raise
