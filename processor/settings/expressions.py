"""Finds the expressions of a file, whatever else is wrong with it."""

from collections.abc import Iterator, Mapping
from typing import Any

from processor.errors import FaultPath
from processor.settings.mapped import parse_constant

PLACES = (
    ("destinations", frozenset({"when"}), frozenset({"map"})),
    ("routes", frozenset({"when", "for_each", "order_key"}), frozenset({"let", "map"})),
)
"""In each part of a section: the keys that hold one expression, and those that hold many by name."""


def find_expressions(tree: Mapping[str, Any]) -> Iterator[tuple[FaultPath, str]]:
    """Find what is read as an expression, right or not.

    Args:
        tree: the whole file after substitution.
    """
    for section, single, named in PLACES:
        for name, part in _entries(tree.get(section)):
            for key, value in _entries(part):
                if key in single and isinstance(value, str):
                    yield (section, name, key), str(value)
                elif key in named:
                    texts = ((field, parse_constant(each)) for field, each in _entries(value))
                    yield from (((section, name, key, field), text) for field, text in texts if isinstance(text, str))


def _entries(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []
