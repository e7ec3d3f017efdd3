"""Parts of a row that this release does not know: a newer release wrote them, and they stay as they are.

In a rolling upgrade, or after a step back to an older release, a row's owner may be older than the row. It decides on
what it knows. Fields that it does not know, and entries of lists that it cannot read, are kept beside the row, and are
part of its JSON again when it is written. An entry that a decision removes takes its unknown fields with it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from pydantic_core import ValidationError

MOST_ROUNDS: Final = 10
"""How often the entries that cannot be read are left out at most; those inside others show after them."""
_IDENTIFIERS: Final = ("_id", "digest", "nonce")
"""The endings of the names of fields that tell an entry from the others of its list."""
_ModelT = TypeVar("_ModelT")


class UnknownPart(NamedTuple):
    """A field or an entry.

    Attributes:
        path: The way to the object or list that it stands in: names of fields, and identities of entries.
        place: The field's name, or the entry's index.
        value: Its value, as JSON data.

    """

    path: tuple[str, ...]
    place: str | int
    value: Any


def read_known(
    value: bytes | str, validate: Callable[[bytes | str], _ModelT], serialize: Callable[[_ModelT], bytes]
) -> tuple[_ModelT, tuple[UnknownPart, ...]]:
    """Read JSON of which parts may be unknown.

    Args:
        value: The JSON.
        validate: Reads JSON, and ignores unknown fields.
        serialize: Writes what is known.

    Returns:
        What is known, and the unknown parts.

    Raises:
        ValidationError: If something is wrong that is not in an entry of a list.

    """
    entries = list[UnknownPart]()
    for _ in range(MOST_ROUNDS):
        try:
            known = validate(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            if found[0]["type"] == "json_invalid":
                raise
            data = json.loads(value)
            locations = {_entry(data, each["loc"]) for each in found}
            if None in locations:
                raise
            # From the end, since an entry that is taken out moves those behind it.
            for location in sorted((each for each in locations if each is not None), key=_order, reverse=True):
                entries.append(_take_out(data, location))
            value = json.dumps(data)
        else:
            fields = _unknown_fields(json.loads(value), json.loads(serialize(known)), ())
            return known, (*reversed(entries), *fields)
    return validate(value), ()


def add_unknown(value: bytes, parts: Sequence[UnknownPart]) -> bytes:
    """Return a row's JSON with the unknown parts whose place is still there."""
    data = json.loads(value)
    # All are looked up before the first is added, which may change what an entry is known by.
    for part, there in [(each, _at(data, each.path)) for each in parts]:
        match there, part.place:
            case dict() as fields, str() as name:
                fields.setdefault(name, part.value)
            case list() as entries, int() as index:
                entries.insert(index, part.value)
            case _:
                pass
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _entry(data: Any, location: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """Return the place of the innermost entry that something wrong is in; None outside of all lists of objects."""
    found = None
    for length, step in enumerate(location, start=1):
        if isinstance(step, int) and isinstance(data, list) and step < len(data):
            if isinstance(data[step], dict):
                found = location[:length]
            data = data[step]
        elif isinstance(data, dict) and step in data:
            data = data[step]
        else:
            break
    return found


def _order(location: tuple[str | int, ...]) -> tuple[tuple[str, int], ...]:
    return tuple(("", step) if isinstance(step, int) else (step, 0) for step in location)


def _take_out(data: Any, location: tuple[str | int, ...]) -> UnknownPart:
    path = list[str]()
    *way, index = location
    for step in way:
        data = data[step]
        path.append(step if isinstance(step, str) else _identity(data))
    return UnknownPart(tuple(path), int(index), data.pop(index))


def _unknown_fields(data: Any, known: Any, path: tuple[str, ...]) -> Iterator[UnknownPart]:
    if isinstance(data, dict) and isinstance(known, dict):
        for name, value in data.items():
            if name in known:
                yield from _unknown_fields(value, known[name], (*path, name))
            else:
                yield UnknownPart(path, name, value)
    elif isinstance(data, list) and isinstance(known, list):
        for one, other in zip(data, known, strict=False):
            yield from _unknown_fields(one, other, (*path, _identity(other)))


def _at(data: Any, path: Sequence[str]) -> Any:
    """Return the object or list at a path, or None if it is no longer there."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list):
            data = next((each for each in data if _identity(each) == step), None)
        else:
            return None
    return data


def _identity(entry: Any) -> str:
    """Return what tells an entry from the others of its list: its identifier, or all of it."""
    if isinstance(entry, dict):
        named = [f"{name}={value}" for name, value in entry.items() if name.endswith(_IDENTIFIERS) and value]
        if named:
            return named[0]
    return json.dumps(entry, sort_keys=True)
