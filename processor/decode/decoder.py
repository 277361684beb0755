"""From a record to an event, or to the reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro

from processor.decode.schemas import Schema, SchemaStore, Unusable
from processor.records import ErrorClass, Event, Failure, Filtered, FilterReason, Record, Stage

MAGIC = 0
FRAME = 5
"""Confluent's frame: one magic byte 0, four bytes of schema id (big-endian), then the Avro binary."""

_TOMBSTONE = Filtered(FilterReason.TOMBSTONE)
_NO_ROUTE = Filtered(FilterReason.NO_ROUTE)


@dataclass(frozen=True, slots=True)
class AwaitSchema:
    """The record cannot be judged before this schema is fetched."""

    schema_id: int


Decoded = Event | Filtered | Failure | AwaitSchema


class Decoder:
    """Decodes records of one pipeline.

    Args:
        wanted: whether a route reads this event (full name) from this topic; others are not decoded at all.
    """

    def __init__(self, schemas: SchemaStore, wanted: Callable[[str, str], bool]) -> None:
        self._schemas = schemas
        self._wanted = wanted
        self._verdicts: dict[tuple[str, int], bool] = {}

    def decode(self, record: Record) -> Decoded:
        """Never raises: what cannot be decoded is a `Failure`, and never the service's end."""
        value = record.value
        if value is None:
            return _TOMBSTONE
        if len(value) < FRAME or value[0] != MAGIC:
            return undecodable(_frame_fault(value))
        schema_id = int.from_bytes(value[1:FRAME])
        schema = self._schemas.get(schema_id)
        if schema is None:
            return AwaitSchema(schema_id)
        if isinstance(schema, Unusable):
            return undecodable(schema.message, schema_id)
        if not self._is_wanted(record.assignment.topic, schema):
            return _NO_ROUTE
        return read(record, value, schema)

    def _is_wanted(self, topic: str, schema: Schema) -> bool:
        key = (topic, schema.id)
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._verdicts[key] = self._wanted(topic, schema.name)
        return verdict


def read(record: Record, value: bytes, schema: Schema) -> Event | Failure:
    """Read the Avro binary behind the frame; it must be used up exactly."""
    body = BytesIO(value)
    body.seek(FRAME)
    try:
        fields: Any = fastavro.schemaless_reader(body, schema.parsed, None)
    except Exception as exception:  # noqa: BLE001 - fastavro raises whatever the bytes lead it to; all mean the same
        return undecodable(
            f"{schema.name} (schema id {schema.id}): {type(exception).__name__}: {exception}"[:500], schema.id
        )
    left = len(value) - body.tell()
    if left:
        return undecodable(
            f"{schema.name} (schema id {schema.id}): {left} bytes are left over behind the record", schema.id
        )
    return Event(record, schema.name, fields, schema.id)


def undecodable(message: str, schema_id: int | None = None) -> Failure:
    """The failure of this stage."""
    return Failure(Stage.DECODE, ErrorClass.UNDECODABLE, message, schema_id=schema_id)


def _frame_fault(value: bytes) -> str:
    if len(value) < FRAME:
        return f"no Confluent frame: {len(value)} bytes, at least {FRAME} are needed"
    return f"no Confluent frame: the first byte is {value[0]}, not {MAGIC}"
