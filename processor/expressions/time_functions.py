"""Times: from numbers and texts to ISO 8601 with a zone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processor.expressions.signatures import NUMBER, TEXT, Function
from processor.expressions.values import EXACT, WrongValueError, exact

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROS = Decimal(1_000_000)


def _iso(time: datetime) -> str:
    """With milliseconds, or with microseconds where there are any; UTC as Z."""
    offset = time.utcoffset() or timedelta()
    if offset % timedelta(minutes=1):  # a town's own time before there were zones; ISO 8601 has no seconds there
        return _iso(time.astimezone(UTC))
    digits = "microseconds" if time.microsecond % 1000 else "milliseconds"
    return time.isoformat(timespec=digits).removesuffix("+00:00") + ("" if offset else "Z")


def _from_seconds(seconds: Any) -> str:
    try:
        return _iso(_EPOCH + timedelta(microseconds=int(EXACT.multiply(Decimal(exact(seconds)), _MICROS))))
    except OverflowError:
        raise WrongValueError("a time outside of the years 1 to 9999; is it in milliseconds?") from None


def from_millis(millis: Any) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC.

    Raises:
        WrongValueError: that is outside of the years 1 to 9999.
    """
    return _from_seconds(EXACT.divide(Decimal(exact(millis)), Decimal(1000)))


@lru_cache(maxsize=64)
def find_zone(name: str) -> ZoneInfo:
    """A time zone by its name in the IANA database.

    Raises:
        WrongValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongValueError("there is no time zone of that name; names are like Europe/Stockholm") from None


def _parse_time(text: str, form: str | None = None, zone: str | None = None) -> str:
    """ISO 8601 without a form, else as `strptime` reads it; a zone in the text counts before the one that is given."""
    try:
        time = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - see below
    except (ValueError, re.error):
        raise WrongValueError("this text is no time of the form that is asked for") from None
    if time.tzinfo is None:
        if zone is None:
            raise WrongValueError("this time has no zone: name one, parse_time(text, format, 'Europe/Stockholm')")
        time = time.replace(tzinfo=find_zone(zone))
    try:
        return _iso(time)
    except OverflowError:
        raise WrongValueError("a time outside of the years 1 to 9999") from None


def check_format(form: str) -> None:
    """Check a format of `parse_time`.

    Raises:
        WrongValueError: no text can be read with it.
    """
    try:
        datetime.strptime("", form)  # noqa: DTZ007 - only whether it can be
    except re.error:
        raise WrongValueError("the format has one of its %-signs twice") from None
    except ValueError as error:
        if "does not match" not in str(error):
            raise WrongValueError(f"the format cannot be used: {error}") from None


def age_function(wall: Callable[[], float]) -> Function:
    """`age`, by a clock.

    Args:
        wall: seconds since 1970.
    """

    def age(time: str) -> Decimal:
        try:
            at = datetime.fromisoformat(time)
        except ValueError:
            raise WrongValueError("age() wants an ISO 8601 time, and this text is none") from None
        if at.tzinfo is None:
            raise WrongValueError("age() wants a time with a zone, and this one has none")
        return Decimal(f"{wall() - at.timestamp():.3f}")

    meaning = "Seconds from that time until now; negative for one in the future."
    return Function("age", [("time", TEXT)], "number", meaning, age, example=("age(occurredAt)", "12.345"))


TIME_FUNCTIONS = (
    Function("from_millis", [("x", NUMBER)], "text", "Milliseconds since 1970 as a time in UTC.",
             from_millis, example=("from_millis(placed)", '"2026-11-22T09:31:07.120Z"')),
    Function("from_seconds", [("x", NUMBER)], "text", "Seconds since 1970 as a time in UTC.",
             _from_seconds, example=("from_seconds(divide(placed, `1000`))", '"2026-11-22T09:31:07.120Z"')),
    Function("parse_time", [("text", TEXT), ("format", TEXT), ("zone", TEXT)], "text",
             "A time with its zone from a text: ISO 8601 without a format or with the format '', else as Python's "
             "strptime reads it; the zone is for texts without one. Of an hour that comes twice it is the first.",
             _parse_time, optional=2,
             example=("parse_time(day, '%d.%m.%Y %H:%M', 'Europe/Oslo')", '"2026-11-22T10:31:00.000+01:00"')),
)  # fmt: skip
