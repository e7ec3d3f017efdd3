"""Encodes rows as JSON for changelog records, and decodes them."""

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import CoreConfig, SchemaSerializer, SchemaValidator

from services.common.decisions import Row, RowT

_CODECS: Final[dict[Any, tuple[SchemaValidator, SchemaSerializer]]] = {}
"""One for each type of row, since building one takes milliseconds. Errors hide the input, since a row may contain a
password hash, which must not reach the log."""


def read_row(model: type[RowT], value: bytes | str) -> RowT:
    """Decode a row; fields of a newer writer are ignored.

    Args:
        model: The row's type.
        value: The changelog record's value, JSON.

    Raises:
        ValidationError: If the value is not a row of that type; the text does not contain the value.

    """
    row: RowT = _codec(model)[0].validate_json(value)
    return row


def write_row(row: Row) -> bytes:
    """Encode a row as a changelog record's value: compact JSON that starts with the stamp."""
    return _codec(type(row))[1].to_json(row)


def row_data(row: Row) -> dict[str, Any]:
    """Return a row as JSON data."""
    data: dict[str, Any] = _codec(type(row))[1].to_python(row, mode="json")
    return data


def _codec(model: Any) -> tuple[SchemaValidator, SchemaSerializer]:
    found = _CODECS.get(model)
    if found is None:
        adapter = TypeAdapter(model)
        if not isinstance(adapter.serializer, SchemaSerializer):
            raise TypeError(model)
        validator = SchemaValidator(adapter.core_schema, CoreConfig(hide_input_in_errors=True))
        found = _CODECS[model] = (validator, adapter.serializer)
    return found
