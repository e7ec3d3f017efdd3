"""Where an address is, from a GeoIP database on disk (MaxMind's format; City or Country), by geoip2."""

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
    """Return the path of a database that can be read.

    Raises:
        ValueError: If there is none, or it is of another kind; its text says which.

    """
    Places(path)
    return path


class Places:
    """Tells where addresses are; with no database, of none."""

    def __init__(self, path: Path | None) -> None:
        """Open the database.

        Args:
            path: The database's file, or None.

        Raises:
            ValueError: If it cannot be read, or is of another kind; its text says which.

        """
        self._look_up = None if path is None else _open(path)

    def of(self, address: str) -> str:
        """Return where an address is.

        Args:
            address: An IP address; anything else is nowhere.

        Returns:
            For example ``Geneva, Switzerland``, or as much of it as is known; empty for an address that is not known or
            not of the public internet.

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
    text = f"{path} is of the kind {kind[:40]!r}; a City or a Country database is needed"
    raise ValueError(text)
