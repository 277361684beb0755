"""The judge itself: the strict reader on the specification's own examples."""

from decimal import Decimal
from typing import Any

import pytest

from tests.decode import strict
from tests.decode.strict_schema import parse
from tests.decode.strict_values import RefusedError

ENUM: Any = {"type": "enum", "name": "Foo", "symbols": ["A", "B", "C", "D"]}
TEST: Any = {
    "type": "record",
    "name": "test",
    "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}],
}
LONGS: Any = {"type": "array", "items": "long"}
DECIMAL: Any = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}


def read(schema: Any, payload: str, reader: Any = None) -> Any:
    """Read a payload given as hex."""
    return strict.read(bytes.fromhex(payload), parse(schema), None if reader is None else parse(reader))


@pytest.mark.parametrize(
    ("schema", "payload", "expected"),
    [
        *[("long", payload, value) for payload, value in (("00", 0), ("01", -1), ("02", 1), ("03", -2), ("04", 2))],
        *[("long", "7f", -64), ("long", "8001", 64)],
        ("string", "06666f6f", "foo"),
        (TEST, "3606666f6f", {"a": 27, "b": "foo"}),
        (ENUM, "06", "D"),
        (LONGS, "04063600", [3, 27]),
        (LONGS, "0304063600", [3, 27]),
        (["null", "string"], "00", None),
        (["null", "string"], "020261", "a"),
        (DECIMAL, "040301", Decimal("7.69")),
        ({"type": "int", "logicalType": "date"}, "eea201", "1998-07-16"),
        ({"type": "long", "logicalType": "date"}, "02", 1),
    ],
)
def test_the_examples_of_the_specification(schema: Any, payload: str, expected: Any) -> None:
    """What the specification shows is read as it says."""
    assert read(schema, payload) == expected


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ("long", ""),
        ("long", "0000"),
        ("long", "ffffffffffffffffff02"),
        ("int", "ffffffff10"),
        ("string", "01"),
        ("string", "02ff"),
        ("boolean", "02"),
        (ENUM, "08"),
        (ENUM, "01"),
        (LONGS, "0306063600"),
        ({"type": "array", "items": "null"}, "a29c0100"),
        ({"type": "int", "logicalType": "date"}, "ffffffff0f"),
    ],
)
def test_what_is_no_value_is_refused(schema: Any, payload: str) -> None:
    """Too short, too long, impossible."""
    with pytest.raises(RefusedError):
        read(schema, payload)


def test_a_reader_s_schema_adds_drops_renames_and_promotes() -> None:
    """The rules of schema resolution, each once."""
    reader = {
        "type": "record",
        "name": "renamed",
        "aliases": ["test"],
        "fields": [
            {"name": "new", "type": ["null", "long"], "default": 5},
            {"name": "number", "type": "double", "aliases": ["a"]},
        ],
    }

    assert read(TEST, "3606666f6f", reader) == {"new": 5, "number": 27.0}


def test_a_field_that_cannot_be_had_is_refused() -> None:
    """Neither written nor with a default."""
    reader = {**TEST, "fields": [{"name": "c", "type": "long"}]}

    with pytest.raises(RefusedError):
        read(TEST, "3606666f6f", reader)
