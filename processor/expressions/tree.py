"""The syntax tree that the `jmespath` library's parser makes."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_INWARDS = frozenset(
    {"subexpression", "index_expression", "projection", "value_projection", "filter_projection", "flatten", "pipe"}
)
"""What is right of the first part of these is looked for inside of what that gives."""
_POSITIONS = ("first", "second", "third")


def walk(node: Node) -> Iterable[Node]:
    """A node and all below it."""
    yield node
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from walk(child)


def plain_path(node: Node) -> tuple[str, ...]:
    """The names of `a.b.c`; none for anything else."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return ()
    parts = [plain_path(child) for child in node["children"]]
    return tuple(name for part in parts for name in part) if all(parts) else ()


def root_paths(node: Node) -> Iterator[tuple[str, ...]]:
    """The paths that an expression begins with what it is given: `a.b` and `c` of `a.b[?x].y == c`."""
    if path := plain_path(node):
        yield path
        return
    children = [child for child in node["children"] if isinstance(child, Mapping)]
    for child in children[:1] if node["type"] in _INWARDS else children if node["type"] != "expref" else ():
        yield from root_paths(child)


def shown(node: Node, at: int) -> str:
    """An argument of a call as messages name it: as it is written where that is short.

    Args:
        node: the argument.
        at: its position in the call, from 0.
    """
    match node:
        case {"type": "function_expression", "value": name}:
            return f"{name}(…)"
        case {"type": "expref"}:
            return "&…"
        case {"type": "current"}:
            return "@"
        case _:
            return _written(node) or f"its {_POSITIONS[at] if at < len(_POSITIONS) else 'last'} argument"


def _written(node: Node) -> str | None:
    """`a.b[0].c`; None for what is no such path."""
    match node:
        case {"type": "field", "value": name}:
            return str(name) if _NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)
        case {"type": "index", "value": at}:
            return f"[{at}]"
        case {"type": "subexpression" | "index_expression", "children": children}:
            parts = [_written(child) for child in children]
            return None if None in parts else ".".join(part for part in parts if part).replace(".[", "[")
        case _:
            return None
