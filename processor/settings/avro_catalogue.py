"""Puts the types of .avsc files together: each is written out with all that it uses, from whichever file.

A file may use a type of its own anywhere, and any type of another file by its full name, in any order and also
around in a circle. Avro itself knows one schema at a time; this is what Java's `SchemaParser` does for many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from processor.settings.avro_types import (
    NAMED,
    PRIMITIVES,
    Document,
    NotAvro,
    Undefined,
    attribute,
    fields,
    full_name,
    namespace_of,
    shown,
    texts,
    type_name,
)
from processor.settings.wording import nearest

LOGICAL = ("logicalType", "precision", "scale")
"""The attributes of a type that its values depend on; documentation and tools' own attributes are left out."""
MAX_SIZE = 2**31
"""Bytes of a fixed; Java's limit."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A named type of one file."""

    name: str
    schema: Any
    document: Document


class Catalogue:
    """All documents together."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._by_name: dict[str, list[Definition]] = {}
        self._own: dict[tuple[Document, str], Definition] = {}
        self._written: dict[Definition, Any] = {}
        self._writing: set[Definition] = set()
        for document in documents:
            for name, schema in document.types.items():
                definition = self._own[document, name] = Definition(name, schema, document)
                self._by_name.setdefault(name, []).append(definition)

    def write(self, schema: Any, document: Document) -> Any:
        """Write out a schema at the top of a document.

        Returns:
            Avro's JSON form, with full names, every named type defined at its first mention.

        Raises:
            NotAvro: it is no schema, or uses what is not there or not clear.
            RecursionError: it is nested too deep.
        """
        return _Writer(self).schema(schema, document, "")

    def find(self, name: str, document: Document) -> Definition:
        """Find what a full name means in a document: its own type, else that of another file.

        Raises:
            NotAvro: there is none, or there are several that differ.
        """
        if own := self._own.get((document, name)):
            return own
        candidates = self._by_name.get(name, [])
        if not candidates:
            near = nearest(name, self._by_name)
            message = f"uses the type `{name}`, which neither this file nor another one of `schemas` defines"
            fix = f"did you mean `{near}`?" if near else "add the file that defines it to `schemas`"
            raise Undefined(document, name, message, fix)
        first = candidates[0]
        if differing := next((other for other in candidates if not self.same(first, other)), None):
            files = f"{first.document.file} and {differing.document.file}"
            message = f"uses the type `{name}`, which is ambiguous: {files} define it differently"
            raise NotAvro(document, name, message, "define it in this file too, or keep only one of the two")
        return first

    def same(self, one: Definition, other: Definition) -> bool:
        """Tell whether two definitions of a name mean the same, with all that they use.

        Raises:
            NotAvro: that cannot be told.
        """
        return one is other or self._complete(one) == self._complete(other)

    def _complete(self, definition: Definition) -> Any:
        if definition in self._writing:
            message = f"`{definition.name}` is defined in several files and uses itself through one of them"
            raise NotAvro(definition.document, definition.name, message, "define it in one file only")
        if definition not in self._written:
            self._writing.add(definition)
            try:
                self._written[definition] = _Writer(self).use(definition)
            finally:
                self._writing.remove(definition)
        return self._written[definition]


class _Writer:
    """Writes one schema out, and remembers what it has defined already."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._defined: dict[str, Definition] = {}

    def schema(self, schema: Any, document: Document, namespace: str) -> Any:
        """Write a schema as it is meant within a document and a namespace."""
        match schema:
            case str():
                return self._reference(schema, document, namespace)
            case list():
                return [self.schema(item, document, namespace) for item in schema]
            case {"type": "array"}:
                items = attribute(document, schema, "items", object)
                return {"type": "array", "items": self.schema(items, document, namespace)}
            case {"type": "map"}:
                values = attribute(document, schema, "values", object)
                return {"type": "map", "values": self.schema(values, document, namespace)}
            case {"type": str(kind)} if kind in NAMED:
                return self.use(self._catalogue.find(type_name(document, schema, namespace), document))
            case {"type": str(kind)}:
                attributes = _kept(schema, LOGICAL) if kind in PRIMITIVES else {}
                plain = self._reference(kind, document, namespace)
                return {"type": plain, **attributes} if attributes else plain
            case _:
                fix = 'a schema is a name, a list, or an object with a `type`: {"type": "record", …}'
                raise NotAvro(document, "type", f"is not an Avro schema: {shown(schema)}", fix)

    def use(self, definition: Definition) -> Any:
        """Define a type where it is mentioned first; its name is enough after that."""
        known = self._defined.get(definition.name)
        if known is None:
            self._defined[definition.name] = definition
            return self._define(definition.name, definition.schema, definition.document)
        if not self._catalogue.same(known, definition):
            files = f"{known.document.file} and {definition.document.file}"
            message = f"`{definition.name}` would be used in one schema as {files} define it, which differs"
            raise NotAvro(definition.document, definition.name, message, "make the two the same, or rename one")
        return definition.name

    def _reference(self, name: str, document: Document, namespace: str) -> Any:
        if name in PRIMITIVES:
            return name
        return self.use(self._catalogue.find(full_name(name, namespace), document))

    def _define(self, name: str, schema: Any, document: Document) -> Any:
        namespace = namespace_of(name)
        head = {"name": name, "namespace": namespace, **_kept(schema, LOGICAL)}
        if "aliases" in schema:
            head["aliases"] = [full_name(alias, namespace) for alias in texts(document, schema, "aliases")]
        match schema["type"]:
            case "enum":
                symbols = {"symbols": texts(document, schema, "symbols")}
                return {**head, "type": "enum", **symbols, **_kept(schema, ("default",))}
            case "fixed":
                return {**head, "type": "fixed", "size": _size(document, schema)}
            case _:
                parts = [self._field(part, document, namespace) for part in fields(document, schema)]
                return {**head, "type": "record", "fields": parts}

    def _field(self, field: Any, document: Document, namespace: str) -> Any:
        written = {"name": field["name"], "type": self.schema(field["type"], document, namespace)}
        if "aliases" in field:
            written["aliases"] = texts(document, field, "aliases")
        return {**written, **_kept(field, ("default",))}


def _size(document: Document, schema: Any) -> int:
    size = attribute(document, schema, "size", int)
    if not 0 <= size < MAX_SIZE:
        message = f"`{schema['name']}` has a size of {size} bytes"
        raise NotAvro(document, schema["name"], message, f"from 0 to {MAX_SIZE - 1}")
    return size


def _kept(schema: Any, keys: Sequence[str]) -> dict[str, Any]:
    return {key: schema[key] for key in keys if key in schema}
