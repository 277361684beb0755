import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.clock import ManualClock
from processor.decode.decoder import AwaitSchema, Decoded, Decoder
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore
from processor.demo.clicks import Shop
from processor.demo.schemas import load_schemas
from processor.demo.shop import Encoder
from processor.records import ErrorClass, Event, Failure, Filtered, FilterReason, Stage
from tests.decode.registries import NO_FILES, FakeRegistry, binary, framed, record_type, registered
from tests.support.logs import Lines
from tests.support.records import record

VIEW = record_type("View", sku="string", seen={"type": "long", "logicalType": "timestamp-millis"})
VALUE = {"sku": "10233", "seen": datetime(2026, 11, 22, 10, 31, 7, 120_000, UTC)}
BODY = binary(VIEW, VALUE)

NO_TYPES = LocalTypes(NO_FILES, {})
WANTED, UNWANTED, PROTOBUF, UNKNOWN = 1, 2, 3, 4
GUID = UUID("8f14e45f-ceea-467f-a8d3-1f0e3c2b9a77")
NO_TYPES = LocalTypes(NO_FILES, {})
RAW = "; for Avro without a frame, set formats: {TOPIC: {raw: TYPE}}"


def store(schemas: dict[int, Any]) -> SchemaStore:
    """A store over a registry with these schemas."""
    registry = FakeRegistry({id_: registered(schema) for id_, schema in schemas.items() if schema})
    registry.by_id[PROTOBUF] = registered('syntax = "proto3";', kind="PROTOBUF")
    return SchemaStore(registry, NO_FILES, ManualClock(), Lines().log)


@pytest.fixture
async def decoder() -> Decoder:
    """Knows four schema ids; routes want `com.acme.View` from the topic `clicks`."""
    schemas = store({WANTED: VIEW, UNWANTED: record_type("Click", x="int")})
    for schema_id in (WANTED, UNWANTED, PROTOBUF, UNKNOWN):
        await schemas.fetch(schema_id)
    return Decoder(schemas, NO_TYPES, lambda topic, event: (topic, event) == ("clicks", "com.acme.View"))


def failed(decoded: Decoded) -> tuple[str, int | str | None]:
    """The message and the schema id of a failure, which it must be."""
    assert isinstance(decoded, Failure), f"no failure but {decoded}"
    assert (decoded.stage, decoded.error_class) == (Stage.DECODE, ErrorClass.UNDECODABLE)
    return decoded.message, decoded.schema_id


async def test_a_record_becomes_an_event(decoder: Decoder) -> None:
    """Full name, fields as JSON types, and the id of the schema that it was written with."""
    arrived = record(value=framed(WANTED, BODY))

    event = decoder.decode(arrived)

    assert isinstance(event, Event)
    assert event.record is arrived
    assert event.name == "com.acme.View"
    assert event.value == {"sku": "10233", "seen": "2026-11-22T10:31:07.120Z"}
    assert event.schema_id == WANTED


async def test_a_tombstone_is_filtered(decoder: Decoder) -> None:
    """A record without a value deletes a key somewhere; there is nothing to deliver."""
    assert decoder.decode(record(value=None)) == Filtered(FilterReason.TOMBSTONE)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "no frame: fewer than 5 bytes"),
        (b"\x00", "no frame: fewer than 5 bytes"),
        (b"\x00\x00\x00\x00", "no frame: fewer than 5 bytes"),
        (b"\x01\x00\x00\x00\x01abc", f"no frame: the first byte is not 0{RAW}"),
        (b"\x01" + GUID.bytes + b"abc", f"no frame: the first byte is not 0{RAW}"),
        (b'{"sku": 1}', "no frame: it begins like JSON, not like Avro"),
        (b"[1, 2, 3]", "no frame: it begins like JSON, not like Avro"),
        (
            b"\x03\x00abcdefgh",
            "AWS Glue's frame (first byte 3) is not read; have the producer use a Confluent-compatible registry",
        ),
        (b"\xc3\x01abc", "no frame: Avro's single-object encoding, cut off"),
    ],
)
async def test_what_has_no_frame_is_undecodable(decoder: Decoder, value: bytes, message: str) -> None:
    """The dead letter tells how the value begins, and no schema id is made up."""
    assert failed(decoder.decode(record(value=value))) == (message, None)


async def test_a_schema_that_is_not_known_yet_is_asked_for(decoder: Decoder) -> None:
    """The record waits; the id is read as four bytes, the most significant first."""
    assert decoder.decode(record(value=framed(0x01020304, b""))) == AwaitSchema(0x01020304)
    assert decoder.decode(record(value=b"\x00\xff\xff\xff\xff")) == AwaitSchema(2**32 - 1)


async def test_an_id_that_the_registry_does_not_know_is_undecodable(decoder: Decoder) -> None:
    """The record's fault, with the id in the dead letter."""
    message, schema_id = failed(decoder.decode(record(value=framed(UNKNOWN, b""))))

    assert (message, schema_id) == ("schema id 4 is unknown to the registry", UNKNOWN)


async def test_a_schema_of_another_kind_is_undecodable(decoder: Decoder) -> None:
    """Protobuf and JSON have the same frame; only Avro is read."""
    message, schema_id = failed(decoder.decode(record(value=framed(PROTOBUF, b"\x00abc"))))

    assert (message, schema_id) == ("schema id 3 is PROTOBUF, not Avro", PROTOBUF)


async def test_an_event_that_no_route_wants_is_not_decoded(decoder: Decoder) -> None:
    """It is known by its schema id; what is in it is of no interest, not even whether it can be read."""
    garbage = framed(UNWANTED, b"\xff" * 40)

    assert decoder.decode(record(value=garbage)) == Filtered(FilterReason.NO_ROUTE)


async def test_what_is_wanted_depends_on_the_topic() -> None:
    """The same event on two topics may be wanted on one of them only, and each is asked about once."""
    asked = []

    def wanted(topic: str, event: str) -> bool:
        asked.append((topic, event))
        return topic == "a"

    schemas = store({WANTED: VIEW})
    await schemas.fetch(WANTED)
    decoder = Decoder(schemas, NO_TYPES, wanted)
    for topic in ("a", "b", "a", "b"):
        arrived = record(value=framed(WANTED, BODY))
        arrived.assignment.topic = topic
        assert isinstance(decoder.decode(arrived), Event) is (topic == "a")

    assert asked == [("a", "com.acme.View"), ("b", "com.acme.View")]


@pytest.mark.parametrize("left", [1, 3, 1000])
async def test_bytes_left_over_are_an_error(decoder: Decoder, left: int) -> None:
    """A payload that is longer than its schema says was written with another one."""
    message, schema_id = failed(decoder.decode(record(value=framed(WANTED, BODY + b"\x00" * left))))

    assert message == "com.acme.View (schema id 1): bytes are left over behind the record"
    assert schema_id == WANTED


@pytest.mark.parametrize("length", range(len(BODY)))
async def test_missing_bytes_are_an_error(decoder: Decoder, length: int) -> None:
    """Wherever a payload breaks off, it is undecodable, and the message names type and schema."""
    message, schema_id = failed(decoder.decode(record(value=framed(WANTED, BODY[:length]))))

    assert message.startswith("com.acme.View (schema id 1): ")
    assert schema_id == WANTED


async def test_lengths_that_cannot_be_are_an_error(decoder: Decoder) -> None:
    """A string of 2^40 bytes costs nothing but its dead letter."""
    endless = b"\x80\x80\x80\x80\x80\x40"

    message, _ = failed(decoder.decode(record(value=framed(WANTED, endless + b"abc"))))

    assert message == "com.acme.View (schema id 1): sku: a length of more bytes than are left"


async def test_text_that_is_no_utf8_is_an_error(decoder: Decoder) -> None:
    """No payload is made of text that nobody can read."""
    message, _ = failed(decoder.decode(record(value=framed(WANTED, b"\x04\xff\xfe\x00"))))

    assert message == "com.acme.View (schema id 1): sku: text that is not UTF-8"


async def test_a_time_beyond_the_calendar_is_an_error(decoder: Decoder) -> None:
    """The reason is told, and is short."""
    message, _ = failed(decoder.decode(record(value=framed(WANTED, b"\x02a" + b"\xff" * 9 + b"\x01"))))

    assert message == "com.acme.View (schema id 1): seen: a time outside of the years 1 to 9999"
    assert len(message) <= 500


async def test_a_message_is_never_long() -> None:
    """It travels in a header of the dead letter, whatever the type is called."""
    schemas = store({WANTED: record_type("V" * 600, sku="string")})
    await schemas.fetch(WANTED)

    message, _ = failed(Decoder(schemas, NO_TYPES, lambda *_: True).decode(record(value=framed(WANTED, b""))))

    assert len(message) == 500


async def test_a_decimal_is_exact() -> None:
    """A price travels as the number that it is."""
    price = record_type("Price", unit={"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2})
    schemas = store({WANTED: price})
    await schemas.fetch(WANTED)

    event = Decoder(schemas, NO_TYPES, lambda *_: True).decode(record(value=framed(WANTED, b"\x04\x03\xe7")))

    assert isinstance(event, Event)
    assert event.value == {"unit": Decimal("9.99")}


# Whatever comes.

SHOP = dict(enumerate(load_schemas().values(), 10))
ENCODER = Encoder({schema.name: schema_id for schema_id, schema in SHOP.items()})
CLICKS = [ENCODER.encode(click) for click in Shop(seed=1, start=1_795_343_467_120).clicks(100)]


@pytest.fixture(scope="module")
def everything() -> Decoder:
    """Knows the canonical schemas, and every event of them is wanted."""
    schemas = store({schema_id: schema.text for schema_id, schema in SHOP.items()})

    async def fetch_all() -> None:
        for schema_id in (*SHOP, PROTOBUF, UNKNOWN):
            await schemas.fetch(schema_id)

    asyncio.run(fetch_all())
    return Decoder(schemas, NO_TYPES, lambda *_: True)


def test_every_click_of_the_shop_is_decoded(everything: Decoder) -> None:
    """What a real producer's encoder writes over the canonical schemas is read, values as JSON types."""
    for value in CLICKS:
        event = everything.decode(record(value=value))

        assert isinstance(event, Event)
        assert kinds(event.value) <= {str, int, float, bool, Decimal, type(None)}


def kinds(value: Any) -> set[type]:
    """The types of all values in a value."""
    if isinstance(value, dict):
        return set().union(*map(kinds, value.values()))
    return set().union(*map(kinds, value)) if isinstance(value, list) else {type(value)}


FRAMES = st.builds(framed, st.sampled_from([*SHOP, PROTOBUF, UNKNOWN]), st.binary(max_size=300))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A click with some bytes overwritten, removed or added."""
    value = bytearray(draw(st.sampled_from(CLICKS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(value)))
        value[at : at + draw(st.integers(0, 5))] = draw(st.binary(max_size=5))
    return bytes(value)


@given(value=st.one_of(st.binary(max_size=30), FRAMES, damaged()))
@settings(max_examples=500, deadline=None)
def test_garbage_never_raises(everything: Decoder, value: bytes) -> None:
    """Any bytes are an event, a failure, or a question to the registry; never the service's end."""
    assert isinstance(everything.decode(record(value=value)), (Event, Failure, AwaitSchema))
