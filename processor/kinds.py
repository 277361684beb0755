"""What people call the types of event values."""

from decimal import Decimal
from typing import Any

_NAMES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "decimal",
    str: "text",
    bytes: "bytes",
    list: "array",
    dict: "record",
    type(None): "null",
}


def kind(value: Any) -> str:
    """The type of a value in the words of Avro and JSON."""
    return _NAMES.get(type(value), type(value).__name__)
