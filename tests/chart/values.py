"""The chart's values as they stand in values.yaml: each with its default, its type and the comment above it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.chart.rendering import CHART, Json

VALUES = CHART / "values.yaml"


@dataclass(frozen=True)
class Value:
    """One value that a user sets.

    Attributes:
        path: `("image", "tag")`.
        meaning: the comment above it, or above the group that it is in and that has one for all.
        kind: its type, in words.
    """

    path: tuple[str, ...]
    default: Any
    kind: str
    meaning: str

    @property
    def name(self) -> str:
        """As people write it."""
        return ".".join(self.path)


@cache
def schema() -> Json:
    """values.schema.json."""
    return dict(json.loads((CHART / "values.schema.json").read_text()))


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of the schema, with the definition that it names in its place."""
    name = node.get("$ref", "").removeprefix("#/definitions/")
    found: Mapping[str, Any] = schema()["definitions"][name] if name else node
    return found


def documented() -> list[Value]:
    """All values, in the order of the file.

    A group of which each key has a comment gives a value for each; any other one is one value.
    """
    text = VALUES.read_text()
    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    return list(_values(root, (), schema(), text.splitlines()))


def _values(
    node: yaml.MappingNode, above: tuple[str, ...], known: Mapping[str, Any], lines: list[str]
) -> Iterator[Value]:
    for key, child in node.value:
        path = (*above, key.value)
        part = resolved(known["properties"][key.value])
        comment = _comment(lines, key.start_mark.line)
        if isinstance(child, yaml.MappingNode) and not comment and "properties" in part:
            yield from _values(child, path, part, lines)
        else:
            yield Value(path, yaml.safe_load(yaml.serialize(child)), _kind(part), comment)


def _comment(lines: list[str], at: int) -> str:
    """The comment right above a line, as one text."""
    first = at
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(line.strip().removeprefix("#").strip() for line in lines[first:at])


def _kind(part: Mapping[str, Any]) -> str:
    """A schema's type as people say it."""
    if "enum" in part:
        return " or ".join(f"`{each}`" for each in part["enum"])
    if "anyOf" in part:
        return "number or percentage"
    words = {"object": "mapping", "array": "list", "string": "text", "boolean": "`true` or `false`", "null": "null"}
    types = part.get("type", "string")
    return " or ".join(words.get(each, each) for each in ([types] if isinstance(types, str) else types))
