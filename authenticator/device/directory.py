"""The terminal device's state directory, name and push service."""

import platform
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from authenticator.device.state import DEFAULT_URL, State
from authenticator.device.store import DirectoryStore
from schemas.base import NAME_CHARACTERS


def service_address(text: str) -> str:
    """Return the URL of a typed service address, without a trailing slash.

    Raises:
        ValueError: If it is not an http or https URL.

    """
    parts = urlsplit(text.strip())
    valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not valid or parts.query or parts.fragment or parts.username:
        reason = "The address must look like http://localhost:8300."
        raise ValueError(reason)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


@dataclass(frozen=True, slots=True)
class DeviceDirectory:
    """The state directory from the command line.

    Attributes:
        path: The directory.
        url: The push service's URL, or None for the stored one.

    """

    path: Path
    url: str | None

    def open(self, device_name: str | None = None) -> DirectoryStore:
        """Open the directory, or create it; store the URL, and a new name if there is one.

        Raises:
            StateError: If it cannot be used.

        """
        default_name = f"Terminal on {platform.node() or 'this machine'}"[:NAME_CHARACTERS]
        store = DirectoryStore.open(self.path, State(device_name=default_name, url=DEFAULT_URL))
        if device_name is not None or self.url is not None:
            store.update(lambda state: state.with_names(device_name=device_name, url=self.url))
        return store
