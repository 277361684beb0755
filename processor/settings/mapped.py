"""What a route's `map`, `let` and `order_key` may hold: expressions, constants, a Python function."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal

from pydantic import PlainValidator, TypeAdapter

from processor.settings.texts import check_expression
from processor.settings.values import invalid
from processor.settings.yaml import Bare

BARE_NUMBER = re.compile(r"-?(0|[1-9]\d{0,30})(\.\d{1,30})?")
"""A JSON number without exponent; `007` and `1e5` are ids rather than numbers."""

NUMBER_LIKE = re.compile(r"[+-]?\.?\d")
"""How no JMESPath expression begins."""

HOOK = re.compile(r"python:(?P<path>[^\W\d]\w*(\.[^\W\d]\w*)+)")
"""`python:package.module.function`."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath expression, not compiled yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Constant:
    """What is the same for every event: str, bool, int, Decimal, or a list or mapping of them and None."""

    value: Any


class OrderKey(Enum):
    """What `order_key` is where a route does not set it."""

    DEFAULT = "default"


DEFAULT: Final = OrderKey.DEFAULT
"""The method's own order key."""


def parse_order_key(value: object) -> str | OrderKey | None:
    """Read an order key: an expression, or None for no order.

    Raises:
        PydanticCustomError: it is neither.
    """
    if value is None or isinstance(value, OrderKey):
        return value
    if not isinstance(value, str):
        raise invalid("must be an expression, or null for no order", "put quotes around it")
    return check_expression(str(value))


def parse_mapped(value: object) -> Expression | Constant:
    """Read a value of `map`: text is an expression, all else is a constant.

    Raises:
        PydanticCustomError: it is empty or a `const` of something else than text.
    """
    match value:
        case Expression() | Constant():
            return value
        case {"const": str(text), **rest} if not rest:
            return Constant(str(text))
        case {"const": _, **rest} if not rest:
            raise invalid("`const` takes a text", "write a list or a mapping without `const`")
        case None:
            raise invalid("has no value", "write an expression, or remove the key")
        case str(text) if isinstance(constant := parse_constant(value), str):
            _refuse_odd(text)
            return Expression(constant)
        case _:
            return Constant(parse_constant(value))


def _refuse_odd(text: str) -> None:
    """Refuse what is no expression, or one by mistake only."""
    if not text.strip():
        raise invalid("must not be empty", "write an expression, or {const: ''} for an empty text")
    if text.lower() in {"true", "false"}:
        fix = f"the constant is written bare: {text.lower()}; a text in const: {{const: …}}"
        raise invalid(f"names a field called {text}", fix)
    if NUMBER_LIKE.match(text):
        fix = "numbers are written bare and as JSON has them: 5, 9.99; texts in const: {const: …}"
        raise invalid("is no expression", fix)


def parse_constant(value: object) -> object:
    """Read a constant; text without quotes is a number, `true` or `false` where it looks so, at any depth."""
    match value:
        case Bare("true" | "false"):
            return value == "true"
        case Bare() if match_ := BARE_NUMBER.fullmatch(value):
            return Decimal(value) if match_[2] else int(value)
        case str():
            return str(value)
        case Mapping():
            return {str(key): parse_constant(item) for key, item in value.items()}
        case list() | tuple():
            return [parse_constant(item) for item in value]
        case _:
            return value


@dataclass(frozen=True, slots=True)
class PythonHook:
    """A function `f(event, item, record) -> dict | None` that makes the payload in place of a mapping.

    Attributes:
        path: `package.module.function`.
    """

    path: str


MappedValue = Annotated[Expression | Constant, PlainValidator(parse_mapped)]
"""What one field of a payload is made from."""

_FIELDS = TypeAdapter(dict[str, MappedValue])


def parse_map(value: object) -> dict[str, Expression | Constant] | PythonHook:
    """Read a route's `map`: a mapping of fields, or `python:package.module.function`.

    Raises:
        PydanticCustomError: it is another text.
        ValidationError: it is no mapping, or one of its fields is wrong.
    """
    if isinstance(value, PythonHook):
        return value
    if not isinstance(value, str):
        return _FIELDS.validate_python(value)
    if match := HOOK.fullmatch(value):
        return PythonHook(match["path"])
    raise invalid(
        "is neither a mapping nor a Python function", "`field: expression` lines, or python:package.module.function"
    )


OrderKeyValue = Annotated[str | Literal[OrderKey.DEFAULT] | None, PlainValidator(parse_order_key)]
FieldMap = Annotated[dict[str, Expression | Constant] | PythonHook, PlainValidator(parse_map)]
