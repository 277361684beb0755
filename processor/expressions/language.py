"""One expression: from its text to a function of what it sees."""

from collections.abc import Callable, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from processor.errors import ClickstreamError
from processor.expressions.closures import NotCompiledError, UnknownFunctionError, compile_node, is_true

__all__ = ["Compiled", "ExpressionError", "Scope", "compile_expression", "is_true"]

Scope = Mapping[str, Any]
"""What an expression sees: the event's fields, and `item` inside a `for_each`."""
Compiled = Callable[[Scope], Any]


class ExpressionError(ClickstreamError):
    """An expression that does not parse, or that fails on an event; the message never has a value in it."""


def compile_expression(text: str) -> Compiled:
    """Compile one expression.

    Returns:
        A function that raises `ExpressionError` where the expression fails on an event.

    Raises:
        ExpressionError: it does not parse.
    """
    try:
        parsed = jmespath.compile(text)
    except JMESPathError as error:
        raise ExpressionError(" ".join(str(error).split())) from error
    try:
        run = compile_node(parsed.parsed)
    except NotCompiledError:
        run = parsed.search
    except UnknownFunctionError as error:
        raise ExpressionError(str(error)) from error
    return run if _cannot_fail(parsed.parsed) else _guarded(text, run)


def _cannot_fail(node: Mapping[str, Any]) -> bool:
    """A plain path gives null where there is nothing; it needs no guard."""
    return node["type"] == "field" or (node["type"] == "subexpression" and all(map(_cannot_fail, node["children"])))


def _guarded(text: str, run: Compiled) -> Compiled:
    def guarded(scope: Scope) -> Any:
        try:
            return run(scope)
        except Exception as error:
            # The library's words would show the value, which may be personal data; its functions also leak
            # TypeError and the like for kinds of values that JSON does not have.
            raise ExpressionError(f"{text}: {type(error).__name__}") from error

    return guarded
