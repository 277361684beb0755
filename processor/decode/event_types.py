"""What a schema's payloads can be: one type of event, or several as a union at the top."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import fastavro

from processor.decode.binary import Reader, compile_reader
from processor.decode.logical import logical_type
from processor.decode.shapes import Names, SchemaMismatchError, definitions
from processor.decode.wire import MalformedError
from processor.records import SchemaId
from processor.settings.avro_files import LocalSchemas
from processor.settings.avro_types import RECORD


@dataclass(frozen=True, slots=True)
class EventType:
    """One record type.

    Attributes:
        name: full name; the reader's where `schemas` of the file has one for it.
        read: reads a payload as it.
    """

    name: str
    read: Reader


@dataclass(frozen=True, slots=True)
class Schema:
    """A writer's schema.

    Attributes:
        id: the registry's; None where it is from a file.
        types: the branches of the union at the top, else one; None for what is no record, and so never an event.
        is_union: whether an index stands before the record.
    """

    id: SchemaId | None
    types: Sequence[EventType | None]
    is_union: bool

    @property
    def called(self) -> str:
        """The schema in a message."""
        return "the schema in `schemas`" if self.id is None else f"schema id {self.id}"


def make_schema(schema_id: SchemaId | None, parsed: Any, names: Names, local: LocalSchemas) -> Schema:
    """Compile what reads a schema's payloads.

    Args:
        schema_id: the registry's; None for a schema from a file.
        parsed: as `parse` returns it.
        names: what it mentions by name and does not define itself.
        local: the readers' schemas.
    """
    is_union = isinstance(parsed, list)
    branches = parsed if is_union else [parsed]
    known = {**names, **dict(definitions(parsed))}
    return Schema(schema_id, [_event_type(branch, known, local) for branch in branches], is_union)


def _event_type(branch: Any, names: Names, local: LocalSchemas) -> EventType | None:
    writer = names.get(branch) if isinstance(branch, str) else branch
    if not writer or writer["type"] not in RECORD:
        return None
    reader = local.reader_of(writer["name"])
    if reader is None:
        return EventType(writer["name"], compile_reader(writer, names=names))
    try:
        return EventType(reader.name, compile_reader(writer, reader.parsed, names))
    except SchemaMismatchError as mismatch:
        return EventType(reader.name, _mismatched(f"it cannot be read as {reader.file} says: {mismatch}"))


def _mismatched(reason: str) -> Reader:
    """Only an event that a route wants is at fault, so this is told when one is read."""

    def read(_payload: bytes, _start: int) -> NoReturn:
        raise MalformedError(reason)

    return read


def parse(schema: Any, names: dict[str, Any]) -> Any:
    """Parse a writer's schema; what it defines is added to `names`.

    Raises:
        Exception: it is no schema; whatever fastavro makes of it.
    """
    return fastavro.parse_schema(_tolerated(schema), named_schemas=names)


def _tolerated(schema: Any) -> Any:
    """Leave out what does not matter to who reads, and what fastavro would refuse the whole schema for.

    Defaults are for readers' schemas; those of old writers are often of the wrong type. A logical type that does not
    fit is to be ignored (Avro 1.12, "Logical Types"). Java's `{"type": {…}}` around a type means the type.
    """
    match schema:
        case list():
            return [_tolerated(branch) for branch in schema]
        case {"type": dict() | list() as inner}:
            return _tolerated(inner)
        case {"type": "record" | "error", "fields": list(fields)}:
            return {**schema, "fields": [_tolerated_field(each) for each in fields]}
        case {"type": "array" | "map"}:
            return {key: _tolerated(value) if key in {"items", "values"} else value for key, value in schema.items()}
        case {"logicalType": _} if logical_type(schema) is None:
            return {key: value for key, value in schema.items() if key != "logicalType"}
        case _:
            return schema


def _tolerated_field(field: dict[str, Any]) -> dict[str, Any]:
    return {key: _tolerated(value) if key == "type" else value for key, value in field.items() if key != "default"}
