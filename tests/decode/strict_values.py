"""What the strict reader makes of a datum: JSON types, logical types as text, by the plainest means there are."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.decode.strict_schema import Type

MAX_DECIMAL_BYTES = 64
SECOND = {"millis": 10**3, "micros": 10**6, "nanos": 10**9}
"""Parts of a second in a second."""


class RefusedError(Exception):
    """The payload is not what the schema says."""


@dataclass(frozen=True, slots=True)
class Datum:
    """What a payload holds at one place, before logical types.

    Attributes:
        value: None, bool, int, float, bytes (also of fixed) or str (also of an enum: the symbol); a list of data for an
            array, of pairs for a map (the last one counts, where a key is twice in it), a dict of data for a record,
            one datum for a union.
    """

    type: Type
    value: Any


def render(datum: Datum) -> Any:
    """The value as JSON types.

    Raises:
        RefusedError: a logical type does not allow it.
    """
    kind, value = datum.type.kind, datum.value
    if kind == "union":
        return render(value)
    if kind == "array":
        return [render(item) for item in value]
    if kind in {"map", "record"}:
        return {name: render(item) for name, item in (value if kind == "map" else value.items())}
    return plain(datum.type, value)


def plain(type_: Type, value: Any) -> Any:
    """A value of a type without parts as JSON type.

    Raises:
        RefusedError: the logical type does not allow it.
    """
    if "time" in type_.logical or type_.logical == "date":
        return _time_or_date(value, type_.logical)
    if type_.logical == "decimal":
        return _decimal(value, type_.scale)
    if type_.logical == "duration":
        return _duration(value)
    if type_.logical == "uuid" and type_.kind == "fixed":
        digits = value.hex()
        return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _time_or_date(value: int, logical: str) -> str:
    if logical == "date":
        return _date_time(value * 24 * 60 * 60).date().isoformat()
    kind, _, unit = logical.rpartition("-")
    if kind == "time":
        return _time(value, unit)
    return _timestamp(value, unit) + ("Z" if kind == "timestamp" else "")


def _decimal(value: bytes, scale: int) -> Decimal:
    """Two's complement, big-endian; no bytes at all are 0."""
    if len(value) > MAX_DECIMAL_BYTES:
        raise RefusedError(f"a decimal of {len(value)} bytes")
    unscaled = 0
    for byte in value:
        unscaled = unscaled * 256 + byte
    if value and value[0] >= 128:
        unscaled -= 256 ** len(value)
    return Decimal((int(unscaled < 0), tuple(int(digit) for digit in str(abs(unscaled))), -scale))


def _duration(value: bytes) -> str:
    months, days, millis = (
        sum(byte * 256**place for place, byte in enumerate(value[start : start + 4])) for start in (0, 4, 8)
    )
    return f"P{months}M{days}DT{millis // 1000}.{millis % 1000:03d}S"


def _date_time(seconds: int) -> datetime:
    try:
        return datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - the zone is written by hand
    except OverflowError:
        raise RefusedError(f"{seconds} s from 1970 is outside of the years 1 to 9999") from None


def _timestamp(value: int, unit: str) -> str:
    seconds, part = divmod(value, SECOND[unit])
    return _date_time(seconds).isoformat() + _fraction(part, unit)


def _time(value: int, unit: str) -> str:
    seconds, part = divmod(value, SECOND[unit])
    if not 0 <= seconds < 24 * 60 * 60:
        raise RefusedError(f"{value} {unit} is no time of a day")
    return _date_time(seconds).time().isoformat() + _fraction(part, unit)


def _fraction(part: int, unit: str) -> str:
    digits = len(str(SECOND[unit])) - 1
    return "." + str(part).rjust(digits, "0")
