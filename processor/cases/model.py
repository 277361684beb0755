"""A case, and how files of them are read."""

import os
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from processor.errors import ConfigError, Fault, FaultPath
from processor.records import FilterReason
from processor.settings.mapped import parse_constant
from processor.settings.syntax import explain
from processor.settings.values import Frozen, invalid
from processor.settings.wording import joined, translate
from processor.settings.yaml import Node, compose, read_tree


def _binary(text: object) -> object:
    if text is None or isinstance(text, bytes):
        return text
    try:
        return b64decode("".join(str(text).split()), validate=True)  # `base64` breaks its lines
    except ValueError:
        raise invalid("is not base64", "write the bytes as base64 text") from None


def _header(value: object) -> object:
    match value:
        case None | bytes():
            return value
        case str():
            return value.encode()
        case {"base64": str() as text, **rest} if not rest:
            return _binary(text)
        case _:
            raise invalid("is neither a text nor {base64: …}", "tenant: acme, or __value_schema_id: {base64: AYxk…}")


def _time(value: object) -> object:
    if value is None or isinstance(value, datetime):
        return value
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid("is no time", "write it like 2026-11-22T09:31:07Z") from None
    if time.tzinfo is None:
        raise invalid("has no zone", "write it like 2026-11-22T09:31:07Z")
    return time


Plain = Annotated[Any, BeforeValidator(parse_constant)]
"""As in `map`: a bare number is a number, `true` a boolean, everything in quotes a text."""


class CaseEvent(Frozen):
    """An event as expressions see it: times as ISO 8601 text, decimals as numbers.

    Attributes:
        record: Avro full name.
    """

    record: str
    value: Annotated[dict[str, Any], BeforeValidator(parse_constant)]


class CaseRequest(Frozen):
    """One request.

    Attributes:
        path: of the URL; not looked at where it is absent.
        body: the whole JSON body.
    """

    method: Literal["POST"] = "POST"
    path: str | None = None
    body: Plain


class Case(Frozen):
    """One case.

    Attributes:
        name: what it shows.
        route: only this one is tried; None = all that match.
        event: the event itself; or `message`.
        message: a Kafka record's value as base64, with its frame.
        topic: None = the first that the route reads.
        key: the record's key.
        headers: the record's headers; a text is sent as UTF-8, `{base64: …}` gives the bytes.
        now: the time that `age` and `max_event_age` go by.
        expect: the requests, in order.
        filtered: the reason for which there are none: `when`, `empty`, `too_old`, …
        error: a part of the message of the mapping error.
        file, line: where it stands.
    """

    name: str
    route: str | None = None
    event: CaseEvent | None = None
    message: Annotated[bytes | None, BeforeValidator(_binary)] = None
    topic: str | None = None
    key: str | None = None
    headers: dict[str, Annotated[bytes, BeforeValidator(_header)]] = Field(default={})
    now: Annotated[datetime | None, BeforeValidator(_time)] = None
    expect: tuple[CaseRequest, ...] | None = None
    filtered: FilterReason | None = None
    error: str | None = None
    file: str = ""
    line: int = 0

    @model_validator(mode="after")
    def _one_each(self) -> "Case":
        if (self.event is None) == (self.message is None):
            raise invalid("must have either `event` or `message`", "event: {record: com.acme.View, value: {…}}")
        if sum(wanted is not None for wanted in (self.expect, self.filtered, self.error)) != 1:
            raise invalid("must have one of `expect`, `filtered` and `error`", "expect: [{path: …, body: {…}}]")
        return self


def read_cases(paths: Sequence[Path]) -> list[Case]:
    """Read files of cases, and folders of such files (`*.yaml`, `*.yml`) and of others, which are passed over.

    Raises:
        ConfigError: a file is not there, or is wrong; every fault is in it.
    """
    cases: list[Case] = []
    faults: list[Fault] = []
    for path in paths:
        for found in _read_folder(path) if path.is_dir() else _read(path, named=True):
            (cases if isinstance(found, Case) else faults).append(found)  # type: ignore[arg-type]
    if faults:
        raise ConfigError(faults)
    return cases


def _read_folder(folder: Path) -> Iterator[Case | Fault]:
    """Read what is a list; a configuration beside the cases, for one, is none."""
    found = [each for file in _files(folder) for each in _read(file, named=False)]
    message = "there are no cases in this folder: no .yaml in it is a list"
    yield from found or [_fault(folder, 0, message, "mend the path, or write cases: `- name: …`")]


def _files(folder: Path) -> Iterator[Path]:
    for inner, _, names in sorted(os.walk(folder)):
        yield from (Path(inner, name) for name in sorted(names) if name.endswith((".yaml", ".yml")))


def _read(file: Path, *, named: bool) -> Iterator[Case | Fault]:
    """Read one file; where nobody named it, it is passed over if it is no list."""
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        yield _fault(file, 0, "there is no such file", "mend the path")
        return
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        yield _fault(file, 0, f"the file cannot be read: {reason}", "mend its permissions, or save it as UTF-8")
        return
    try:
        yield from _parse(text, file, named=named)
    except yaml.YAMLError as error:
        yield explain(error, text, str(file))
    except RecursionError:
        yield _fault(file, 1, "the file is nested too deep, or an anchor contains itself", "write it flatter")


def _parse(text: str, file: Path, *, named: bool) -> Iterator[Case | Fault]:
    root = compose(text)
    nodes = root.value if isinstance(root, yaml.SequenceNode) else []
    if named and not nodes:
        yield _fault(file, 1, "must be a list of cases", "- name: …")
    for node in nodes:
        if isinstance(node, yaml.MappingNode):
            yield from _case(node, text, file)
        else:
            yield _fault(file, node.start_mark.line + 1, "is not a case", "- name: …")


def _case(node: yaml.MappingNode, text: str, file: Path) -> Iterator[Case | Fault]:
    tree, faults = read_tree(node, text, str(file))
    yield from faults
    line = node.start_mark.line + 1
    try:
        yield Case.model_validate({**tree.python(), "file": str(file), "line": line})
    except ValidationError as error:
        found = [translate(details, Case, (), tree) for details in error.errors(include_url=False)]
        for fault in joined(found, tree.positions()):
            yield replace(fault, file=str(file), line=_line(tree, fault.path) or line)


def _line(tree: Node, path: FaultPath) -> int | None:
    """The line of a value, or of the nearest key above it; None where that is the case itself."""
    nodes = (tree.at(path[:length]) for length in range(len(path), 0, -1))
    return next((node.line for node in nodes if node), None)


def _fault(file: Path, line: int, message: str, fix: str) -> Fault:
    return Fault((), message, fix, file=str(file), line=line)
