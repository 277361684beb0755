"""The library's own interpreter with our functions and comparators: what the compiled source is measured against."""

from collections.abc import Callable
from typing import Any

from jmespath.visitor import TreeInterpreter

from processor.expressions.source import Functions, Node
from processor.expressions.values import COMPARATORS, WrongValueError
from processor.records import Event


class Interpreter(TreeInterpreter):
    """Paths, projections and logic are the library's; a call checks its arguments one by one, by the declaration."""

    def __init__(self, functions: Functions, event: Event) -> None:
        super().__init__()
        self._table = functions
        self._event = event

    def visit_comparator(self, node: Any, value: Any) -> Any:
        """Our order and equality; the library would give null before it asks for the order."""
        left, right = (self.visit(child, value) for child in node["children"])
        return COMPARATORS[node["value"]](left, right)

    def visit_expref(self, node: Any, value: Any) -> Any:  # noqa: ARG002 - the library's signature
        """`&expression` is called with a value."""
        return lambda item: self.visit(node["children"][0], item)

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        """The null rule, then the kinds, then the call."""
        function = self._table[node["value"]]
        arguments = [self.visit(child, value) for child in node["children"]]
        if None in arguments and not function.takes_null and not function.strict:
            return None
        for at, argument in enumerate(arguments):
            null = argument is None and function.takes_null and not function.strict
            if not null and not function.kind_of(at).takes(argument):
                raise WrongValueError(function.name)
        return function.call(*([self._event] if function.context else []), *arguments)


def interpreted(node: Node, functions: Functions) -> Callable[[Any, Event], Any]:
    """A tree as a function like the compiled one."""
    tree: Any = node
    return lambda scope, event: Interpreter(functions, event).visit(tree, scope)
