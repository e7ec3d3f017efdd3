"""TCP ports of this machine: find free ones, and see in time that one is taken."""

import errno
import socket


class PortTakenError(Exception):
    """A port that something must listen on is in use. Its text is one line for the person who started it.

    Attributes:
        port: The port.

    """

    def __init__(self, port: int, wanted_for: str) -> None:
        super().__init__(f"Port {port} is already in use, and {wanted_for} needs it.")
        self.port = port


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing listens on now. Another program may take it before you do."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


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
