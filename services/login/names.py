"""Canonical sign-in names, and names of browsers for people."""

import unicodedata
from typing import Final

from pydantic import TypeAdapter, ValidationError
from ua_parser import parse

from schemas.base import Identifier

_IDENTIFIER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)
LONGEST_NAME: Final = 64


def account_id_of(name: str) -> str | None:
    """Return the account id of a typed sign-in name: NFKC, case folded, trimmed (as in RFC 8265 section 3.3).

    The result is None if no account can have that name.
    """
    canonical = unicodedata.normalize("NFKC", name).strip().casefold()
    if len(canonical) > LONGEST_NAME:
        return None
    try:
        return _IDENTIFIER.validate_python(canonical)
    except ValidationError:
        return None


def browser_name(user_agent: str) -> str:
    """Return a browser's name for people, for example ``Firefox on Linux``."""
    found = parse(user_agent[:512])
    browser = found.user_agent.family if found.user_agent else "A browser"
    system = found.os.family if found.os else "an unknown system"
    return f"{browser} on {system}"
