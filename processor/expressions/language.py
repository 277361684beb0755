"""One expression: from its text to a syntax tree that is known to be good, and to a function of what it sees."""

from collections.abc import Callable, Mapping
from typing import Any

from processor.expressions import grammar
from processor.expressions.event_functions import EVENT_FUNCTIONS, lookup_function
from processor.expressions.jmespath_functions import JMESPATH
from processor.expressions.number_functions import NUMBER_FUNCTIONS
from processor.expressions.signatures import Function
from processor.expressions.source import ExpressionError, Functions, Source, define
from processor.expressions.text_functions import TEXT_FUNCTIONS, compile_pattern
from processor.expressions.time_functions import TIME_FUNCTIONS, age_function, check_format, find_zone
from processor.expressions.tree import Node, walk
from processor.expressions.values import WrongValueError, is_true
from processor.kinds import kind
from processor.records import Event
from processor.settings.wording import nearest

__all__ = ["Compiled", "ExpressionError", "Language", "Scope", "is_true", "words"]

Scope = Mapping[str, Any]
"""What an expression sees: the event's fields, names of `let`, and `item` inside a `for_each`."""
Compiled = Callable[[Scope, Event], Any]

JUDGED: Mapping[tuple[str, int], Callable[[str], object]] = {
    ("regex_match", 1): compile_pattern,
    ("regex_extract", 1): compile_pattern,
    ("regex_replace", 1): compile_pattern,
    ("parse_time", 1): check_format,
    ("parse_time", 2): find_zone,
}
"""What judges an argument that is written out, before any event comes: by function and position."""

ELSEWHERE: Mapping[str, str] = {
    "coalesce": "default",
    "nvl": "default",
    "ifnull": "default",
    "len": "length",
    "size": "length",
    "count": "length",
    "substring": "truncate",
    "substr": "truncate",
    "left": "truncate",
    "int": "to_integer",
    "float": "to_number",
    "number": "to_number",
    "str": "to_string",
    "string": "to_string",
    "tojson": "to_string",
    "strip": "trim",
    "tolower": "lower",
    "lowercase": "lower",
    "toupper": "upper",
    "uppercase": "upper",
    "hash": "sha256",
    "strptime": "parse_time",
    "iif": "a && b || c",
    "if": "a && b || c",
}
"""What other languages call our functions."""

SPARE_DEPTH = 20
"""How much deeper than by itself an expression may stand in the source of a route."""


class Language:
    """The functions of one configuration, and what compiles with them.

    Args:
        tables: what finds a key in each table of the file.
        wall: the clock for `age`, seconds since 1970.
    """

    def __init__(self, tables: Mapping[str, Callable[[str], str | None]], wall: Callable[[], float]) -> None:
        every = (
            *JMESPATH,
            *NUMBER_FUNCTIONS,
            *TEXT_FUNCTIONS,
            *TIME_FUNCTIONS,
            age_function(wall),
            lookup_function(tables),
            *EVENT_FUNCTIONS,
        )
        self._tables = tables
        self.functions: Functions = {function.name: function for function in every}

    def parse(self, text: str) -> Node:
        """Parse and check an expression.

        Raises:
            ExpressionError: it does not parse, or no event could ever pass it; the message is for who wrote it.
        """
        if text.strip() == "[]":
            raise ExpressionError("`[]` flattens the event; an empty list is written without quotes")
        try:
            node = grammar.parse(text)
            self._check(node)
            self._try(node)
        except (RecursionError, MemoryError, SyntaxError):
            raise ExpressionError("is nested too deep, or has too many parts") from None
        return node

    def compile(self, text: str) -> Compiled:
        """Compile one expression.

        Returns:
            A function that raises `ExpressionError` where the expression fails on an event.

        Raises:
            ExpressionError: it does not parse.
        """
        source = Source(self.functions)
        value = source.expression(self.parse(text))
        body = [*source.lines, "try:", f"    return {value}", "except Exception as e: raise told(e) from None"]
        source.names["told"] = lambda error: ExpressionError(words(text, error))
        return define("expression", "s, ev", body, source.names)

    def _try(self, node: Node) -> None:
        """Compile it as deep as it may stand; Python has limits."""
        source = Source(self.functions)
        value = f"{'(' * SPARE_DEPTH}{source.expression(node)}{')' * SPARE_DEPTH}"
        define("trial", "s, ev", [*source.lines, f"return {value}"], source.names)

    def _check(self, node: Node) -> None:
        if node["type"] == "expref":
            raise ExpressionError("& is for arguments of functions only: sort_by(lines, &price)")
        for each in walk(node):
            if each["type"] == "function_expression":
                self._check_call(each)
            elif each["type"] == "slice" and each["children"][2] == 0:
                raise ExpressionError("the step of a slice cannot be 0")
            elif any(child["type"] == "expref" for child in each["children"] if isinstance(child, Mapping)):
                raise ExpressionError("& is for arguments of functions only: sort_by(lines, &price)")

    def _check_call(self, node: Node) -> None:
        function = self._function(node["value"])
        arguments = node["children"]
        if not function.takes(len(arguments)):
            count = "1 argument" if len(arguments) == 1 else f"{len(arguments) or 'no'} arguments"
            raise ExpressionError(f"{function.name}() is called with {count}; it is {function.signature}")
        for at, argument in enumerate(arguments):
            _check_argument(function, at, argument)
            if argument["type"] == "literal" and argument["value"] is not None:
                self._check_literal(function.name, at, argument["value"])

    def _function(self, name: str) -> Function:
        known = self.functions.get(name)
        if known is None:
            raise ExpressionError(f"unknown function {name}(){self._meant(name)}")
        return known

    def _meant(self, name: str) -> str:
        plain = name.lower().replace("_", "")
        if meant := ELSEWHERE.get(plain):
            return f"; here it is {meant}{'()' if meant in self.functions else ''}"
        near = nearest(name.lower(), self.functions)
        return f", did you mean {near}()?" if near else ""

    def _check_literal(self, name: str, at: int, value: Any) -> None:
        """Patterns, formats, zones and tables that are written out are judged before any event comes."""
        try:
            JUDGED.get((name, at), _anything)(value)
        except WrongValueError as error:
            raise ExpressionError(f"{name}(): {error}") from None
        if (name, at) == ("lookup", 0) and value not in self._tables:
            near = nearest(value, self._tables)
            hint = f"did you mean {near}?" if near else f"`tables` has: {', '.join(self._tables) or 'none'}"
            raise ExpressionError(f"lookup(): there is no table {value}; {hint}")


def _anything(_value: object) -> None:
    """Judges what need not be judged."""


def _check_argument(function: Function, at: int, argument: Node) -> None:
    wanted = function.kind_of(at)
    literal = argument["type"] == "literal" and argument["value"] is not None
    if wanted.expression == (argument["type"] == "expref") and not (literal and not wanted.takes(argument["value"])):
        return
    name = function.parameters[min(at, len(function.parameters) - 1)][0]
    given, advice = "", ""
    if literal:
        given = f", not {kind(argument['value'])}"
        advice = f"; between backticks is a number: `{argument['value']}`" if _is_number(argument["value"]) else ""
    raise ExpressionError(f"{function.name}() wants {wanted.name} for {name}{given}: {function.signature}{advice}")


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.replace(".", "", 1).isdigit()


def words(text: str, error: Exception) -> str:
    """Why an expression failed on an event, without any value."""
    reason = str(error) if isinstance(error, WrongValueError) else f"{type(error).__name__}"
    return f"{text}: {reason}"
