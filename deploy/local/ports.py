"""TCP ports of this machine: find free ones, and see in time that one is taken."""

import errno
import secrets
import socket
from typing import Final

FIRST_PORT: Final = 10_000
LAST_PORT: Final = 32_767
"""Where free ports are drawn from: systems give outgoing connections higher ones (Linux from 32768, others from 49152),
and one of those could take the port of a program that is away for a moment to be started again."""
_DRAWS: Final = 1000


class PortTakenError(Exception):
    """A port that something must listen on is in use. Its text is one line for the person who started it.

    Attributes:
        port: The port.

    """

    def __init__(self, port: int, wanted_for: str) -> None:
        super().__init__(f"Port {port} is already in use, and {wanted_for} needs it.")
        self.port = port


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing listens on now, by chance. Another program may take it before you do.

    Raises:
        OSError: If none was found in a thousand draws.

    """
    for _ in range(_DRAWS):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        try:
            require_free(port, "whoever asks", host)
        except PortTakenError:
            continue
        return port
    raise OSError(errno.EADDRINUSE, f"no free port was found between {FIRST_PORT} and {LAST_PORT}")


def require_free(port: int, wanted_for: str, host: str = "127.0.0.1") -> None:
    """Check that a port can be listened on.

    Args:
        port: The TCP port.
        wanted_for: Who needs it, for the message.
        host: The address that it will be listened on.

    Raises:
        PortTakenError: If something listens on it.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As a server does it: connections of an earlier run that are still being closed don't count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(port, wanted_for) from None
            raise
