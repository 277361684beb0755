from decimal import Decimal
from struct import pack
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.decode import logical
from processor.decode.binary import compile_reader
from processor.decode.logical import logical_type
from processor.decode.wire import MalformedError
from tests.decode.registries import binary, record_type


def read(kind: object, wire: Any, on_wire: object = None) -> Any:
    """A value as the service sees it, by its Avro type and what is on the wire."""
    plain = on_wire or (kind["type"] if isinstance(kind, dict) else kind)
    body = binary(record_type("R", a=plain), {"a": wire})
    return compile_reader(fastavro.parse_schema(record_type("R", a=kind)))(body, 0)["a"]


def typed(avro: str, name: str) -> dict[str, str]:
    """A type with a logical type."""
    return {"type": avro, "logicalType": name}


UUID_TEXT = "00010203-0405-0607-0809-0a0b0c0d0e0f"
DAY = 86_400
LEAP_DAY = 1_709_164_800
"""2024-02-29T00:00:00Z in seconds since 1970."""


@pytest.mark.parametrize(
    ("millis", "expected"),
    [
        (0, "1970-01-01T00:00:00.000"),
        (1, "1970-01-01T00:00:00.001"),
        (59_999, "1970-01-01T00:00:59.999"),
        (60_000, "1970-01-01T00:01:00.000"),
        (-1, "1969-12-31T23:59:59.999"),
        (-60_000, "1969-12-31T23:59:00.000"),
        (-60_001, "1969-12-31T23:58:59.999"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000"),
        (LEAP_DAY * 1000 + 7_120, "2024-02-29T00:00:07.120"),
        ((LEAP_DAY + DAY) * 1000 - 1, "2024-02-29T23:59:59.999"),
        ((LEAP_DAY + DAY) * 1000, "2024-03-01T00:00:00.000"),
        (951_782_400_000, "2000-02-29T00:00:00.000"),
        (1_795_343_467_120, "2026-11-22T10:31:07.120"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999"),
    ],
)
def test_timestamps_in_millis(millis: int, expected: str) -> None:
    """Text with three digits, in UTC; local ones without a zone."""
    assert read(typed("long", "timestamp-millis"), millis) == expected + "Z"
    assert read(typed("long", "local-timestamp-millis"), millis) == expected


@pytest.mark.parametrize(
    ("micros", "expected"),
    [
        (0, "1970-01-01T00:00:00.000000"),
        (1, "1970-01-01T00:00:00.000001"),
        (-1, "1969-12-31T23:59:59.999999"),
        (59_999_999, "1970-01-01T00:00:59.999999"),
        (60_000_000, "1970-01-01T00:01:00.000000"),
        (LEAP_DAY * 1_000_000, "2024-02-29T00:00:00.000000"),
        (1_795_343_467_120_034, "2026-11-22T10:31:07.120034"),
    ],
)
def test_timestamps_in_micros(micros: int, expected: str) -> None:
    """Text with six digits, in UTC; local ones without a zone."""
    assert read(typed("long", "timestamp-micros"), micros) == expected + "Z"
    assert read(typed("long", "local-timestamp-micros"), micros) == expected


@settings(deadline=None)
@given(st.datetimes().filter(lambda time: time.year >= 1))
def test_every_time_is_read_as_the_calendar_has_it(time: Any) -> None:
    """What Python's calendar says of a time is what the service says, over two thousand years and ten thousand."""
    epoch = time.replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    since = time - epoch
    micros = (since.days * DAY + since.seconds) * 1_000_000 + since.microseconds

    assert logical.local_micros(micros) == time.isoformat(timespec="microseconds")
    assert logical.local_millis(micros // 1000) == time.isoformat(timespec="milliseconds")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (LEAP_DAY // DAY, "2024-02-29"),
        (LEAP_DAY // DAY + 1, "2024-03-01"),
        (20_779, "2026-11-22"),
        (-719_162, "0001-01-01"),
        (2_932_896, "9999-12-31"),
    ],
)
def test_dates(days: int, expected: str) -> None:
    """Text with year, month and day."""
    assert read(typed("int", "date"), days) == expected


@pytest.mark.parametrize(
    ("millis", "expected"),
    [(0, "00:00:00.000"), (37_867_120, "10:31:07.120"), (86_399_999, "23:59:59.999")],
)
def test_times_of_the_day(millis: int, expected: str) -> None:
    """Text with three or six digits."""
    assert read(typed("int", "time-millis"), millis) == expected
    assert read(typed("long", "time-micros"), millis * 1000 + 34) == expected + "034"


@pytest.mark.parametrize("name", ["timestamp-millis", "timestamp-micros", "local-timestamp-millis"])
@pytest.mark.parametrize("value", [2**62, -(2**62)])
def test_times_beyond_the_calendar_are_errors(name: str, value: int) -> None:
    """Nobody can say when that was; the decoder makes a failure of it."""
    with pytest.raises(MalformedError, match="outside of the years"):
        read(typed("long", name), value)


@pytest.mark.parametrize("days", [-719_163, 2_932_897, 2**31 - 1, -(2**31)])
def test_dates_beyond_the_calendar_are_errors(days: int) -> None:
    """The same for dates."""
    with pytest.raises(MalformedError, match="outside of the years"):
        read(typed("int", "date"), days)


@pytest.mark.parametrize(
    ("nanos", "expected"),
    [
        (0, "1970-01-01T00:00:00.000000000"),
        (-1, "1969-12-31T23:59:59.999999999"),
        (1_795_343_467_120_034_567, "2026-11-22T10:31:07.120034567"),
    ],
)
def test_timestamps_in_nanos(nanos: int, expected: str) -> None:
    """Text with nine digits, in UTC; local ones without a zone."""
    assert read(typed("long", "timestamp-nanos"), nanos) == expected + "Z"
    assert read(typed("long", "local-timestamp-nanos"), nanos) == expected


@pytest.mark.parametrize("millis", [-1, 86_400_000, 2**31 - 1])
def test_times_that_no_day_has_are_errors(millis: int) -> None:
    """A day ends at midnight."""
    with pytest.raises(MalformedError, match="no time of a day"):
        read(typed("int", "time-millis"), millis)
    with pytest.raises(MalformedError, match="no time of a day"):
        read(typed("long", "time-micros"), millis * 1000)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (bytes(12), "P0M0DT0.000S"),
        (pack("<III", 1, 2, 3004), "P1M2DT3.004S"),
        (b"\xff" * 12, "P4294967295M4294967295DT4294967.295S"),
    ],
)
def test_durations(wire: bytes, expected: str) -> None:
    """ISO 8601, months, days and seconds each for itself: a month has no fixed number of days."""
    fixed = {"type": "fixed", "name": "Span", "size": 12}

    assert read({**fixed, "logicalType": "duration"}, wire, on_wire=fixed) == expected


def test_a_uuid_of_bytes_becomes_text() -> None:
    """As everybody writes it."""
    fixed = {"type": "fixed", "name": "Id", "size": 16}

    assert read({**fixed, "logicalType": "uuid"}, bytes(range(16)), on_wire=fixed) == UUID_TEXT


@pytest.mark.parametrize(
    "kind",
    [
        {"type": "bytes"},
        {"type": "fixed", "name": "F", "size": 2},
        {"type": "fixed", "name": "F", "size": 2, "logicalType": "duration"},
        {"type": "fixed", "name": "F", "size": 2, "logicalType": "uuid"},
        {"type": "bytes", "logicalType": "uuid"},
        {"type": "bytes", "logicalType": "nobody-knows"},
    ],
)
def test_bytes_become_base64(kind: dict[str, Any]) -> None:
    """Where no logical type fits, they are text that JSON can carry."""
    plain = {key: value for key, value in kind.items() if key != "logicalType"}

    assert read(kind, b"\x00\xff", on_wire=plain) == "AP8="


@pytest.mark.parametrize(
    "attributes",
    [
        {"precision": 0},
        {},
        {"precision": 4, "scale": 5},
        {"precision": 4, "scale": -1},
        {"precision": "4"},
        {"precision": True},
        {"precision": 4, "scale": 1.0},
        {"precision": 2_000_000, "scale": 1_500_000},
    ],
)
def test_a_decimal_that_makes_no_sense_is_bytes(attributes: dict[str, Any]) -> None:
    """Avro wants a logical type ignored that does not fit; who reads must not guess the point's place."""
    assert logical_type({"type": "bytes", "logicalType": "decimal", **attributes}) is None


def test_a_decimal_must_fit_its_fixed() -> None:
    """Two bytes hold four digits."""
    fixed = {"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal"}

    assert logical_type({**fixed, "precision": 4}) == ("decimal", 0)
    assert logical_type({**fixed, "precision": 5}) is None


def test_a_decimal_of_endless_digits_is_an_error() -> None:
    """To make a number of a megabyte takes seconds."""
    kind = {"type": "bytes", "logicalType": "decimal", "precision": 200, "scale": 2}

    assert str(read(kind, b"\x7f" * 64, on_wire="bytes")).replace(".", "") == str(int.from_bytes(b"\x7f" * 64))
    with pytest.raises(MalformedError, match="a decimal of more than 64 bytes"):
        read(kind, b"\x7f" * 65, on_wire="bytes")


def test_a_uuid_stays_text() -> None:
    """JMESPath and JSON know no UUID; what is on the wire is kept as it is, whatever its case."""
    text = "2E40A1DE-0a0c-4be5-9f7e-1c1a0f2de22f"

    assert read(typed("string", "uuid"), text) == text


@pytest.mark.parametrize(
    ("wire", "expected"), [(999, "9.99"), (-1, "-0.01"), (0, "0.00"), (123_456_789_012, "1234567890.12")]
)
def test_a_decimal_stays_exact(wire: int, expected: str) -> None:
    """Prices are neither rounded nor floats, on bytes and on fixed."""
    number = wire.to_bytes(8, signed=True)
    fixed = {"type": "fixed", "name": "Money", "size": 8}

    for plain in ({"type": "bytes"}, fixed):
        value = read({**plain, "logicalType": "decimal", "precision": 12, "scale": 2}, number, on_wire=plain)
        assert isinstance(value, Decimal)
        assert str(value) == expected


def test_what_has_no_logical_type_is_a_number() -> None:
    """A plain long stays a number; so does one whose logical type stands beside the type, where Avro ignores it."""
    beside = record_type("R", a="long")
    beside["fields"][0]["logicalType"] = "timestamp-millis"
    body = binary(record_type("R", a="long"), {"a": 1_795_343_467_120})

    assert read("long", 1_795_343_467_120) == 1_795_343_467_120
    assert compile_reader(fastavro.parse_schema(beside))(body, 0) == {"a": 1_795_343_467_120}
