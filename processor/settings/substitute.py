"""Puts variables and files into texts: `${NAME}`, `${NAME:-default}`, `${file:PATH}`, `$${` for a plain `${`.

It works inside the scalars of a parsed file, so what comes in is always text: it can hold any character, and
neither `null` nor a number in it means anything to YAML.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from processor.errors import Fault, FaultPath, Level
from processor.settings.yaml import Node

REFERENCE = re.compile(r"\$\$\{|\$\{(?P<body>[^}]*)\}|\$\{")
VARIABLE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<otherwise>:-(?P<default>.*))?", re.DOTALL)


def substitute(tree: Node, env: Mapping[str, str], *, offline: bool = False) -> tuple[Node, list[Fault]]:
    """Replace every reference in every text of a tree.

    Args:
        tree: the merged files.
        env: the environment's variables.
        offline: whether a file may be missing, because secrets are mounted where the service runs.

    Returns:
        The tree with the values, and a fault for each reference that could not be replaced; such a text stays
        as it was written. A relative path is looked up beside the file that names it.
    """
    substitution = _Substitution(env, Level.WARNING if offline else Level.ERROR)
    return substitution.node(tree, ()), substitution.faults


def parts_of(text: str, folder: Path, env: Mapping[str, str]) -> tuple[str | Path, ...]:
    """Split a text whose references all have a value into the files that it names, and what stands around them.

    Args:
        text: as it was written.
        folder: where relative paths begin.
        env: the environment's variables, which are put in.
    """
    parts: list[str | Path] = []
    end = 0
    for match in REFERENCE.finditer(text):
        file = _file_of(match, folder)
        parts += [text[end : match.start()], str(_value(match, env, folder)) if file is None else file]
        end = match.end()
    return (*parts, text[end:])


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that has no value, and what to do."""

    message: str
    fix: str
    absent: bool = False
    """Whether it is a file that is not there."""


@dataclass(slots=True)
class _Substitution:
    env: Mapping[str, str]
    absent: Level
    faults: list[Fault] = field(default_factory=list)

    def node(self, node: Node, path: FaultPath) -> Node:
        match node.value:
            case dict() as entries:
                for key, entry in entries.items():
                    self._check_unicode(key, (*path, key), entry)
                return replace(node, value={key: self.node(entry, (*path, key)) for key, entry in entries.items()})
            case tuple() as items:
                return replace(node, value=tuple(self.node(item, (*path, at)) for at, item in enumerate(items)))
            case str() as text:
                return self._text(node, text, path)
            case _:
                return node

    def _text(self, node: Node, text: str, path: FaultPath) -> Node:
        values = [_value(match, self.env, Path(node.file).parent) for match in REFERENCE.finditer(text)]
        if missing := [value for value in values if isinstance(value, Missing)]:
            self.faults += [
                Fault(path, m.message, m.fix, self.absent if m.absent else Level.ERROR, node.file, node.line)
                for m in missing
            ]
            return node
        found = iter(values)
        replaced = REFERENCE.sub(lambda _: str(next(found)), text)
        self._check_unicode(replaced, path, node)
        return replace(node, value=replaced, bare=node.bare and not values)

    def _check_unicode(self, text: str, path: FaultPath, node: Node) -> None:
        """Convict half characters, which an escape or a broken environment can bring; none can be sent."""
        if any("\ud800" <= char <= "\udfff" for char in text):
            message, fix = "holds half a character (a lone surrogate)", "write the whole character, as UTF-8"
            self.faults.append(Fault(path, message, fix, file=node.file, line=node.line))


def _value(match: re.Match[str], env: Mapping[str, str], folder: Path) -> str | Missing:
    body = match["body"]
    if match[0] == "$${":
        return "${"
    if body is None:
        return Missing("`${` is never closed", "add the `}`, or write `$${` for a plain `${`")
    if body == "file:":
        return Missing("`${file:}` names no file", "write ${file:PATH}")
    if file := _file_of(match, folder):
        return read_text(file)
    variable = VARIABLE.fullmatch(body)
    if variable is None or "${" in body:
        fix = "write ${NAME}, ${NAME:-default}, ${file:PATH}, or `$${` for a plain `${`"
        return Missing(f"`{match[0]}` names no variable", fix)
    return _variable(variable, env)


def _file_of(match: re.Match[str], folder: Path) -> Path | None:
    """Give the file that a reference names; None where it names none."""
    body = match["body"] or ""
    return folder / body.removeprefix("file:") if body.startswith("file:") else None


def _variable(variable: re.Match[str], env: Mapping[str, str]) -> str | Missing:
    """Look up a variable; as in a shell, `:-` also stands in for an empty one."""
    name = variable["name"]
    value = env.get(name)
    if variable["otherwise"] and not value:
        return str(variable["default"])
    if value is None:
        return Missing(f"the variable {name} is not set", f"set it, or write ${{{name}:-default}}")
    return value


def read_text(path: Path) -> str | Missing:
    """Read a file without its last newline, which editors and `echo` add."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Missing(f"the file {path} does not exist", "create or mount it, or mend the path", absent=True)
    except UnicodeDecodeError:
        return Missing(f"the file {path} is not UTF-8 text", "save it as UTF-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return Missing(f"the file {path} cannot be read: {reason}", "mend its permissions or the path")
    return text.removesuffix("\n")
