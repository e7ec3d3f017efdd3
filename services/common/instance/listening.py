"""Listens for requests on a port."""

from typing import Final

from aiohttp import web

DRAIN_SECONDS: Final = 5.0
"""How long requests in progress may take to finish once the instance was told to stop."""


class CannotListenError(Exception):
    """A port cannot be listened on, mostly because it is in use; its text is the system's reason.

    Attributes:
        host: The address.
        port: The port.

    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(reason)
        self.host = host
        self.port = port


async def listen(
    application: web.Application, host: str, port: int, drain_seconds: float = DRAIN_SECONDS
) -> web.AppRunner:
    """Serve a web application on a port, until what is returned is cleaned up.

    Args:
        application: What to serve.
        host: The address to listen on.
        port: The port to listen on.
        drain_seconds: How long requests in progress may then take to finish.

    Raises:
        CannotListenError: If the port is in use, or not to be had.

    """
    runner = web.AppRunner(
        application,
        handle_signals=False,
        access_log=None,
        shutdown_timeout=drain_seconds,
        auto_decompress=False,  # nobody has reason to compress what our forms and devices send
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise CannotListenError(host, port, error.strerror or str(error)) from error
    return runner
