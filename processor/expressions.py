"""JMESPath expressions, compiled once.

Plain paths (`product.sku`), which are nearly all, become closures; the rest goes to the `jmespath` interpreter.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from processor.errors import ClickstreamError

Scope = Mapping[str, Any]
"""What an expression sees: the event's fields, and `item` inside a `for_each`."""
Compiled = Callable[[Scope], Any]


class ExpressionError(ClickstreamError):
    """An expression that does not parse, or that fails on an event; the message never has a value in it."""


def compile_expression(text: str) -> Compiled:
    """Compile one expression.

    Raises:
        ExpressionError: it does not parse.
    """
    try:
        parsed = jmespath.compile(text)
    except JMESPathError as error:
        raise ExpressionError(_one_line(error)) from error
    path = _plain_path(parsed.parsed)
    return _walk(path) if path else _interpret(text, parsed.search)


def is_true(value: Any) -> bool:
    """JMESPath's idea of truth: null, false and what is empty are not; 0 is."""
    return value is not None and value is not False and value not in ("", [], {})


def _plain_path(node: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The field names of `a.b.c`; None for anything else."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return None
    parts = [_plain_path(child) for child in node["children"]]
    return tuple(name for part in parts if part for name in part) if all(parts) else None


def _walk(path: tuple[str, ...]) -> Compiled:
    first, *rest = path
    if not rest:
        return lambda scope: scope.get(first)
    if len(rest) == 1:
        second = rest[0]

        def two(scope: Scope) -> Any:
            value = scope.get(first)
            return value.get(second) if isinstance(value, dict) else None

        return two

    def many(scope: Scope) -> Any:
        value = scope.get(first)
        for name in rest:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    return many


def _interpret(text: str, search: Callable[[Any], Any]) -> Compiled:
    def interpreted(scope: Scope) -> Any:
        try:
            return search(scope)
        except Exception as error:
            # The library's words would show the value, which may be personal data; its functions also leak
            # TypeError and the like for kinds of values that JSON does not have.
            raise ExpressionError(f"{text}: {type(error).__name__}") from error

    return interpreted


def _one_line(error: JMESPathError) -> str:
    return " ".join(str(error).split())
