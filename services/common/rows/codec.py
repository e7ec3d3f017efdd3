"""Encodes rows as JSON for changelog records, and decodes them."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter
from pydantic_core import CoreConfig, SchemaSerializer, SchemaValidator, ValidationError

from services.common.decisions import Row, RowT
from services.common.rows.unknown_parts import add_unknown, read_known

PartT = TypeVar("PartT")


class _Codec(NamedTuple):
    """What reads and writes rows of one type: validators that refuse and that ignore unknown fields."""

    strict: SchemaValidator
    lenient: SchemaValidator
    serializer: SchemaSerializer


_CODECS: Final[dict[Any, _Codec]] = {}
"""One for each type of row, since building one takes milliseconds. Errors hide the input, since a row may contain a
password hash, which must not reach the log."""


MOST_DECODED: Final = 1000
"""How many rows of a table an instance keeps decoded: a row of some kilobytes takes 50 microseconds to decode, and a
login reads it a dozen times."""


class RowCache(Generic[RowT]):
    """Decodes and encodes the rows of one table, and keeps those that were used last."""

    def __init__(self, model: type[RowT], most: int = MOST_DECODED) -> None:
        """Begin with none.

        Args:
            model: The rows' type.
            most: How many rows are kept.

        """
        self._model = model
        self._most = most
        self._rows: OrderedDict[bytes, tuple[bytes, RowT]] = OrderedDict()

    def read(self, key: bytes, value: bytes) -> RowT:
        """Decode a key's row; see `read_row`."""
        known = self._rows.get(key)
        if known is not None and known[0] == value:
            self._rows.move_to_end(key)
            return known[1]
        return self._keep(key, value, read_row(self._model, value))

    def write(self, key: bytes, row: RowT) -> bytes:
        """Encode a key's row; see `write_row`."""
        value = write_row(row)
        self._keep(key, value, row)
        return value

    def _keep(self, key: bytes, value: bytes, row: RowT) -> RowT:
        self._rows[key] = value, row
        self._rows.move_to_end(key)
        if len(self._rows) > self._most:
            self._rows.popitem(last=False)
        return row


def read_row(model: type[RowT], value: bytes | str) -> RowT:
    """Decode a row. What a newer writer added to it is kept in it (`unknown_parts`).

    Args:
        model: The row's type.
        value: The changelog record's value, JSON.

    Raises:
        ValidationError: If the value is not a row of that type; the text does not contain the value.

    """
    codec = _codec(model)
    row: RowT
    try:
        row = codec.strict.validate_json(value)
    except ValidationError:
        row, unknown = read_known(value, codec.lenient.validate_json, codec.serializer.to_json)
        row = replace(row, unknown=unknown)
    return row


def write_row(row: Row) -> bytes:
    """Encode a row as a changelog record's value: compact JSON."""
    value = _codec(type(row)).serializer.to_json(row, exclude_none=True)
    return add_unknown(value, row.unknown) if row.unknown else value


def read_part(model: type[PartT], value: bytes) -> PartT:
    """Decode a part of a row.

    Args:
        model: The part's type.
        value: The changelog record's value, JSON.

    Raises:
        ValidationError: If the value is not a part of that type.

    """
    part: PartT = _codec(model).lenient.validate_json(value)
    return part


def write_part(part: Any) -> bytes:
    """Encode a part of a row as a changelog record's value: compact JSON."""
    return _codec(type(part)).serializer.to_json(part, exclude_none=True)


def row_data(row: Row) -> dict[str, Any]:
    """Return a row as JSON data."""
    data: dict[str, Any] = _codec(type(row)).serializer.to_python(row, mode="json")
    return data


def _codec(model: Any) -> _Codec:
    found = _CODECS.get(model)
    if found is None:
        adapter = TypeAdapter(model)
        if not isinstance(adapter.serializer, SchemaSerializer):
            raise TypeError(model)
        schema = adapter.core_schema
        found = _CODECS[model] = _Codec(
            # Not with the validators that models bring along, which ignore unknown fields.
            SchemaValidator(_forbidding(schema), CoreConfig(hide_input_in_errors=True), _use_prebuilt=False),
            SchemaValidator(schema, CoreConfig(hide_input_in_errors=True)),
            adapter.serializer,
        )
    return found


def _forbidding(schema: Any) -> Any:
    """Return a copy of a schema whose models allow no unknown fields, whatever their own settings say."""
    if isinstance(schema, dict):
        copy = {name: _forbidding(value) for name, value in schema.items()}
        if copy.get("type") in {"dataclass-args", "model-fields"}:
            copy["extra_behavior"] = "forbid"
        return copy
    return [_forbidding(each) for each in schema] if isinstance(schema, list) else schema
