"""Reads configuration files and puts them over one another."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from processor.errors import Fault
from processor.settings.syntax import explain
from processor.settings.yaml import Node, compose, merge, read_tree

NULLS = frozenset({("destinations", "*", "batch"), ("routes", "*", "order_key")})
"""Where null says something of its own: single calls, no order. Without the key the default holds."""


def read_files(paths: Sequence[Path]) -> tuple[Node | None, list[Fault]]:
    """Read files in order, each over those before it.

    Returns:
        The merged tree, or None where a file could not be read at all; and what is wrong.
    """
    faults: list[Fault] = []
    merged: Node | None = None
    broken = False
    for path in paths:
        tree, found = _read(path)
        faults += found
        broken = broken or tree is None
        if tree is not None:
            merged = merge(merged, tree, NULLS) if merged else tree
    return None if broken else merged, faults


def _read(path: Path) -> tuple[Node | None, list[Fault]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        fix = "write one, or name another: --config, --config-overlay or CLICKSTREAM_CONFIG"
        return None, [_fault(path, 0, "the file does not exist", fix)]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return None, [_fault(path, 0, f"the file cannot be read: {reason}", "mend its permissions or the path")]
    try:
        return _parse(content.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [_fault(path, line, "the file is not UTF-8 text", "save it as UTF-8")]


def _parse(text: str, path: Path) -> tuple[Node | None, list[Fault]]:
    try:
        root = compose(text)
        if isinstance(root, yaml.MappingNode):
            return read_tree(root, text, str(path))
    except yaml.YAMLError as error:
        return None, [explain(error, text, str(path))]
    except RecursionError:
        message = "the file is nested too deep, or an anchor contains itself"
        return None, [_fault(path, 1, message, "write it flatter")]
    if root is None:
        return None, [_fault(path, 1, "the file is empty", "`clickstream.yaml` begins with `kafka:`")]
    return None, [_fault(path, root.start_mark.line + 1, "the file is not a mapping", "write `key: value` lines")]


def _fault(path: Path, line: int, message: str, fix: str) -> Fault:
    return Fault((), message, fix, file=str(path), line=line)
