"""JSON from strangers, read strictly (RFC 8259, and I-JSON, RFC 7493): one text has one reading by every parser."""

import json
from collections.abc import Iterator
from typing import Any, Final

MOST_DEPTH: Final = 16
"""How deep objects and arrays may nest."""


def read_json(text: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: If it is not JSON in UTF-8, has a byte order mark, an object with two members of one name, a lone
            surrogate or a number that is none, or is nested deeper than 16.

    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
        value = json.loads(decoded, object_pairs_hook=_object, parse_constant=_refuse_constant)
        for each in _strings(value):
            each.encode()
    except (ValueError, RecursionError) as error:
        reason = "not strict JSON"
        raise ValueError(reason) from error
    return value


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        reason = "two members have one name"
        raise ValueError(reason)
    return found


def _refuse_constant(name: str) -> Any:
    reason = f"{name} is no number"
    raise ValueError(reason)


def _strings(value: Any) -> Iterator[str]:
    """Yield all texts in a value; raise ValueError if it is nested too deep."""
    level = [value]
    for depth in range(MOST_DEPTH + 1):
        if depth == MOST_DEPTH and any(isinstance(each, dict | list) for each in level):
            reason = "nested too deep"
            raise ValueError(reason)
        below = list[Any]()
        for each in level:
            if isinstance(each, str):
                yield each
            elif isinstance(each, dict):
                below.extend((*each.keys(), *each.values()))
            elif isinstance(each, list):
                below.extend(each)
        level = below
