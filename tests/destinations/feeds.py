"""Values of every Avro type, as the service's own reader hands them to a mapping."""

from decimal import Decimal
from struct import pack
from typing import Any

import fastavro

from processor.decode.binary import compile_reader
from tests.decode.registries import binary, record_type
from tests.destinations.mapping import GUID

DAY = 86_400
SUMMER_ENDS = 1_792_890_000
"""2026-10-25T01:00:00Z in seconds since 1970: clocks in the EU go from 03:00 +02:00 back to 02:00 +01:00."""
NINE_AND_NINETY = b"\x03\xde"
"""990, of which a decimal with two digits after the point makes 9.90."""


def logical(avro: str, name: str, **more: int) -> dict[str, Any]:
    """A type with a logical type."""
    return {"type": avro, "logicalType": name, **more}


def fixed(size: int, **more: object) -> dict[str, Any]:
    """A fixed type."""
    return {"type": "fixed", "name": "Fixed", "size": size, **more}


def plain(kind: Any) -> Any:
    """The type without its logical type: what its values are on the wire."""
    if not isinstance(kind, dict) or "logicalType" not in kind:
        return kind
    return fixed(kind["size"]) if kind["type"] == "fixed" else kind["type"]


def read(kind: Any, wire: Any) -> Any:
    """A value as the service sees it, by its Avro type and what is on the wire."""
    body = binary(record_type("R", a=plain(kind)), {"a": wire})
    return compile_reader(fastavro.parse_schema(record_type("R", a=kind)))(body, 0)["a"]


def unscaled(digits: int) -> bytes:
    """A decimal's bytes."""
    return digits.to_bytes(16, signed=True)


LINE = {
    "type": "record",
    "name": "Line",
    "fields": [{"name": "sku", "type": "long"}, {"name": "quantity", "type": "double"}],
}
PAIR = {
    "type": "record",
    "name": "Pair",
    "fields": [{"name": "key", "type": "string"}, {"name": "value", "type": "string"}],
}
ENUM = {"type": "enum", "name": "Market", "symbols": ["NO", "SE"]}

BOOLEANS = {"true": read("boolean", wire=True), "false": read("boolean", wire=False)}
INTEGERS = {
    "int 0": read("int", 0),
    "int 10233": read("int", 10233),
    "int -10233": read("int", -10233),
    "int 2^31 - 1": read("int", 2**31 - 1),
    "long phone": read("long", 46_701_234_567),
    "long epoch millis": read("long", 1_795_343_467_120),
    "long 2^53 - 1": read("long", 2**53 - 1),
    "long 2^53": read("long", 2**53),
    "long 2^53 + 1": read("long", 2**53 + 1),
    "long 2^63 - 1": read("long", 2**63 - 1),
    "long -2^63": read("long", -(2**63)),
}
FLOATS = {
    "float 9.5": read("float", 9.5),
    "float 0.1": read("float", 0.1),
    "double 10233.0": read("double", 10233.0),
    "double 9.99": read("double", 9.99),
    "double -0.5": read("double", -0.5),
    "double 1e-7": read("double", 1e-7),
    "double 2^53": read("double", 2.0**53),
    "double 1e300": read("double", 1e300),
    "double NaN": read("double", float("nan")),
    "double infinity": read("double", float("inf")),
    "float -infinity": read("float", -float("inf")),
}
DECIMALS = {
    "decimal 12": read(logical("bytes", "decimal", precision=9), b"\x0c"),
    "decimal 10233.00": read(logical("bytes", "decimal", precision=9, scale=2), unscaled(1_023_300)),
    "decimal 9.90": read(logical("bytes", "decimal", precision=9, scale=2), NINE_AND_NINETY),
    "decimal 9.90 fixed": read(fixed(2, logicalType="decimal", precision=4, scale=2), NINE_AND_NINETY),
    "decimal 0.1": read(logical("bytes", "decimal", precision=9, scale=1), b"\x01"),
    "decimal -5.00": read(logical("bytes", "decimal", precision=9, scale=2), unscaled(-500)),
    "decimal of 30 digits": read(
        logical("bytes", "decimal", precision=30, scale=2), unscaled(123_456_789_012_345_678_901_234_567_890)
    ),
    "decimal of 38 digits": read(logical("bytes", "decimal", precision=38), unscaled(10**37)),
    # Not from Avro, whose decimals have no exponent, but from a number in an expression.
    "number 1E+3": Decimal("1E+3"),
}
TIMES_WITH_A_ZONE = {
    "timestamp-millis": read(logical("long", "timestamp-millis"), 1_795_343_467_120),
    "timestamp-millis -1": read(logical("long", "timestamp-millis"), -1),
    "timestamp-millis in 1955": read(logical("long", "timestamp-millis"), -446_774_400_000),
    "timestamp-millis before the clocks change": read(logical("long", "timestamp-millis"), SUMMER_ENDS * 1000 - 1),
    "timestamp-millis as the clocks change": read(logical("long", "timestamp-millis"), SUMMER_ENDS * 1000),
    "timestamp-micros": read(logical("long", "timestamp-micros"), 1_795_343_467_120_456),
    "timestamp-nanos": read(logical("long", "timestamp-nanos"), 1_795_343_467_120_456_789),
    "string time in UTC": read("string", "2026-10-25T00:30:00Z"),
    "string time in summer": read("string", "2026-10-25T02:30:00+02:00"),
    "string time in winter": read("string", "2026-10-25T02:30:00.5+01:00"),
}
LOCAL_TIMES = {
    "local-timestamp-millis": read(logical("long", "local-timestamp-millis"), 1_795_343_467_120),
    "local-timestamp-micros": read(logical("long", "local-timestamp-micros"), 1_795_343_467_120_456),
    "local-timestamp-nanos": read(logical("long", "local-timestamp-nanos"), -1),
    "string local time": read("string", "2026-10-25T02:30:00"),
}
DATES = {
    "date": read(logical("int", "date"), 20_749),
    "date in 1969": read(logical("int", "date"), -165),
}
UUIDS = {
    "uuid": read(logical("string", "uuid"), GUID),
    "uuid fixed": read(fixed(16, logicalType="uuid"), bytes.fromhex(GUID.replace("-", ""))),
    "string GUID in capitals": read("string", GUID.upper()),
}
DIGITS = {
    "string 10233": read("string", "10233"),
    "string 0012": read("string", "0012"),
    "string -5": read("string", "-5"),
    "string 0": read("string", "0"),
    "string 2^53 - 1": read("string", str(2**53 - 1)),
    "string 2^53": read("string", str(2**53)),
}
SHORT_GUIDS = {
    "string short GUID": read("string", "Ae_4bQ-TdUuNXxLkZw0yPg"),
    "string 24 letters": read("string", "ABCDEFGHIJKLMNOPQRSTUVWX"),
}
EMPTY = {"string empty": read("string", ""), "bytes empty": read("bytes", b"")}
TOO_LONG = {"string of 51 letters": read("string", "a" * 51), "string of 51 emoji": read("string", "😀" * 51)}
OTHER_TEXTS = {
    "string space": read("string", " "),
    "string a": read("string", "a"),
    "string SKU-1": read("string", "SKU-1"),
    "string 9.90": read("string", "9.90"),
    "string 1e3": read("string", "1e3"),
    "string true": read("string", "true"),
    "string sv-SE": read("string", "sv-SE"),
    "string sv": read("string", "sv"),
    "string sv_SE": read("string", "sv_SE"),
    "string mail": read("string", "anna@example.org"),
    "string phone": read("string", "+4687654321"),
    "string phone with hyphens": read("string", "+46-8-765 43 21"),
    "string path": read("string", "Skor/Vinter/Kängor"),
    "string of 50 letters": read("string", "a" * 50),
    "string of 50 emoji": read("string", "😀" * 50),
    "string of a family": read("string", "👨‍👩‍👧"),
    "string with a zero": read("string", "a\x00b"),
    "enum": read(ENUM, "SE"),
    "bytes": read("bytes", b"\x00\x01\x02\xff"),
    "fixed": read(fixed(4), b"abcd"),
    "time-millis": read(logical("int", "time-millis"), 37_867_120),
    "time-micros": read(logical("long", "time-micros"), 37_867_120_456),
    "duration": read(fixed(12, logicalType="duration"), pack("<III", 1, 2, 3004)),
}
TEXTS = {
    **TIMES_WITH_A_ZONE,
    **LOCAL_TIMES,
    **DATES,
    **UUIDS,
    **DIGITS,
    **SHORT_GUIDS,
    **EMPTY,
    **TOO_LONG,
    **OTHER_TEXTS,
}
ARRAYS = {
    "array empty": read({"type": "array", "items": "string"}, []),
    "array of longs": read({"type": "array", "items": "long"}, [10233, 10234]),
    "array of strings": read({"type": "array", "items": "string"}, ["0012", "10234"]),
    "array with null": read({"type": "array", "items": ["null", "long"]}, [10233, None]),
    "array of lines": read({"type": "array", "items": LINE}, [{"sku": 10233, "quantity": 2.0}]),
    "array of pairs": read({"type": "array", "items": PAIR}, [{"key": "source", "value": "mail"}]),
}
RECORDS = {
    "map empty": read({"type": "map", "values": "string"}, {}),
    "map": read({"type": "map", "values": "string"}, {"tier": "gold"}),
    "map with null": read({"type": "map", "values": ["null", "boolean"]}, {"vip": True, "old": None}),
    "map of arrays": read({"type": "map", "values": {"type": "array", "items": "int"}}, {"secret": [1]}),
    "record": read(LINE, {"sku": 10233, "quantity": 2.0}),
}
FEEDS: dict[str, Any] = {**BOOLEANS, **INTEGERS, **FLOATS, **DECIMALS, **TEXTS, **ARRAYS, **RECORDS}
"""All but null, which is not converted: the field is left out, or missing where it is required."""
