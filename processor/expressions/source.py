"""Expressions as Python source: one function for all expressions of a route, compiled once, nothing interpreted.

`product.sku` and `product.name` become

    p1 = s.get('product')
    if p1.__class__ is not dict: p1 = EMPTY
    ... p1.get('sku') ... p1.get('name') ...

where `s` is what the expressions see and `ev` is the event. The grammar and the syntax tree are the `jmespath`
library's; what a node means is JMESPath's specification. A test compares random expressions with the library's own
interpreter.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from processor.errors import ClickstreamError
from processor.expressions.signatures import Function, checked
from processor.expressions.tree import Node, plain_path, shown
from processor.expressions.values import COMPARATORS, is_true

__all__ = ["ExpressionError", "Functions", "Node", "Source", "define"]

Functions = Mapping[str, Function]

ROOT = "s"
LITERALS = (str, int, bool, type(None))


class ExpressionError(ClickstreamError):
    """An expression that does not parse, or that fails on an event; the message never has a value in it."""


# What the source calls by name, for what one Python expression cannot say shortly.


def _field(value: Any, name: str) -> Any:
    return value.get(name) if value.__class__ is dict else None


def _index(value: Any, at: int) -> Any:
    return value[at] if value.__class__ is list and -len(value) <= at < len(value) else None


def _slice(value: Any, part: slice) -> Any:
    return value[part] if value.__class__ is list else None


def _flatten(value: Any) -> Any:
    if value.__class__ is not list:
        return None
    flat: list[Any] = []
    for item in value:
        if item.__class__ is list:
            flat += item
        else:
            flat.append(item)
    return flat


CALLED: Mapping[str, Any] = {
    "EMPTY": {},
    "get": _field,
    "at": _index,
    "part": _slice,
    "flatten": _flatten,
    "true": is_true,
    **COMPARATORS,
}


class Source:
    """The lines that expressions need before they are used, and what their names stand for.

    Args:
        functions: those of the language, by name.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._numbers = count(1)
        self._paths: dict[tuple[str, ...], str] = {(): ROOT}
        self.lines: list[str] = []
        self.names: dict[str, Any] = dict(CALLED)

    def constant(self, value: object) -> str:
        """A name for a value, or the value itself as source."""
        if value.__class__ in LITERALS:
            return repr(value)
        name = f"c{next(self._numbers)}"
        self.names[name] = value
        return name

    def expression(self, node: Node, current: str = ROOT) -> str:
        """Write one expression.

        Args:
            node: the library's syntax tree, with exact numbers.
            current: the variable that it starts from.

        Returns:
            Python source of one value; lines that it needs before it are in `lines`.
        """
        return _WRITERS[node["type"]](self, node, current)

    def take_lines(self) -> list[str]:
        """Lines that were not taken before."""
        lines, self.lines = self.lines, []
        return lines

    # Paths.

    def field(self, node: Node, current: str) -> str:
        """A field of the current value."""
        if current == ROOT:
            return f"{self._record(())}.get({node['value']!r})"
        return f"({current}.get({node['value']!r}) if {current}.__class__ is dict else None)"

    def _record(self, path: tuple[str, ...]) -> str:
        """The variable with the record at a path from the root; an empty one where there is none."""
        known = self._paths.get(path)
        if known is None:
            above = self._record(path[:-1])
            known = self._paths[path] = f"p{next(self._numbers)}"
            self.lines.append(f"{known} = {above}.get({path[-1]!r})")
            self.lines.append(f"if {known}.__class__ is not dict: {known} = EMPTY")
        return known

    def chain(self, node: Node, current: str) -> str:
        """`a.b`, `a[0]`, `a | b`: each takes what the one before gave."""
        path = plain_path(node)
        if path and current == ROOT:
            return f"{self._record(path[:-1])}.get({path[-1]!r})"
        *before, last = node["children"]
        value = self.expression(before[0], current)
        for step in [*before[1:], last]:
            value = self._step(step, value)
        return value

    def _step(self, node: Node, value: str) -> str:
        match node["type"]:
            case "index":
                return f"at({value}, {node['value']})"
            case "field":
                return f"get({value}, {node['value']!r})"
            case "slice":
                return f"part({value}, {self.constant(slice(*node['children']))})"
            case _:
                return f"{self._function_of(node)}({value})"

    def _function_of(self, node: Node) -> str:
        """An expression as a function of its current value."""
        variable = f"v{next(self._numbers)}"
        return f"(lambda {variable}: {self.expression(node, variable)})"

    def index(self, node: Node, current: str) -> str:
        """`[0]` of the current value."""
        return self._step(node, current)

    # Projections.

    def projection(self, node: Node, current: str) -> str:
        """`a[*].b`."""
        return self._project(node, current, "list")

    def value_projection(self, node: Node, current: str) -> str:
        """`a.*.b`."""
        return self._project(node, current, "dict", ".values()")

    def filter_projection(self, node: Node, current: str) -> str:
        """`a[?b].c`."""
        return self._project(node, current, "list")

    def _project(self, node: Node, current: str, kind: str, items: str = "") -> str:
        """What an expression gives for each item; nulls are left out."""
        base, right, *conditions = node["children"]
        every, item, found = (f"{letter}{next(self._numbers)}" for letter in "avt")
        passing = "".join(f" if true({self.expression(condition, item)})" for condition in conditions)
        there = f"({found} := {self.expression(right, item)}) is not None"
        # Many arrays are empty: not to loop over nothing saves a seventh of a microsecond.
        each = f"([{found} for {item} in {every}{items}{passing} if {there}] if {every} else [])"
        return f"({each} if ({every} := {self.expression(base, current)}).__class__ is {kind} else None)"

    def flatten(self, node: Node, current: str) -> str:
        """`a[]`."""
        return f"flatten({self.expression(node['children'][0], current)})"

    # What is made.

    def multi_select_list(self, node: Node, current: str) -> str:
        """`[a, b]`."""
        items = ", ".join(self.expression(child, current) for child in node["children"])
        return f"[{items}]" if current == ROOT else f"(None if {current} is None else [{items}])"

    def multi_select_dict(self, node: Node, current: str) -> str:
        """`{a: b}`."""
        pairs = ", ".join(
            f"{child['value']!r}: {self.expression(child['children'][0], current)}" for child in node["children"]
        )
        return f"{{{pairs}}}" if current == ROOT else f"(None if {current} is None else {{{pairs}}})"

    def literal(self, node: Node, _: str) -> str:
        """A constant."""
        return self.constant(node["value"])

    def current(self, _: Node, current: str) -> str:
        """`@`."""
        return current

    # Logic.

    def both(self, node: Node, current: str) -> str:
        """`a && b`."""
        left, right, variable = self._sides(node, current)
        return f"({right} if true({variable} := {left}) else {variable})"

    def either(self, node: Node, current: str) -> str:
        """`a || b`."""
        left, right, variable = self._sides(node, current)
        return f"({variable} if true({variable} := {left}) else {right})"

    def _sides(self, node: Node, current: str) -> tuple[str, str, str]:
        left, right = (self.expression(child, current) for child in node["children"])
        return left, right, f"t{next(self._numbers)}"

    def negation(self, node: Node, current: str) -> str:
        """`!a`."""
        return f"(not true({self.expression(node['children'][0], current)}))"

    def comparator(self, node: Node, current: str) -> str:
        """`a == b`; with a text on one side Python's own equality is JSON's."""
        left, right = node["children"]
        sides = self.expression(left, current), self.expression(right, current)
        texts = any(side["type"] == "literal" and isinstance(side["value"], str) for side in (left, right))
        if texts and node["value"] in {"eq", "ne"}:
            return f"({sides[0]} {'==' if node['value'] == 'eq' else '!='} {sides[1]})"
        return f"{node['value']}({sides[0]}, {sides[1]})"

    # Functions.

    def function(self, node: Node, current: str) -> str:
        """`f(a, b)`; there is such a function, and it takes so many."""
        function = self._functions[node["value"]]
        arguments = [
            self._function_of(child["children"][0]) if child["type"] == "expref" else self.expression(child, current)
            for child in node["children"]
        ]
        call = self.constant(checked(function, [shown(child, at) for at, child in enumerate(node["children"])]))
        return f"{call}({', '.join(['ev', *arguments] if function.context else arguments)})"


_WRITERS: Mapping[str, Callable[[Source, Node, str], str]] = {
    "field": Source.field,
    "subexpression": Source.chain,
    "index_expression": Source.chain,
    "pipe": Source.chain,
    "index": Source.index,
    "slice": Source.index,
    "projection": Source.projection,
    "value_projection": Source.value_projection,
    "filter_projection": Source.filter_projection,
    "flatten": Source.flatten,
    "multi_select_list": Source.multi_select_list,
    "multi_select_dict": Source.multi_select_dict,
    "literal": Source.literal,
    "current": Source.current,
    "identity": Source.current,
    "and_expression": Source.both,
    "or_expression": Source.either,
    "not_expression": Source.negation,
    "comparator": Source.comparator,
    "function_expression": Source.function,
}


def define(name: str, parameters: str, body: Sequence[str], names: dict[str, Any]) -> Callable[..., Any]:
    """Compile one function; nothing of a user's file is in its source but through repr(), as a literal."""
    text = "\n    ".join([f"def {name}({parameters}):", *body])
    exec(compile(text, f"<{name}>", "exec"), names)  # noqa: S102 - see above
    function: Callable[..., Any] = names[name]
    return function
