"""What one .avsc file holds: the types that it defines, and the parts of a type, each checked as it is taken."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
RECORD = frozenset({"record", "error"})
"""An error is a record that a protocol throws."""
NAMED = RECORD | {"enum", "fixed"}
NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
"""Looser than Avro's rule, as its parsers were: hyphens and other letters occur in old schemas."""

MAX_SHOWN = 60
"""Characters of a schema in a message."""
KINDS = {str: "a text", list: "a list", int: "a whole number", object: "a schema"}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One file.

    Attributes:
        file: its name.
        text: what stands in it.
        entry: the position in `schemas` that led to it.
        top: the schemas at its top; several where it is a list.
        types: all that it defines, nested ones too, by full name: the JSON as it was written.
    """

    file: str
    text: str
    entry: int
    top: Sequence[Any]
    types: dict[str, Any] = field(default_factory=dict)

    def line(self, name: str) -> int:
        """Find the first line that has a name in quotes, as full or as short name; the first one without."""
        written = (f'"{name}"', f'"{name.rpartition(".")[2]}"')
        found = next((at for at in map(self.text.find, written) if at >= 0), 0)
        return self.text.count("\n", 0, found) + 1


class NotAvro(Exception):  # noqa: N818  # it says what a file is, and is caught where faults are made
    """A file's types cannot be used.

    Attributes:
        word: a name that stands where the fault is.
    """

    def __init__(self, document: Document, word: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.document = document
        self.word = word
        self.fix = fix


class Undefined(NotAvro):
    """A name that no file defines; it may be in a file that could not be read."""


def is_named(schema: Any) -> bool:
    """Tell whether a schema defines a record, an enum or a fixed."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    return isinstance(kind, str) and kind in NAMED


def collect(document: Document) -> None:
    """Enter all types that a document defines.

    Raises:
        NotAvro: one has no name, or two have the same.
        RecursionError: they are nested too deep.
    """
    for schema, namespace in _definitions(document, document.top, ""):
        name = type_name(document, schema, namespace)
        if name in document.types:
            raise NotAvro(document, name, f"defines `{name}` twice", "define it once; then use its name")
        document.types[name] = schema


def _definitions(document: Document, schema: Any, namespace: str) -> Iterator[tuple[Any, str]]:
    """Find the named types in a schema, and the namespace around each of them."""
    match schema:
        case list():
            for item in schema:
                yield from _definitions(document, item, namespace)
        case {"type": str(kind)} if kind in NAMED:
            yield schema, namespace
            own = namespace_of(type_name(document, schema, namespace))
            for part in fields(document, schema) if kind in RECORD else ():
                yield from _definitions(document, part["type"], own)
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _definitions(document, inner, namespace)
        case _:  # a name, or what is no schema: whoever takes it says so
            pass


def fields(document: Document, record: Any) -> list[Any]:
    """Give a record's fields, each of which has a name and a type.

    Raises:
        NotAvro: one has not, or two have the same name.
    """
    fields_ = attribute(document, record, "fields", list)
    names = [_name(document, attribute(document, written, "name", str)) for written in fields_]
    if len(names) > len(set(names)):
        twice = Counter(names).most_common(1)[0][0]
        raise NotAvro(document, twice, f"`{record['name']}` has two fields `{twice}`", "rename one of them")
    for written in fields_:
        attribute(document, written, "type", object)
    return fields_


def type_name(document: Document, schema: Any, namespace: str) -> str:
    """Give the full name of a named type within a namespace.

    Raises:
        NotAvro: it has none, or one that is no name.
    """
    name = attribute(document, schema, "name", str)
    if schema.get("namespace") is not None:
        namespace = attribute(document, schema, "namespace", str)
    return _name(document, full_name(name, namespace))


def _name(document: Document, name: str) -> str:
    if NAME.fullmatch(name) is None:
        raise NotAvro(document, name, f"`{name}` is not a name in Avro", "letters, digits and _, with dots between")
    return name


def full_name(name: str, namespace: str) -> str:
    """Complete a name within a namespace; one with a dot is full already."""
    return f"{namespace}.{name}" if namespace and "." not in name else name


def namespace_of(name: str) -> str:
    """Give the namespace of a full name; empty where it has none."""
    return name.rpartition(".")[0]


def texts(document: Document, schema: Any, key: str) -> list[str]:
    """Give an attribute that is a list of texts.

    Raises:
        NotAvro: it is none.
    """
    texts = attribute(document, schema, key, list)
    if any(not isinstance(text, str) for text in texts):
        raise NotAvro(document, key, f"`{key}` must be a list of texts in {shown(schema)}")
    return texts


def attribute(document: Document, schema: Any, key: str, kind: type[Value]) -> Value:
    """Give an attribute of a type or a field.

    Raises:
        NotAvro: it is not there, or of another kind.
    """
    value = schema.get(key) if isinstance(schema, dict) else None
    if not isinstance(value, kind) or value is None:
        word = schema.get("name") if isinstance(schema, dict) else None
        message = f"is not an Avro schema: `{key}` must be {KINDS[kind]} in {shown(schema)}"
        raise NotAvro(document, word if isinstance(word, str) else key, message)
    return value


def shown(schema: Any) -> str:
    """Give the beginning of a schema for a message."""
    text = json.dumps(schema, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
