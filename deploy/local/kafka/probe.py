"""Ask a Kafka broker whether it is ready, by one request over a plain socket: quicker than any client library."""

import socket
import struct
from typing import Final

_METADATA: Final = 3
_CORRELATION: Final = 1
_NO_TOPICS_REQUEST: Final = struct.pack(">hhihi", _METADATA, 1, _CORRELATION, -1, 0)
_TIMEOUT_SECONDS: Final = 2.0


def answers(host: str, port: int) -> bool:
    """Return whether the broker answers and knows at least one live broker: itself, once it has registered.

    The request is Metadata version 1 with no topic. Source: the Kafka protocol guide, "Metadata API (Key: 3)".

    Args:
        host: The broker's host name or address.
        port: The broker's TCP port.

    """
    try:
        with socket.create_connection((host, port), _TIMEOUT_SECONDS) as connection:
            connection.sendall(struct.pack(">i", len(_NO_TOPICS_REQUEST)) + _NO_TOPICS_REQUEST)
            with connection.makefile("rb") as reply:
                _size, correlation, brokers = struct.unpack(">iii", reply.read(12))
    except (OSError, struct.error):
        return False
    return bool(correlation == _CORRELATION and brokers > 0)
