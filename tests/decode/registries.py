"""A schema registry in memory, for what a real one cannot be made to do at will; and schemas, frames and readers."""

import json
from dataclasses import dataclass, field
from io import BytesIO
from threading import Event as ThreadEvent
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from confluent_kafka.schema_registry import Schema as RegisteredSchema
from confluent_kafka.schema_registry import SchemaReference
from confluent_kafka.schema_registry.error import SchemaRegistryError

from processor.decode import logical


@dataclass(slots=True)
class FakeRegistry:
    """Answers from dictionaries, and counts what it is asked.

    Attributes:
        trouble: raised instead of answering.
        asked: schema ids, in order.
        gate: where it is not set, answers wait for it.
    """

    by_id: dict[int, RegisteredSchema] = field(default_factory=dict)
    subjects: dict[tuple[str, int], RegisteredSchema] = field(default_factory=dict)
    trouble: Exception | None = None
    asked: list[int] = field(default_factory=list)
    gate: ThreadEvent = field(default_factory=ThreadEvent)

    def __post_init__(self) -> None:
        self.gate.set()

    def get_schema(self, schema_id: int) -> RegisteredSchema:
        """The schema, or the answer that there is none."""
        self.asked.append(schema_id)
        assert self.gate.wait(10)
        if self.trouble:
            raise self.trouble
        if schema_id not in self.by_id:
            raise SchemaRegistryError(404, 40403, f"Schema {schema_id} not found")
        return self.by_id[schema_id]

    def get_version(self, subject_name: str, version: int) -> Any:
        """A version of a subject, or the answer that there is none."""
        if (subject_name, version) not in self.subjects:
            raise SchemaRegistryError(404, 40401, f"Subject '{subject_name}' not found.")
        return SimpleNamespace(schema=self.subjects[subject_name, version])


def read_logical_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have logical types read as the service reads them, for the time of a test."""
    for name, reader in logical.READERS.items():
        monkeypatch.setitem(fastavro.read.LOGICAL_READERS, name, reader)


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
