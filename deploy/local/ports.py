"""TCP ports of this machine: finds free ones, and checks that a port is free."""

import errno
import secrets
import socket
import sys
from typing import Final

FIRST_PORT: Final = 10_000
LAST_PORT: Final = 32_767
"""The range of free ports. Outgoing connections use higher ports (Linux from 32768, others from 49152), so they cannot
take the port of a program while it restarts."""
_DRAWS: Final = 1000
_RESERVED: Final[dict[int, int]] = {}
"""The file descriptors that reserve ports, until the process ends."""


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
    """Reserve a port among the processes of this machine until this one ends; False if another one has it.

    Several test runs start their stacks side by side, and a port is taken only a second after it was found free. The
    reservation is an address of Linux's abstract namespace (unix(7)), which leaves no file; elsewhere there is none.
    """
    if sys.platform != "linux":
        return True
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(f"\0countersign port {port}")
    except OSError:
        holder.close()
        return False
    _RESERVED[port] = holder.detach()
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
