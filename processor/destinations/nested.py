"""Lists and records in a payload; what is wrong inside says where: `[2].sku: required, but null`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from processor.destinations.numbers import MAX_INTEGER, number
from processor.destinations.texts import text
from processor.expressions.source import define
from processor.fields import Converter, Field, located
from processor.kinds import kind

_NAME = text(shortest=1)
_TEXT = text()
_NUMBER = number(-MAX_INTEGER)
_NUMBERS = frozenset({int, float, Decimal})


def list_of(convert_item: Converter, *, shortest: int = 0) -> Converter:
    """Make a converter of an array.

    Args:
        convert_item: makes what is sent of one element.
        shortest: 0, or 1 where the array must not be empty.
    """

    def convert(value: Any) -> list[Any]:
        if type(value) is not list:
            raise ValueError(f"{kind(value)} is not an array")
        if len(value) < shortest:
            raise ValueError("the array is empty")
        sent: list[Any] = []
        try:
            for item in value:
                sent.append(convert_item(item))  # noqa: PERF401 - its length says where an error is
        except ValueError as error:
            raise ValueError(located(f"[{len(sent)}]", error)) from None
        return sent

    return convert


def record(fields: Mapping[str, Field]) -> Converter:
    """Make a converter of a record with these fields and no others; optional ones that are null are left out."""

    def misfit(value: Any) -> ValueError:
        if type(value) is not dict:
            return ValueError(f"{kind(value)} is not a record")
        # Not by its name: the keys of an Avro map are data.
        return ValueError(f"the record has a field that the vendor does not know; there are {', '.join(fields)}")

    names = {"knows_all": frozenset(fields).issuperset, "misfit": misfit, "located": located}
    body = ["if s.__class__ is not dict or not knows_all(s): raise misfit(s)", "o = {}"]
    for at, (name, field) in enumerate(fields.items()):
        names[f"c{at}"] = field.converter
        missing = f"raise ValueError({f'.{name}: required, but null'!r})"
        refused = f"raise ValueError(located({f'.{name}'!r}, e)) from None"
        body += [
            f"v = s.get({name!r})",
            *field.assignment(f"o[{name!r}]", f"c{at}", missing=missing, refused=refused),
        ]
    return define("record", "s", [*body, "return o"], names)


def properties(value: Any) -> dict[str, Any]:
    """A record of any names with texts, numbers and flags; those that are null are left out.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not dict:
        raise ValueError(f"{kind(value)} is not a record")
    return {_NAME(name): _property(found) for name, found in value.items() if found is not None}


def _property(value: Any) -> Any:
    if type(value) is str:
        return _TEXT(value)
    if type(value) is bool:
        return value
    if type(value) in _NUMBERS:
        return _NUMBER(value)
    raise ValueError(f"{kind(value)} is no property; texts, numbers, true and false are")
