"""What says, in a record, which schema its value was written with. Nothing is guessed: raw Avro has no mark at all."""

from typing import Final
from uuid import UUID

from processor.records import Record, SchemaId

CONFLUENT: Final = b"\x00"
"""First byte of Confluent's frame: this, four bytes of schema id (big-endian), then the Avro binary."""
CONFLUENT_FRAME: Final = 5
GUID_HEADER: Final = "__value_schema_id"
"""Header of Confluent's newer serializers; the value is then the Avro binary alone."""
GUID: Final = b"\x01"
"""First byte of that header: this, and the sixteen bytes of a schema's GUID; or 0 and an id, as in the frame."""
GUID_SIZE: Final = 17
GUID_PLACE: Final = GUID_HEADER.encode()
"""Before a mark that stood in the header, for the same bytes before a value could mean something else."""
SINGLE_OBJECT: Final = b"\xc3\x01"
"""Avro's single-object encoding: this, and the schema's fingerprint (CRC-64-AVRO, little-endian)."""
SINGLE_OBJECT_FRAME: Final = 10
GLUE: Final = b"\x03"

Fingerprint = bytes
"""Eight bytes, as they stand in the frame."""


class FrameError(Exception):
    """The value has no mark that is known; the message says what is there instead."""


def mark_of(record: Record, value: bytes) -> tuple[bytes, int]:
    """The bytes that tell the schema, and where the Avro binary begins; whether they are any good is not judged yet."""
    for name, content in record.headers or ():
        if name == GUID_HEADER and isinstance(content, bytes):
            return GUID_PLACE + content, 0
    if value.startswith(SINGLE_OBJECT):
        return value[:SINGLE_OBJECT_FRAME], SINGLE_OBJECT_FRAME
    return value[:CONFLUENT_FRAME], CONFLUENT_FRAME


def schema_of(mark: bytes) -> SchemaId | Fingerprint:
    """What a mark means: the registry's number or GUID (as text), or the fingerprint of a schema in `schemas`.

    Raises:
        FrameError: it means nothing.
    """
    if mark.startswith(GUID_PLACE):
        return _of_header(mark.removeprefix(GUID_PLACE))
    if mark[:1] == CONFLUENT and len(mark) == CONFLUENT_FRAME:
        return int.from_bytes(mark[1:])
    if mark.startswith(SINGLE_OBJECT) and len(mark) == SINGLE_OBJECT_FRAME:
        return mark[len(SINGLE_OBJECT) :]
    raise FrameError(_fault(mark))


def _of_header(content: bytes) -> SchemaId:
    if content[:1] == GUID and len(content) == GUID_SIZE:
        return str(UUID(bytes=content[1:]))
    if content[:1] == CONFLUENT and len(content) == CONFLUENT_FRAME:
        return int.from_bytes(content[1:])
    raise FrameError(f"the header {GUID_HEADER} is neither a schema's id nor its GUID")


def _fault(mark: bytes) -> str:
    if mark.startswith(SINGLE_OBJECT):
        return "no frame: Avro's single-object encoding, cut off"
    if len(mark) < CONFLUENT_FRAME:
        return f"no frame: fewer than {CONFLUENT_FRAME} bytes"
    if mark[:1] == GLUE:
        return "AWS Glue's frame (first byte 3) is not read; have the producer use a Confluent-compatible registry"
    if mark[:1] in {b"{", b"["}:
        return "no frame: it begins like JSON, not like Avro"
    return "no frame: the first byte is not 0; for Avro without a frame, set formats: {TOPIC: {raw: TYPE}}"
