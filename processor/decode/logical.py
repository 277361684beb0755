"""Avro's logical types as JSON types, so that every later stage sees text and numbers only.

Timestamps, dates, times and UUIDs become ISO 8601 text; decimals stay exact `Decimal`s.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import fastavro

_DAY_ONE: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC by definition; the zone is written by hand below
_MINUTE_IN_MICROS: Final = 60_000_000


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    """`2026-11-22T10:31:`; events of one poll share few minutes, and formatting a datetime costs 1.8 µs."""
    return (_EPOCH + timedelta(minutes=minutes)).isoformat(timespec="minutes") + ":"


def local_millis(value: int, *_: Any) -> str:
    """Milliseconds since 1970 as text without a zone: `2026-11-22T10:31:07.120`."""
    minutes, millis = divmod(value, 60_000)
    return f"{_minute(minutes)}{millis // 1000:02d}.{millis % 1000:03d}"


def local_micros(value: int, *_: Any) -> str:
    """Microseconds since 1970 as text without a zone: `2026-11-22T10:31:07.120000`."""
    minutes, micros = divmod(value, _MINUTE_IN_MICROS)
    return f"{_minute(minutes)}{micros // 1_000_000:02d}.{micros % 1_000_000:06d}"


def utc_millis(value: int, *_: Any) -> str:
    """Milliseconds since 1970 as text in UTC: `2026-11-22T10:31:07.120Z`."""
    return local_millis(value) + "Z"


def utc_micros(value: int, *_: Any) -> str:
    """Microseconds since 1970 as text in UTC: `2026-11-22T10:31:07.120000Z`."""
    return local_micros(value) + "Z"


def iso_date(value: int, *_: Any) -> str:
    """Days since 1970 as `2026-11-22`."""
    return date.fromordinal(value + _DAY_ONE).isoformat()


def time_millis(value: int, *_: Any) -> str:
    """Milliseconds since midnight as `10:31:07.120`."""
    return (_EPOCH + timedelta(milliseconds=value)).time().isoformat(timespec="milliseconds")


def time_micros(value: int, *_: Any) -> str:
    """Microseconds since midnight as `10:31:07.120000`."""
    return (_EPOCH + timedelta(microseconds=value)).time().isoformat(timespec="microseconds")


def text(value: str, *_: Any) -> str:
    """A UUID stays the text that it is on the wire."""
    return value


READERS: Final[dict[str, Callable[..., str]]] = {
    "long-timestamp-millis": utc_millis,
    "long-timestamp-micros": utc_micros,
    "long-local-timestamp-millis": local_millis,
    "long-local-timestamp-micros": local_micros,
    "int-date": iso_date,
    "int-time-millis": time_millis,
    "long-time-micros": time_micros,
    "string-uuid": text,
}


def install() -> None:
    """Have fastavro read logical types as above (`fastavro.read.LOGICAL_READERS`, its documented extension point)."""
    fastavro.read.LOGICAL_READERS.update(READERS)
