"""Places of IP addresses, from a City or Country database in MaxMind's format, by geoip2."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Final

from geoip2.database import Reader
from geoip2.errors import GeoIP2Error
from geoip2.models import City, Country
from maxminddb import InvalidDatabaseError

_LOCALES: Final = ("en",)


def require_database(path: Path) -> Path:
    """Return the path of a database once it has been opened.

    Raises:
        ValueError: If it cannot be read, or is neither a City nor a Country database.

    """
    Places(path)
    return path


class Places:
    """Looks up the places of addresses; without a database, each place is empty."""

    def __init__(self, path: Path | None) -> None:
        """Open the database.

        Args:
            path: The database's file, or None.

        Raises:
            ValueError: If it cannot be read, or is neither a City nor a Country database.

        """
        self._look_up = None if path is None else _open(path)

    def find(self, address: str) -> str:
        """Return the place of an IP address, for example ``Geneva, Switzerland``.

        The place is empty for an address that is unknown, not public, or not an IP address.
        """
        if self._look_up is None:
            return ""
        try:
            if not ipaddress.ip_address(address).is_global:
                return ""
            found = self._look_up(address)
        except (ValueError, GeoIP2Error, InvalidDatabaseError):
            return ""
        city = found.city.name if isinstance(found, City) else None
        return ", ".join(part for part in (city, found.country.name) if part)


def _open(path: Path) -> Callable[[str], City | Country]:
    try:
        reader = Reader(path, locales=_LOCALES)
    except (OSError, ValueError, InvalidDatabaseError) as error:
        reason = getattr(error, "strerror", None) or "it is not in MaxMind's format"
        text = f"{path} cannot be read: {reason}"
        raise ValueError(text) from error
    kind = reader.metadata().database_type
    if "City" in kind:
        return reader.city
    if "Country" in kind:
        return reader.country
    reader.close()
    text = f"{path} is a database of type {kind[:40]!r}; it must be a City or a Country database"
    raise ValueError(text)
