"""Avro's values as JSON types, so that every later stage sees text and numbers only.

Timestamps, dates, times, durations and UUIDs become ISO 8601 text, bytes become base64; decimals stay exact. A
logical type that does not fit its type, or that is unknown, is ignored, as Avro's specification wants it.
"""

from binascii import b2a_base64
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from functools import lru_cache, partial
from struct import pack, unpack
from typing import Any, Final
from uuid import UUID

Conversion = Callable[[Any], Any]

MAX_DECIMAL_BYTES: Final = 64
"""154 digits. To make a decimal of a megabyte takes seconds, and no price has so many digits."""

FLOAT_BITS: Final = 24
"""Of a float's significand."""
MAX_SCALE: Final = 1_000
"""Digits after a decimal's point; beyond a million Python's decimals become zero in silence."""
_DAY_ONE: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC by definition; the zone is written by hand below
_DAY_IN_SECONDS: Final = 86_400
_EXACT: Final = Context(prec=160)
_UUID_BYTES: Final = 16
_DURATION_BYTES: Final = 12


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    """`2026-11-22T10:31:`; events of one poll share few minutes, and formatting a datetime costs 1.8 µs.

    Raises:
        OverflowError: it is outside of the years 1 to 9999.
    """
    return (_EPOCH + timedelta(minutes=minutes)).isoformat(timespec="minutes") + ":"


def local_millis(value: int) -> str:
    """Milliseconds since 1970 as text without a zone: `2026-11-22T10:31:07.120`."""
    minutes, millis = divmod(value, 60_000)
    return f"{_minute(minutes)}{millis // 1000:02d}.{millis % 1000:03d}"


def local_micros(value: int) -> str:
    """Microseconds since 1970 as text without a zone: `2026-11-22T10:31:07.120000`."""
    minutes, micros = divmod(value, 60_000_000)
    return f"{_minute(minutes)}{micros // 1_000_000:02d}.{micros % 1_000_000:06d}"


def local_nanos(value: int) -> str:
    """Nanoseconds since 1970 as text without a zone: `2026-11-22T10:31:07.120000000`."""
    minutes, nanos = divmod(value, 60_000_000_000)
    return f"{_minute(minutes)}{nanos // 1_000_000_000:02d}.{nanos % 1_000_000_000:09d}"


def utc_millis(value: int) -> str:
    """Milliseconds since 1970 as text in UTC: `2026-11-22T10:31:07.120Z`."""
    return local_millis(value) + "Z"


def utc_micros(value: int) -> str:
    """Microseconds since 1970 as text in UTC: `2026-11-22T10:31:07.120000Z`."""
    return local_micros(value) + "Z"


def utc_nanos(value: int) -> str:
    """Nanoseconds since 1970 as text in UTC: `2026-11-22T10:31:07.120000000Z`."""
    return local_nanos(value) + "Z"


def iso_date(value: int) -> str:
    """Days since 1970 as `2026-11-22`."""
    ordinal = value + _DAY_ONE
    if not 1 <= ordinal <= date.max.toordinal():
        raise OverflowError
    return date.fromordinal(ordinal).isoformat()


def time_millis(value: int) -> str:
    """Milliseconds since midnight as `10:31:07.120`."""
    return _time_of_day(value, 1000, "milliseconds")


def time_micros(value: int) -> str:
    """Microseconds since midnight as `10:31:07.120000`."""
    return _time_of_day(value, 1_000_000, "microseconds")


def _time_of_day(value: int, per_second: int, precision: str) -> str:
    if not 0 <= value < _DAY_IN_SECONDS * per_second:
        raise ValueError(f"a number of {precision} since midnight that is no time of a day")
    return (
        (_EPOCH + timedelta(seconds=value // per_second, **{precision: value % per_second})).time().isoformat(precision)
    )


def duration(value: bytes) -> str:
    """Months, days and milliseconds as `P1M2DT3.004S`."""
    months, days, millis = unpack("<III", value)
    return f"P{months}M{days}DT{millis // 1000}.{millis % 1000:03d}S"


def single(value: float) -> float:
    """The nearest number that a `float` of 32 bits holds; of an integer without a detour over 64 bits."""
    spare = abs(value).bit_length() - FLOAT_BITS if isinstance(value, int) else 0
    if spare > 0:
        kept, rest = divmod(abs(int(value)), 1 << spare)
        half = 1 << (spare - 1)
        kept += rest > half or (rest == half and kept & 1)
        return float((kept << spare) * (1 if value > 0 else -1))
    return unpack("<f", pack("<f", value))[0]  # type: ignore[no-any-return]


def uuid_text(value: bytes) -> str:
    """Sixteen bytes as `8f14e45f-ceea-467f-a8d3-1f0e3c2b9a77`."""
    return str(UUID(bytes=value))


def base64_text(value: bytes) -> str:
    """Bytes as base64 text (RFC 4648, 4, with padding)."""
    return b2a_base64(value, newline=False).decode("ascii")


def decimal(value: bytes, scale: int) -> Decimal:
    """An unscaled number in two's complement, the most significant byte first, with `scale` digits after the point.

    Raises:
        ValueError: it has more than `MAX_DECIMAL_BYTES`.
    """
    if len(value) > MAX_DECIMAL_BYTES:
        raise ValueError(f"a decimal of more than {MAX_DECIMAL_BYTES} bytes")
    return Decimal(int.from_bytes(value, signed=True)).scaleb(-scale, _EXACT)


_OF_NUMBERS: Final[Mapping[tuple[str, str], Conversion]] = {
    ("long", "timestamp-millis"): utc_millis,
    ("long", "timestamp-micros"): utc_micros,
    ("long", "timestamp-nanos"): utc_nanos,
    ("long", "local-timestamp-millis"): local_millis,
    ("long", "local-timestamp-micros"): local_micros,
    ("long", "local-timestamp-nanos"): local_nanos,
    ("int", "date"): iso_date,
    ("int", "time-millis"): time_millis,
    ("long", "time-micros"): time_micros,
}


def logical_type(schema: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What a schema's values mean beyond their type; two schemas with the same one mean the same.

    Args:
        schema: a primitive or fixed type as a JSON object.

    Returns:
        The logical type's name, and a decimal's scale; None where there is none, or none that counts.
    """
    kind, name = schema["type"], schema.get("logicalType")
    if not isinstance(name, str):
        return None
    if (kind, name) in _OF_NUMBERS or (kind, name) == ("string", "uuid"):
        return (name,)
    if kind == "fixed" and (name, schema["size"]) in {("uuid", _UUID_BYTES), ("duration", _DURATION_BYTES)}:
        return (name,)
    if kind in {"bytes", "fixed"} and name == "decimal" and _is_decimal(schema):
        return (name, schema.get("scale", 0))  # more digits than before mean no other number
    return None


def _is_decimal(schema: Mapping[str, Any]) -> bool:
    """Whether precision and scale are what the specification allows."""
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if (
        type(precision) is not int
        or type(scale) is not int
        or not 0 <= scale <= min(precision, MAX_SCALE)
        or precision < 1
    ):
        return False
    return schema["type"] == "bytes" or bool(10**precision <= 2 ** (8 * schema["size"] - 1))


def conversion(schema: Mapping[str, Any]) -> Conversion | None:
    """How a value that was read becomes a JSON type.

    Args:
        schema: a primitive or fixed type as a JSON object.

    Returns:
        A function of int, str or bytes; None where the value stays as it is. It raises ValueError or OverflowError
        for a value that the logical type does not allow.
    """
    match logical_type(schema):
        case ("uuid",):
            return uuid_text if schema["type"] == "fixed" else None
        case ("duration",):
            return duration
        case ("decimal", int(scale)):
            return partial(decimal, scale=scale)
        case (str(name),):
            return _OF_NUMBERS[schema["type"], name]
        case _:
            return base64_text if schema["type"] in {"bytes", "fixed"} else None
