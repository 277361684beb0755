"""JMESPath's syntax tree as plain Python closures, several times faster than walking the tree per event.

The grammar and the tree are the `jmespath` library's, and so are the functions; what a node means is the JMESPath
specification. A test compares every kind of node with the library's own interpreter.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from jmespath.functions import Functions

Node = Mapping[str, Any]
Closure = Callable[[Any], Any]

_FUNCTIONS = Functions()
_NUMBERS = (int, float, Decimal)


class NotCompiledError(Exception):
    """A kind of node that only the interpreter knows (`&expression` arguments)."""


class UnknownFunctionError(Exception):
    """A function that does not exist: every event would fail on it."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        near = get_close_matches(name, list(known), 1)
        super().__init__(f"unknown function {name}()" + (f", did you mean {near[0]}()?" if near else ""))


def is_true(value: Any) -> bool:
    """JMESPath's idea of truth: null, false and what is empty are not; 0 is."""
    return value is not None and value is not False and value not in ("", [], {})


def compile_node(node: Node) -> Closure:
    """Compile a node and all below it.

    Raises:
        NotCompiledError: it holds a node that only the interpreter knows.
    """
    maker = _MAKERS.get(node["type"])
    if maker is None:
        raise NotCompiledError(node["type"])
    return maker(node, [compile_node(child) for child in node["children"] if isinstance(child, Mapping)])


def _field(node: Node, _: Sequence[Closure]) -> Closure:
    name = node["value"]
    return lambda value: value.get(name) if isinstance(value, dict) else None


def _chain(_: Node, steps: Sequence[Closure]) -> Closure:
    """`a.b`, `a[0]`, `a | b`: each step takes what the one before gave."""
    if len(steps) == 2:  # noqa: PLR2004 - nearly all
        first, second = steps
        return lambda value: second(first(value))

    def chain(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return chain


def _index(node: Node, _: Sequence[Closure]) -> Closure:
    at = node["value"]

    def index(value: Any) -> Any:
        return value[at] if isinstance(value, list) and -len(value) <= at < len(value) else None

    return index


def _slice(node: Node, _: Sequence[Closure]) -> Closure:
    part = slice(*node["children"])
    return lambda value: value[part] if isinstance(value, list) else None


def _projection(_: Node, children: Sequence[Closure]) -> Closure:
    base, right = children

    def projection(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, list):
            return None
        return [found for element in elements if (found := right(element)) is not None]

    return projection


def _value_projection(_: Node, children: Sequence[Closure]) -> Closure:
    base, right = children

    def projection(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, dict):
            return None
        return [found for element in elements.values() if (found := right(element)) is not None]

    return projection


def _filter_projection(_: Node, children: Sequence[Closure]) -> Closure:
    base, right, condition = children

    def projection(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, list):
            return None
        passing = (element for element in elements if is_true(condition(element)))
        return [found for element in passing if (found := right(element)) is not None]

    return projection


def _flatten(_: Node, children: Sequence[Closure]) -> Closure:
    (base,) = children

    def flatten(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, list):
            return None
        flat: list[Any] = []
        for element in elements:
            if isinstance(element, list):
                flat += element
            else:
                flat.append(element)
        return flat

    return flatten


def _multi_select_list(_: Node, children: Sequence[Closure]) -> Closure:
    return lambda value: None if value is None else [child(value) for child in children]


def _multi_select_dict(node: Node, children: Sequence[Closure]) -> Closure:
    pairs = tuple(zip([child["value"] for child in node["children"]], children, strict=True))
    return lambda value: None if value is None else {key: child(value) for key, child in pairs}


def _only(_: Node, children: Sequence[Closure]) -> Closure:
    return children[0]


def _literal(node: Node, _: Sequence[Closure]) -> Closure:
    constant = node["value"]
    return lambda _: constant


def _current(_: Node, __: Sequence[Closure]) -> Closure:
    return lambda value: value


def _and(_: Node, children: Sequence[Closure]) -> Closure:
    left, right = children

    def both(value: Any) -> Any:
        found = left(value)
        return right(value) if is_true(found) else found

    return both


def _or(_: Node, children: Sequence[Closure]) -> Closure:
    left, right = children

    def either(value: Any) -> Any:
        found = left(value)
        return found if is_true(found) else right(value)

    return either


def _not(_: Node, children: Sequence[Closure]) -> Closure:
    (child,) = children
    return lambda value: not is_true(child(value))


def _comparator(node: Node, children: Sequence[Closure]) -> Closure:
    left, right = children
    compare = _COMPARATORS[node["value"]]
    return lambda value: compare(left(value), right(value))


def equals(left: Any, right: Any) -> bool:
    """Equality as JSON has it: `true` is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    """Only numbers are ordered, and texts; anything else gives null."""

    def ordered(left: Any, right: Any) -> bool | None:
        return compare(left, right) if _has_order(left) and _has_order(right) else None

    return ordered


def _has_order(value: Any) -> bool:
    return isinstance(value, (str, *_NUMBERS)) and not isinstance(value, bool)


_COMPARATORS: Mapping[str, Callable[[Any, Any], bool | None]] = {
    "eq": equals,
    "ne": lambda left, right: not equals(left, right),
    "lt": _ordered(lambda left, right: left < right),
    "lte": _ordered(lambda left, right: left <= right),
    "gt": _ordered(lambda left, right: left > right),
    "gte": _ordered(lambda left, right: left >= right),
}


def _function(node: Node, children: Sequence[Closure]) -> Closure:
    name = node["value"]
    if name not in _FUNCTIONS.FUNCTION_TABLE:
        raise UnknownFunctionError(name, _FUNCTIONS.FUNCTION_TABLE)
    call = _FUNCTIONS.call_function
    return lambda value: call(name, [child(value) for child in children])


_MAKERS: Mapping[str, Callable[[Node, Sequence[Closure]], Closure]] = {
    "field": _field,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "slice": _slice,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter_projection,
    "flatten": _flatten,
    "multi_select_list": _multi_select_list,
    "multi_select_dict": _multi_select_dict,
    "key_val_pair": _only,
    "literal": _literal,
    "current": _current,
    "identity": _current,
    "and_expression": _and,
    "or_expression": _or,
    "not_expression": _not,
    "comparator": _comparator,
    "function_expression": _function,
}
