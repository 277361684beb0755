"""Every way in which a record says what its value was written with, through the decoder."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import fastavro
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.common.serde import SchemaId
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro.schema import fingerprint, to_parsing_canonical_form

from processor.clock import ManualClock
from processor.decode.decoder import AwaitSchema, Decoded, Decoder
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore
from processor.records import Event, Failure, Filtered, FilterReason, Headers
from processor.settings.avro_files import LocalSchema, LocalSchemas
from tests.decode.registries import FakeRegistry, binary, framed, record_type, registered
from tests.support.logs import Lines
from tests.support.records import record

GUID = "8f14e45f-ceea-467f-a8d3-1f0e3c2b9a77"
GUID_MARK = b"\x01" + bytes.fromhex(GUID.replace("-", ""))
HEADER = "__value_schema_id"
VIEW = record_type("View", sku="string")
CLICK = record_type("Click", x="int")
BODY = binary(VIEW, {"sku": "10233"})
VALUE = {"sku": "10233"}


def local(*schemas: dict[str, Any]) -> LocalSchemas:
    """Schemas as if they were read from files."""
    parsed: list[Any] = [fastavro.parse_schema(schema) for schema in schemas]
    return LocalSchemas(
        tuple(LocalSchema(one["name"], tuple(one.get("aliases", ())), f"{one['name']}.avsc", one) for one in parsed)
    )


async def decoder(
    *schemas: dict[str, Any],
    known: dict[int | str, Any] | None = None,
    formats: dict[str, str] | None = None,
    wanted: Sequence[str] = ("com.acme.View",),
) -> Decoder:
    """A decoder with schemas in files, and others known by their id."""
    files = local(*schemas)
    registry = FakeRegistry({schema_id: registered(schema) for schema_id, schema in (known or {}).items()})
    store = SchemaStore(registry, files, ManualClock(), Lines().log)
    for schema_id in registry.by_id:
        await store.fetch(schema_id)
    return Decoder(store, LocalTypes(files, formats or {}), lambda _, event: event in wanted)


def decode(decoder: Decoder, value: bytes, headers: Headers | None = None) -> Decoded:
    """What becomes of a value."""
    arrived = record(value=value)
    arrived.headers = headers
    return decoder.decode(arrived)


def read(decoded: Decoded) -> tuple[str, Any, Any]:
    """Name, fields and schema id of an event, which it must be."""
    assert isinstance(decoded, Event), decoded
    return decoded.name, decoded.value, decoded.schema_id


def message(decoded: Decoded) -> str:
    """Why there is no event."""
    assert isinstance(decoded, Failure), decoded
    return decoded.message


def single_object(schema: dict[str, Any], body: bytes) -> bytes:
    """Avro's single-object encoding; the fingerprint's bytes are checked against Java's in the fixtures."""
    mark = fingerprint(to_parsing_canonical_form(fastavro.parse_schema(schema)), "CRC-64-AVRO")
    return b"\xc3\x01" + bytes.fromhex(mark) + body


# The schema's GUID in a header.


async def test_a_guid_in_a_header_tells_the_schema() -> None:
    """The value is then the Avro binary alone, even where it looks like a frame."""
    count = record_type("View", count="int", sku="string")
    body = binary(count, {"count": 0, "sku": "\x00\x00\x01"})
    found = await decoder(known={GUID: count})

    event = decode(found, body, [("trace", b"x"), (HEADER, GUID_MARK)])

    assert body.startswith(b"\x00")
    assert read(event) == ("com.acme.View", {"count": 0, "sku": "\x00\x00\x01"}, GUID)


async def test_a_number_in_the_header_tells_the_schema_too() -> None:
    """The header may hold what would else stand before the value."""
    found = await decoder(known={7: VIEW})

    assert read(decode(found, BODY, [(HEADER, b"\x00\x00\x00\x00\x07")])) == ("com.acme.View", VALUE, 7)


async def test_a_guid_that_is_not_known_yet_is_asked_for() -> None:
    """As text, as the registry's address has it."""
    assert decode(await decoder(), BODY, [(HEADER, GUID_MARK)]) == AwaitSchema(GUID)


@pytest.mark.parametrize("mark", [b"", b"\x01", GUID_MARK + b"\x00", b"\x02" + GUID_MARK[1:], b"\x00\x00\x07"])
async def test_a_header_that_means_nothing_is_undecodable(mark: bytes) -> None:
    """It is not passed over: the value has no frame where the header is meant."""
    told = message(decode(await decoder(), framed(1, BODY), [(HEADER, mark)]))

    assert told == f"the header {HEADER} is neither a schema's id nor its GUID"


async def test_an_empty_header_is_no_mark() -> None:
    """A header without a value says nothing; the frame does."""
    found = await decoder(known={7: VIEW})

    assert read(decode(found, framed(7, BODY), [(HEADER, None)]))[1] == VALUE


# Single-object encoding.


async def test_a_fingerprint_tells_the_schema() -> None:
    """Of the versions in `schemas`, the one that it was written with."""
    older = record_type("View", sku="string", gone="int")
    found = await decoder(VIEW, older)

    assert read(decode(found, single_object(VIEW, BODY))) == ("com.acme.View", VALUE, None)
    assert read(decode(found, single_object(older, BODY + b"\x02")))[1] == {**VALUE, "gone": 1}


async def test_a_fingerprint_that_no_file_has_is_undecodable() -> None:
    """With the fingerprint, to look for."""
    told = message(decode(await decoder(VIEW), b"\xc3\x01" + bytes(range(8)) + BODY))

    assert told == "single-object encoding with the fingerprint 0001020304050607, which no file of `schemas` has"


# Raw Avro.


async def test_a_raw_topic_has_no_frame() -> None:
    """What it is is told by the file alone; values that look like a frame are none."""
    count = record_type("View", count="int", sku="string")
    body = binary(count, {"count": 0, "sku": "\x00\x00\x01"})
    found = await decoder(count, formats={"clicks": "com.acme.View"})

    assert read(decode(found, body)) == ("com.acme.View", {"count": 0, "sku": "\x00\x00\x01"}, None)
    assert read(decode(found, body, [(HEADER, GUID_MARK)]))[2] is None
    assert message(decode(found, body[:-1])) == "com.acme.View (the schema in `schemas`): the bytes end too early"


async def test_an_unwanted_raw_topic_is_not_read() -> None:
    """Whatever is in it."""
    found = await decoder(CLICK, formats={"clicks": "com.acme.Click"})

    assert decode(found, b"\xff" * 20) == Filtered(FilterReason.NO_ROUTE)


# Unions at the top.


async def test_a_union_at_the_top_is_several_events() -> None:
    """The branch is what the event is; those that no route wants are not decoded."""
    found = await decoder(known={7: ["null", CLICK, VIEW]})

    assert read(decode(found, framed(7, b"\x04" + BODY))) == ("com.acme.View", VALUE, 7)
    assert read(decode(found, framed(7, b"\x84\x00" + BODY)))[1] == VALUE
    assert decode(found, framed(7, b"\x02" + b"\xff" * 9)) == Filtered(FilterReason.NO_ROUTE)
    assert decode(found, framed(7, b"\x00")) == Filtered(FilterReason.NO_ROUTE)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\x06", "union of events (schema id 7): none of the 3 branches of a union"),
        (b"\x01", "union of events (schema id 7): none of the 3 branches of a union"),
        (b"", "union of events (schema id 7): the bytes end too early"),
        (b"\x84", "union of events (schema id 7): the bytes end too early"),
        (b"\x04", "com.acme.View (schema id 7): sku: the bytes end too early"),
    ],
)
async def test_a_branch_that_cannot_be_is_undecodable(body: bytes, told: str) -> None:
    """An index is checked like everything else."""
    found = await decoder(known={7: ["null", CLICK, VIEW]})

    assert message(decode(found, framed(7, body))) == told


async def test_a_union_of_which_nothing_is_wanted_is_not_looked_into() -> None:
    """Not even at the branch."""
    found = await decoder(known={7: [CLICK, record_type("Scroll", y="int")]})

    assert decode(found, framed(7, b"\xff")) == Filtered(FilterReason.NO_ROUTE)


# Readers' schemas.


async def test_an_event_is_read_as_schemas_has_it() -> None:
    """By its name, or by an alias; the event has the reader's name, which routes use."""
    reader = {
        "type": "record",
        "name": "com.acme.View",
        "aliases": ["com.acme.OldView"],
        "fields": [
            {"name": "id", "type": "string", "aliases": ["sku"]},
            {"name": "market", "type": "string", "default": "SE"},
        ],
    }
    old = record_type("OldView", sku="string")
    found = await decoder(reader, known={7: VIEW, 8: old, 9: [CLICK, old]})
    expected = {"id": "10233", "market": "SE"}

    assert read(decode(found, framed(7, BODY))) == ("com.acme.View", expected, 7)
    assert read(decode(found, framed(8, BODY))) == ("com.acme.View", expected, 8)
    assert read(decode(found, framed(9, b"\x02" + BODY))) == ("com.acme.View", expected, 9)


async def test_a_writer_that_the_reader_cannot_read_is_undecodable() -> None:
    """The file and the field are named; only a wanted event is judged."""
    reader = record_type("View", sku="int")
    found = await decoder(reader, known={7: VIEW})
    unwanted = await decoder(reader, known={7: VIEW}, wanted=[])

    assert message(decode(found, framed(7, BODY))) == (
        "com.acme.View (schema id 7): it cannot be read as com.acme.View.avsc says: "
        "com.acme.View.sku: string cannot be read as int"
    )
    assert decode(unwanted, framed(7, BODY)) == Filtered(FilterReason.NO_ROUTE)


async def test_a_guid_is_asked_for_over_http() -> None:
    """`/schemas/guids/…`, by the client that the service uses, for the header that its own serializer writes."""
    written: Headers = []
    context = SerializationContext("clicks", MessageField.VALUE, headers=written)
    header_schema_id_serializer(BODY, context, SchemaId("AVRO", guid=GUID))
    nobodys: Headers = [(HEADER, b"\x01" + bytes(16))]
    async with registry_with_guids({GUID: VIEW}) as url:
        with SchemaRegistryClient({"url": url}) as client:
            store = SchemaStore(client, LocalSchemas(), ManualClock(), Lines().log)
            found = Decoder(store, LocalTypes(LocalSchemas(), {}), lambda *_: True)
            for headers in (written, nobodys):
                waiting = decode(found, BODY, headers)
                assert isinstance(waiting, AwaitSchema)
                await store.fetch(waiting.schema_id)

    assert read(decode(found, BODY, written)) == ("com.acme.View", VALUE, GUID)
    assert message(decode(found, BODY, nobodys)) == f"schema id {UUID(int=0)} is unknown to the registry"


@asynccontextmanager
async def registry_with_guids(schemas: dict[str, Any]) -> AsyncIterator[str]:
    """A registry that knows schemas by GUID only, and answers as Confluent's does; gives its address."""

    async def answer(request: web.Request) -> web.Response:
        guid = request.match_info["guid"]
        if guid not in schemas:
            return web.json_response({"error_code": 40403, "message": "Schema not found"}, status=404)
        return web.json_response({"guid": guid, "schemaType": "AVRO", "schema": json.dumps(schemas[guid])})

    app = web.Application()
    app.router.add_get("/schemas/guids/{guid}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")
