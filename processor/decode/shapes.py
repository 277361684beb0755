"""Avro's types as what is read from the wire: a tree of shapes, and how schemas are looked at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processor.decode.logical import Conversion, logical_type
from processor.settings.avro_types import PRIMITIVES

Schema = Any
"""As `fastavro.parse_schema` returns it: names are full, types are a name, a JSON object or a list."""
Names = Mapping[str, Schema]
"""Definitions of named types by their full names."""


class SchemaMismatchError(Exception):
    """Nothing that was written with the one schema can be read with the other; the message says why."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A primitive on the wire, and how its value is converted, in this order."""

    kind: str
    conversions: Sequence[Conversion] = ()


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many bytes."""

    size: int
    conversions: Sequence[Conversion] = ()


@dataclass(frozen=True, slots=True)
class Enum:
    """The writer's symbols, and what the reader has for each; None where it has nothing."""

    written: Sequence[str]
    read_as: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Array:
    """Items until an empty block."""

    items: "Shape"


@dataclass(frozen=True, slots=True)
class Map:
    """Texts and values until an empty block."""

    values: "Shape"


@dataclass(frozen=True, slots=True)
class Union:
    """The writer's branches."""

    branches: "Sequence[Shape]"


@dataclass(frozen=True, slots=True)
class Never:
    """A part of the writer's schema that the reader's has no place for; only a payload that has it is at fault."""

    reason: str


@dataclass(slots=True, eq=False)
class Record:
    """Fields one after another.

    Attributes:
        fields: in the order of the wire: the writer's name, the shape, and the reader's name, None where it is dropped.
        result: the reader's names in order, with the default of those that the writer does not have.
    """

    name: str
    fields: "list[tuple[str, Shape, str | None]]" = field(default_factory=list)
    result: "dict[str, Default | None]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Default:
    """A value of JSON types."""

    value: Any


Shape = Scalar | Fixed | Enum | Array | Map | Union | Never | Record


def definitions(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Find the named types that a schema defines, with their full names."""
    match schema:
        case list():
            for branch in schema:
                yield from definitions(branch)
        case {"type": "record" | "error", "name": name, "fields": fields}:
            yield name, schema
            for each in fields:
                yield from definitions(each["type"])
        case {"type": "enum" | "fixed", "name": name}:
            yield name, schema
        case {"type": "array", "items": below} | {"type": "map", "values": below}:
            yield from definitions(below)
        case _:
            pass  # a primitive, or a name


def expanded(schema: Schema, names: Names) -> Schema:
    """A union as a list, everything else as a JSON object."""
    if isinstance(schema, str):
        return {"type": schema} if schema in PRIMITIVES else names[schema]
    return schema


def called(schema: Schema) -> str:
    """A type in a message."""
    if isinstance(schema, str):
        return schema
    own = logical_type(schema) if schema["type"] in PRIMITIVES | {"fixed"} else None
    return str(schema.get("name", schema["type"])) + (f" ({own[0]})" if own else "")
