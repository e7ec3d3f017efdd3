"""JWK sets that a command is given, as files or addresses: whose signatures to trust."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from cli.evidence import BadInputError
from protocol.key_sets import thumbprints_of

FETCH_SECONDS: Final = 10
MAX_KEY_SET_BYTES: Final = 1024 * 1024


def read_key_sets(sources: Iterable[str]) -> frozenset[str]:
    """Return the thumbprints of all keys in some JWK sets.

    Args:
        sources: Files, or http and https URLs.

    Raises:
        BadInputError: If one cannot be read, or is no JWK set.

    """
    return frozenset[str]().union(*map(_key_set, sources))


def _key_set(source: str) -> frozenset[str]:
    try:
        if urlsplit(source).scheme in {"http", "https"}:
            with urlopen(source, timeout=FETCH_SECONDS) as response:  # noqa: S310 - http or https, as just checked
                return thumbprints_of(response.read(MAX_KEY_SET_BYTES))
        return thumbprints_of(Path(source).read_bytes())
    except URLError as error:
        text = f"{source} does not answer: {error.reason}"
    except OSError as error:
        text = f"{source} cannot be read: {error.strerror or error}"
    except ValueError as error:
        text = f"{source} is {error}"
    raise BadInputError(text)
