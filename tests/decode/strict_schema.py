"""Avro schemas for the strict reader: plain JSON in, types with resolved names out (specification 1.12, "Names")."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import log10
from typing import Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
RECORDS = frozenset({"record", "error"})
NAMED = RECORDS | {"enum", "fixed"}
NO_DEFAULT: Any = object()
LOGICAL: Mapping[str, frozenset[str]] = {
    "int": frozenset({"date", "time-millis"}),
    "long": frozenset(
        {"time-micros"}
        | {f"{zone}timestamp-{unit}" for zone in ("", "local-") for unit in ("millis", "micros", "nanos")}
    ),
    "string": frozenset({"uuid"}),
}
"""Which logical types annotate which type; those of bytes and fixed have rules of their own."""


@dataclass(slots=True, eq=False)
class Field:
    """A field of a record type; `default` is JSON."""

    name: str
    type: "Type"
    aliases: list[str]
    default: Any


@dataclass(slots=True, eq=False)
class Type:
    """A type; a recursive one contains itself.

    Attributes:
        kind: the specification's name of it, and "union"; "error" is "record".
        name: full name of a named type.
        aliases: full names.
        parts: what an array's items, a map's values, a union's branches are.
        default: an enum's default symbol.
        logical: empty where there is none, or none that the specification allows here.
        recursive: a record type that contains itself.
    """

    kind: str
    name: str = ""
    aliases: frozenset[str] = frozenset()
    fields: list[Field] = field(default_factory=list)
    parts: list["Type"] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    default: str | None = None
    size: int = 0
    logical: str = ""
    precision: int = 0
    scale: int = 0
    recursive: bool = False

    def inner(self) -> list["Type"]:
        """The types directly inside."""
        return self.parts + [field.type for field in self.fields]

    def walk(self) -> Iterator["Type"]:
        """This type and all inside, each once."""
        seen: set[int] = set()
        open_: list[Type] = [self]
        while open_:
            type_ = open_.pop()
            if id(type_) not in seen:
                seen.add(id(type_))
                yield type_
                open_ += type_.inner()


def parse(schema: Any) -> Type:
    """Read a schema.

    Args:
        schema: as `json.loads` gives it.

    Raises:
        KeyError: a type or an attribute is missing.
        ValueError: a union has another one in it, or two branches of one kind or name.
    """
    root = _parse(schema, "", {})
    for type_ in root.walk():
        type_.recursive = type_.kind == "record" and any(type_ in part.walk() for part in type_.inner())
    return root


def full_name(name: str, namespace: str) -> str:
    """A name with a dot is a full one; any other one is taken to be in the namespace."""
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _parse(schema: Any, namespace: str, names: dict[str, Type]) -> Type:
    if isinstance(schema, list):
        return _union([_parse(branch, namespace, names) for branch in schema])
    if isinstance(schema, str):
        return Type(schema) if schema in PRIMITIVES else names[full_name(schema, namespace)]
    kind = schema["type"]
    if kind in NAMED:
        return _named(schema, namespace, names)
    if kind in PRIMITIVES:
        return _logical(Type(kind), schema)
    return Type(kind, parts=[_parse(schema[{"array": "items", "map": "values"}[kind]], namespace, names)])


def _union(branches: list[Type]) -> Type:
    kinds = [branch.name or branch.kind for branch in branches]
    if "union" in kinds or len(set(kinds)) < len(kinds):
        raise ValueError(f"no union may be of {kinds}")
    return Type("union", parts=branches)


def _named(schema: Mapping[str, Any], namespace: str, names: dict[str, Type]) -> Type:
    name = full_name(schema["name"], schema.get("namespace", namespace))
    own_namespace = name.rpartition(".")[0]
    aliases = frozenset(full_name(alias, own_namespace) for alias in schema.get("aliases", []))
    kind = schema["type"]
    type_ = names[name] = Type("record" if kind in RECORDS else kind, name, aliases)
    if kind == "enum":
        type_.symbols, type_.default = schema["symbols"], schema.get("default")
    elif kind == "fixed":
        type_.size = schema["size"]
        _logical(type_, schema)
    else:
        type_.fields = [_field(part, own_namespace, names) for part in schema["fields"]]
    return type_


def _field(schema: Mapping[str, Any], namespace: str, names: dict[str, Type]) -> Field:
    type_ = _parse(schema["type"], namespace, names)
    return Field(schema["name"], type_, schema.get("aliases", []), schema.get("default", NO_DEFAULT))


def _logical(type_: Type, schema: Mapping[str, Any]) -> Type:
    """Note the logical type, unless it is one that must be ignored."""
    logical: Any = schema.get("logicalType")
    if logical == "decimal" and type_.kind in {"bytes", "fixed"}:
        precision: Any = schema.get("precision")
        scale: Any = schema.get("scale", 0)
        if _valid_decimal(type_, precision, scale):
            type_.logical, type_.precision, type_.scale = logical, precision, scale
    elif type_.kind == "fixed":
        type_.logical = logical if (logical, type_.size) in (("uuid", 16), ("duration", 12)) else ""
    elif any(logical == known for known in LOGICAL.get(type_.kind, ())):
        type_.logical = logical
    return type_


def _valid_decimal(type_: Type, precision: Any, scale: Any) -> bool:
    if type(precision) is not int or type(scale) is not int or not 0 <= scale <= precision or precision < 1:
        return False
    return type_.kind == "bytes" or (type_.size > 0 and precision <= int(log10(2 ** (8 * type_.size - 1) - 1)))
