"""Rows to JSON and back: what a changelog record holds of a row."""

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import CoreConfig, SchemaSerializer, SchemaValidator

from services.common.decisions import Row, RowT

_CODECS: Final[dict[Any, tuple[SchemaValidator, SchemaSerializer]]] = {}
"""Made once for each type of row: making one takes milliseconds. An error's text holds no input, for a row may hold
what no log line shall, such as a password hash."""


def read_row(model: type[RowT], value: bytes | str) -> RowT:
    """Return the row that a changelog record holds. Unknown fields are ignored (a newer writer).

    Args:
        model: The row's type.
        value: The record's value, JSON.

    Raises:
        ValidationError: If it is no such row; its text holds nothing of the value.

    """
    row: RowT = _codec(model)[0].validate_json(value)
    return row


def write_row(row: Row) -> bytes:
    """Return a row as a changelog record's value: compact JSON that begins with the row's stamp."""
    return _codec(type(row))[1].to_json(row)


def row_data(row: Row) -> dict[str, Any]:
    """Return a row's data in JSON's types."""
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
