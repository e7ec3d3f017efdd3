"""Where the terminal device lives: its state directory, its name, and its push service."""

import platform
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from authenticator.device.state import DEFAULT_URL, State
from authenticator.device.store import DirectoryStore
from schemas.base import NAME_CHARACTERS


def service_address(text: str) -> str:
    """Return the origin that a person means by an address.

    Raises:
        ValueError: If it is none.

    """
    parts = urlsplit(text.strip())
    usual = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not usual or parts.query or parts.fragment or parts.username:
        reason = "It must be an address like http://localhost:8300."
        raise ValueError(reason)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


@dataclass(frozen=True, slots=True)
class DeviceDirectory:
    """What the command line says of it.

    Attributes:
        directory: The state directory.
        url: The push service's origin, or None for the one that the state remembers.

    """

    directory: Path
    url: str | None

    def open(self, device_name: str | None = None) -> DirectoryStore:
        """Open the state directory; make it if there is none.

        Args:
            device_name: Another name for the device, or None to leave it.

        Raises:
            StateError: If it cannot be used.

        """
        named = f"Terminal on {platform.node() or 'this machine'}"[:NAME_CHARACTERS]
        store = DirectoryStore.open(self.directory, State(device_name=named, url=DEFAULT_URL))
        if device_name is not None or self.url is not None:
            store.update(lambda state: state.with_names(device_name=device_name, url=self.url))
        return store
