"""A schema registry in memory, for what a real one cannot be made to do at will; and schemas, frames and readers."""

import json
from dataclasses import dataclass, field
from io import BytesIO
from threading import Event as ThreadEvent
from types import SimpleNamespace
from typing import Any

import fastavro
from confluent_kafka.schema_registry import Schema as RegisteredSchema
from confluent_kafka.schema_registry import SchemaReference
from confluent_kafka.schema_registry.error import SchemaRegistryError

from processor.settings.avro_files import LocalSchemas

NO_FILES = LocalSchemas()
"""Where the configuration names no `schemas`."""


@dataclass(slots=True)
class FakeRegistry:
    """Answers from dictionaries, and counts what it is asked.

    Attributes:
        trouble: raised instead of answering.
        refusals: the same for single subjects.
        asked: schema ids, in order.
        gate: where it is not set, answers wait for it.
        closed: whether nobody wants its answers any more.
    """

    by_id: dict[int | str, RegisteredSchema] = field(default_factory=dict)
    subjects: dict[tuple[str, int], RegisteredSchema] = field(default_factory=dict)
    trouble: Exception | None = None
    refusals: dict[str, Exception] = field(default_factory=dict)
    asked: list[int | str] = field(default_factory=list)
    gate: ThreadEvent = field(default_factory=ThreadEvent)
    closed: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    def get_schema(self, schema_id: int) -> RegisteredSchema:
        """The schema, or the answer that there is none."""
        return self._answer(schema_id)

    def get_schema_by_guid(self, guid: str) -> RegisteredSchema:
        """The same by GUID."""
        return self._answer(guid)

    def _answer(self, schema_id: int | str) -> RegisteredSchema:
        self.asked.append(schema_id)
        assert self.gate.wait(10)
        if self.trouble:
            raise self.trouble
        if schema_id not in self.by_id:
            raise SchemaRegistryError(404, 40403, f"Schema {schema_id} not found")
        return self.by_id[schema_id]

    def close(self) -> None:
        """Nobody wants its answers any more."""
        self.closed = True

    def get_version(self, subject_name: str, version: int, deleted: bool) -> Any:  # noqa: FBT001 - the client's own
        """A version of a subject, deleted or not, or the answer that there is none."""
        assert deleted, "what a schema refers to may be deleted by now"
        if subject_name in self.refusals:
            raise self.refusals[subject_name]
        if (subject_name, version) not in self.subjects:
            raise SchemaRegistryError(404, 40401, f"Subject '{subject_name}' not found.")
        return SimpleNamespace(schema=self.subjects[subject_name, version])


def registered(schema: object, *references: tuple[str, str], kind: str | None = "AVRO") -> RegisteredSchema:
    """A schema as a registry has it; references are pairs of name and subject, all of version 1."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return RegisteredSchema(text, kind, [SchemaReference(name, subject, 1) for name, subject in references])


def record_type(name: str, **fields: object) -> dict[str, Any]:
    """A record type in the namespace `com.acme`."""
    return {
        "type": "record",
        "name": name,
        "namespace": "com.acme",
        "fields": [{"name": field, "type": kind} for field, kind in fields.items()],
    }


def binary(schema: dict[str, Any], value: dict[str, Any]) -> bytes:
    """A value in Avro's binary encoding."""
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), value)
    return body.getvalue()


def framed(schema_id: int, body: bytes) -> bytes:
    """A body in Confluent's frame."""
    return b"\x00" + schema_id.to_bytes(4) + body
