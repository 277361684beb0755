"""YAML without surprises: text stays text, and every value knows where it was written.

PyYAML composes the tree; its resolver is left out, because YAML 1.1 turns a country `NO` into false, `22:00`
into a number and an id of digits into an integer. The models convert instead.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from processor.errors import Fault, FaultPath

Positions = dict[FaultPath, tuple[str, int]]
"""File and 1-based line of every value, by its path."""


class Bare(str):
    """Text that stood in the file without quotes; `map` reads it as a constant where it is a number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file and where it was written.

    Attributes:
        value: text, None, a tuple of nodes, or nodes by key.
        file: the file's name as the user gave it.
        line: 1-based line of the value's key, or of the list item.
        bare: whether a text had no quotes around it.
        removed: the nulls that took keys of lower files away.
    """

    value: "str | tuple[Node, ...] | dict[str, Node] | None"
    file: str
    line: int
    bare: bool = False
    removed: "Mapping[str, Node]" = field(default_factory=dict)

    def python(self) -> Any:
        """Give the values alone: str (`Bare` where unquoted), None, list and dict."""
        match self.value:
            case dict() as entries:
                return {key: node.python() for key, node in entries.items()}
            case tuple() as items:
                return [node.python() for node in items]
            case str() as text if self.bare:
                return Bare(text)
            case text_or_none:
                return text_or_none

    def positions(self, path: FaultPath = ()) -> Positions:
        """Give the place of this value, of everything in it, and of what removed something from it."""
        found: Positions = {path: (self.file, self.line)}
        found |= {(*path, key): (node.file, node.line) for key, node in self.removed.items()}
        for key, node in self.children():
            found |= node.positions((*path, key))
        return found

    def children(self) -> "list[tuple[str | int, Node]]":
        """List what is directly in this value, by key or position."""
        match self.value:
            case dict() as entries:
                return list(entries.items())
            case tuple() as items:
                return list(enumerate(items))
            case _:
                return []

    def at(self, path: FaultPath) -> "Node | None":
        """Find what is written at `path`; None where nothing is."""
        node: Node | None = self
        for part in path:
            node = dict(node.children()).get(part) if node else None
        return node


def locate(fault: Fault, positions: Positions) -> Fault:
    """Give a fault the file and line of its value, or of the nearest key above it."""
    ancestors = (fault.path[:length] for length in range(len(fault.path), -1, -1))
    place = next((positions[path] for path in ancestors if path in positions), None)
    if fault.file or place is None:
        return fault
    path = fault.path
    if path and isinstance(path[-1], int) and path not in positions:  # a list of one, written without brackets
        path = path[:-1]
    return replace(fault, path=path, file=place[0], line=place[1])


class TextLoader(yaml.BaseLoader):
    """Composes nodes whose scalars are all text.

    Tags (`!x`) and complex keys (`?x`) are errors: nobody configures with them, but expressions begin so.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse a tag or a complex key where a value begins."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave the parser untyped
        mark = event.start_mark
        if getattr(event, "tag", None):
            raise yaml.composer.ComposerError(None, None, f"`{event.tag}` is a YAML tag", mark)
        if isinstance(event, yaml.MappingStartEvent) and mark.buffer[mark.pointer] == "?":
            raise yaml.composer.ComposerError(None, None, "`?` begins a complex key", mark)
        return super().compose_node(parent, index)


def compose(text: str) -> yaml.Node | None:
    """Parse one YAML document; None where it is empty.

    Raises:
        yaml.YAMLError: the text is no YAML, holds several documents, or uses a tag.
        RecursionError: it is nested too deep.
    """
    return yaml.compose(text, Loader=TextLoader)


def read_tree(root: yaml.MappingNode, text: str, file: str) -> tuple[Node, list[Fault]]:
    """Turn a composed file into our nodes: merges applied, top-level `x-…` keys dropped.

    Returns:
        The tree, and a fault for each duplicate key, bad merge, and expression that was cut by a comment.

    Raises:
        RecursionError: an anchor contains itself.
    """
    reader = _Reader(text, file)
    tree = reader.mapping(root, (), 1)
    assert isinstance(tree.value, dict)  # noqa: S101  # `mapping` makes nothing else; tells the type checker
    kept = {key: node for key, node in tree.value.items() if not key.startswith("x-")}
    return replace(tree, value=kept), reader.faults


def merge(lower: Node, upper: Node, nulls: frozenset[tuple[str, ...]] = frozenset()) -> Node:
    """Put one file's tree over another's.

    Mappings merge deep, lists and texts are replaced, and null removes what the lower file set (where it set
    nothing, null stays a value). The place of a value is where it was set last.

    Args:
        lower: what is covered.
        upper: what wins.
        nulls: paths, with `*` for any key, where null is a value that differs from an absent key: it replaces.
    """
    if not (isinstance(lower.value, dict) and isinstance(upper.value, dict)):
        return upper
    merged, removed = dict(lower.value), dict(lower.removed)
    for key, node in upper.value.items():
        below = frozenset(path[1:] for path in nulls if path and path[0] in {key, "*"})
        if key not in merged:
            merged[key] = node
        elif node.value is None and () not in below:
            del merged[key]
            removed[key] = node
        else:
            merged[key] = merge(merged[key], node, below)
    return replace(upper, value=merged, removed=removed)


class _Reader:
    """Reads one composed file; collects its faults on the way."""

    def __init__(self, text: str, file: str) -> None:
        self.faults: list[Fault] = []
        self._text = text
        self._file = file

    def mapping(self, node: yaml.MappingNode, path: FaultPath, line: int) -> Node:
        own: dict[str, Node] = {}
        first: dict[str, int] = {}
        merged: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key_line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(path, key_line, "a key must be text", "put quotes around it")
            elif key_node.value == "<<" and key_node.style is None:
                merged = {**self._merged(value_node, path, key_line), **merged}
            elif key_node.value in own:
                message = f"the key is set twice, first in line {first[key_node.value]}"
                self._fault((*path, key_node.value), key_line, message, "remove one of the two")
            else:
                first[key_node.value] = key_line
                own[key_node.value] = self._value(value_node, (*path, key_node.value), key_line)
        return Node(merged | own, self._file, line)

    def _value(self, node: yaml.Node, path: FaultPath, line: int) -> Node:
        match node:
            case yaml.MappingNode():
                return self.mapping(node, path, line)
            case yaml.ScalarNode():
                return self._scalar(node, path, line)
            case _:
                items = (self._value(item, (*path, at), _line(item)) for at, item in enumerate(node.value))
                return Node(tuple(items), self._file, line)

    def _scalar(self, node: yaml.ScalarNode, path: FaultPath, line: int) -> Node:
        bare = node.style is None
        if bare and node.value in {"null", "~", ""}:
            return Node(None, self._file, line)
        if bare:
            self._check_cut(node, path)
        return Node(node.value, self._file, line, bare)

    def _merged(self, node: yaml.Node, path: FaultPath, line: int) -> Mapping[str, Node]:
        """Read what `<<` brings in; of several mappings the first one wins, as YAML has it."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        entries: dict[str, Node] = {}
        for source in sources:
            if isinstance(source, yaml.MappingNode):
                values = self.mapping(source, path, line).value
                entries = {**values, **entries} if isinstance(values, dict) else entries
            else:
                self._fault((*path, "<<"), line, "`<<` merges mappings only", "write `<<: *anchor`")
        return entries

    def _check_cut(self, node: yaml.ScalarNode, path: FaultPath) -> None:
        """Convict an expression that YAML ended early, at ` #` or, within `{}` and `[]`, at a comma."""
        rest = self._text[node.end_mark.index :].partition("\n")[0].strip()
        if rest[:1] in {"#", ","} and is_unfinished(node.value):
            message = f"YAML ends this expression at `{rest[0]}`: `{node.value}`"
            self._fault(path, _line(node), message, "put quotes around the whole expression")

    def _fault(self, path: FaultPath, line: int, message: str, fix: str) -> None:
        self.faults.append(Fault(path, message, fix, file=self._file, line=line))


def is_unfinished(text: str) -> bool:
    """Tell whether brackets or quotes are left open; an apostrophe within a word is none."""
    text = re.sub(r"(?<=\w)'(?=\w)", "", text)
    odd = any(text.count(mark) % 2 for mark in "'\"`")
    return odd or any(text.count(left) != text.count(right) for left, right in ("()", "[]", "{}"))


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
