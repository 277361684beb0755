"""JMESPath's own functions (its specification, "Built-in Functions"), with exact numbers."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import orjson

from processor.expressions.signatures import (
    ANY,
    ARRAY,
    EXPRESSION,
    MEASURED,
    NUMBER,
    NUMBER_ARRAY,
    ORDERED,
    RECORD,
    TEXT,
    TEXT_OR_ARRAY,
    TEXTS,
    Function,
    Implementation,
    Kind,
)
from processor.expressions.values import EXACT, NUMBERS, QUOTIENT, WrongValueError, equals, exact, is_sensible
from processor.kinds import kind

Expression = Callable[[Any], Any]


def _sum(numbers: Sequence[Any]) -> Any:
    total: Any = 0
    for number in numbers:
        total = plus(total, number)
    return total


def plus(left: Any, right: Any) -> Any:
    """A sum without rounding."""
    left, right = exact(left), exact(right)
    if left.__class__ is int and right.__class__ is int:
        return left + right
    return EXACT.add(_decimal(left), _decimal(right))


def _decimal(value: Any) -> Decimal:
    return value if value.__class__ is Decimal else Decimal(value)


def _average(numbers: Sequence[Any]) -> Any:
    return whole(QUOTIENT.divide(_decimal(_sum(numbers)), Decimal(len(numbers)))) if numbers else None


def _absolute(value: Any) -> Any:
    """Python's own `abs` rounds a decimal to 28 digits."""
    return value.copy_abs() if value.__class__ is Decimal else abs(value)


def whole(value: Decimal) -> int | Decimal:
    """A decimal without a fraction as the integer that it is."""
    return int(value) if value == value.to_integral_value() and value.adjusted() < 40 else value  # noqa: PLR2004 - 1E+999999 is no id


def _contains(where: Any, what: Any) -> bool:
    if where.__class__ is str:
        return what.__class__ is str and what in where
    return any(equals(item, what) for item in where)


def _reverse(value: Any) -> Any:
    return value[::-1]


def _keyed(name: str, items: Sequence[Any], by: Expression) -> list[tuple[Any, Any]]:
    """What items are ordered by, and they.

    Raises:
        WrongValueError: that is neither always a number nor always a text.
    """
    keyed = [(by(item), item) for item in items]
    kinds = {"number" if key.__class__ in NUMBERS else kind(key) for key, _ in keyed}
    if len(kinds) > 1 or not kinds <= {"number", "text"}:
        found = " and ".join(sorted(kinds))
        raise WrongValueError(f"{name}() wants &… to give only numbers, or only texts, and it gives {found}")
    return [(exact(key), item) for key, item in keyed]


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def _sort_by(items: Sequence[Any], by: Expression) -> list[Any]:
    return [item for _, item in sorted(_keyed("sort_by", items, by), key=_first)]


def _max_by(items: Sequence[Any], by: Expression) -> Any:
    return max(_keyed("max_by", items, by), key=_first)[1] if items else None


def _min_by(items: Sequence[Any], by: Expression) -> Any:
    return min(_keyed("min_by", items, by), key=_first)[1] if items else None


def _max(items: Sequence[Any]) -> Any:
    return max(items, key=exact, default=None)


def _min(items: Sequence[Any]) -> Any:
    return min(items, key=exact, default=None)


def _sort(items: Sequence[Any]) -> list[Any]:
    return sorted(items, key=exact)


def _not_null(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def to_number(value: Any) -> Any:
    """A number as it is, a text that JSON would read as a number as that number, exactly; all else is null."""
    if value.__class__ in NUMBERS:
        return value
    if value.__class__ is not str:
        return None
    try:
        if value.lstrip("-").isdigit() and value.isascii():
            return int(value)
        number = Decimal(value)
    except (ArithmeticError, ValueError):
        return None
    return number if is_sensible(number) else None


def to_text(value: Any) -> str:
    """A text as it is; all else as JSON, a decimal as the number that it is."""
    if value.__class__ is str:
        return str(value)
    return json_bytes(value).decode()


def json_bytes(value: Any) -> bytes:
    """JSON of an event's value, with all digits of its numbers."""
    try:
        return orjson.dumps(value, default=_fragment)
    except TypeError:  # an integer of more than 64 bits
        return orjson.dumps(_fragments(value))


def _fragment(value: Any) -> orjson.Fragment:
    return orjson.Fragment(format(value, "f" if value.__class__ is Decimal else "d").encode())


def _fragments(value: Any) -> Any:
    match value:
        case int() | Decimal() if value.__class__ is not bool:
            return _fragment(value)
        case list():
            return [_fragments(item) for item in value]
        case dict():
            return {key: _fragments(item) for key, item in value.items()}
        case _:
            return value


_TYPES = {bool: "boolean", str: "string", list: "array", dict: "object"}


def _type(value: Any) -> str:
    return "null" if value is None else _TYPES.get(value.__class__, "number")


def _merge(*records: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for record in records:
        merged |= record
    return merged


def _ceil(value: Any) -> int:
    upwards: int = math.ceil(exact(value))
    return upwards


def _floor(value: Any) -> int:
    downwards: int = math.floor(exact(value))
    return downwards


def _to_array(value: Any) -> list[Any]:
    return value if value.__class__ is list else [value]


def _values(record: dict[str, Any]) -> list[Any]:
    return list(record.values())


def _map(by: Expression, items: Sequence[Any]) -> list[Any]:
    return [by(item) for item in items]


def _strict(
    name: str,
    parameters: Sequence[tuple[str, Kind]],
    result: str,
    meaning: str,
    call: Implementation,
    example: tuple[str, str],
    *,
    takes_null: bool = False,
    repeated: bool = False,
) -> Function:
    return Function(
        name, parameters, result, meaning, call, takes_null=takes_null, repeated=repeated, strict=True, example=example
    )


_ONE = [("x", ANY)]
_BY = [("array", ARRAY), ("expression", EXPRESSION)]
JMESPATH = (
    _strict("abs", [("x", NUMBER)], "number", "The number without its sign.",
            _absolute, ("abs(`-5`)", "5")),
    _strict("avg", [("numbers", NUMBER_ARRAY)], "number", "The average; null for an empty array.",
            _average, ("avg(lines[].price)", "15")),
    _strict("ceil", [("x", NUMBER)], "integer", "The next whole number upwards.",
            _ceil, ("ceil(product.price)", "10")),
    _strict("contains", [("x", TEXT_OR_ARRAY), ("what", ANY)], "boolean",
            "Whether an array has an item, or a text a part.",
            _contains, ("contains(product.path, 'Shoes')", "true"), takes_null=True),
    _strict("ends_with", [("text", TEXT), ("end", TEXT)], "boolean", "Whether a text ends so.",
            str.endswith, ("ends_with(email, '.com')", "true")),
    _strict("floor", [("x", NUMBER)], "integer", "The next whole number downwards.",
            _floor, ("floor(product.price)", "9")),
    _strict("join", [("glue", TEXT), ("texts", TEXTS)], "text", "The texts with the glue between them.",
            str.join, ("join(' > ', product.path)", '"Men > Shoes"')),
    _strict("keys", [("record", RECORD)], "array", "The names of a record's fields.",
            list, ("keys(page)", '["url"]')),
    _strict("length", [("x", MEASURED)], "integer", "Characters, items or fields.",
            len, ("length(lines)", "2")),
    _strict("map", [("expression", EXPRESSION), ("array", ARRAY)], "array",
            "What the expression gives for each item; nulls stay.",
            _map, ("map(&note, lines)", '["gift", null]')),
    _strict("max", [("array", ORDERED)], "number or text", "The greatest; null for an empty array.",
            _max, ("max(lines[].price)", "20.01")),
    _strict("max_by", _BY, "any", "The item for which the expression gives most.",
            _max_by, ("max_by(lines, &price).sku", '"b-2"')),
    _strict("merge", [("record", RECORD)], "record", "One record of all fields; later ones win.",
            _merge, ("merge(page, {lang: 'sv'}).lang", '"sv"'), repeated=True),
    _strict("min", [("array", ORDERED)], "number or text", "The least; null for an empty array.",
            _min, ("min(lines[].sku)", '"a-1"')),
    _strict("min_by", _BY, "any", "The item for which the expression gives least.",
            _min_by, ("min_by(lines, &price).sku", '"a-1"')),
    _strict("not_null", _ONE, "any", "The first that is not null.",
            _not_null, ("not_null(culture, market)", '"SE"'), takes_null=True, repeated=True),
    _strict("reverse", [("x", TEXT_OR_ARRAY)], "text or array", "From the last to the first.",
            _reverse, ("reverse(product.path)", '["Shoes", "Men"]')),
    _strict("sort", [("array", ORDERED)], "array", "Texts or numbers in order.",
            _sort, ("sort(lines[].price)", "[9.99, 20.01]")),
    _strict("sort_by", _BY, "array", "Items in the order of what the expression gives.",
            _sort_by, ("sort_by(lines, &quantity)[].sku", '["b-2", "a-1"]')),
    _strict("starts_with", [("text", TEXT), ("start", TEXT)], "boolean", "Whether a text begins so.",
            str.startswith, ("starts_with(product.sku, 'SKU')", "true")),
    _strict("sum", [("numbers", NUMBER_ARRAY)], "number", "The sum, exactly; 0 for an empty array.",
            _sum, ("sum(lines[].quantity)", "3")),
    _strict("to_array", _ONE, "array", "An array as it is, anything else as the only item.",
            _to_array, ("to_array(market)", '["SE"]'), takes_null=True),
    _strict("to_number", _ONE, "number", "The number in a text; null where there is none.",
            to_number, ("to_number('9.90')", "9.90"), takes_null=True),
    _strict("to_string", _ONE, "text", "A text as it is, anything else as JSON.",
            to_text, ("to_string(product.id)", '"10233"'), takes_null=True),
    _strict("type", _ONE, "text", "number, string, boolean, array, object or null.",
            _type, ("type(product.price)", '"number"'), takes_null=True),
    _strict("values", [("record", RECORD)], "array", "The values of a record's fields.",
            _values, ("values({a: market, b: `1`})", '["SE", 1]')),
)  # fmt: skip
