"""Points in time as the vendors read them: ISO 8601 text with a zone.

Avro's timestamps arrive as UTC text, texts with a zone stay in their zone. Digits of a second beyond what a vendor
reads are cut, not rounded: nothing happens later than it did.
"""

import re
from datetime import datetime
from typing import Any, Final

from processor.kinds import kind

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LOCAL_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WANTED: Final = "is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z"
_NOT_THERE: Final = "there is no such time in the calendar"
"""In place of the calendar's own words, which show the value."""

_parse = datetime.fromisoformat

# What Avro's timestamp-millis arrive as, and nearly every time is: `2026-11-22T10:31:07.120Z`. Its separators, every
# third character, are compared at once; the rest is left to the calendar. This costs half of a regular expression,
# and no call is made for it.
_LENGTH: Final = 24
_SEPARATORS: Final = "--T::."


def in_milliseconds(value: Any) -> str:
    """A time with at most three digits after the second.

    Raises:
        ValueError: it is no time, has no zone, or is not in the calendar.
    """
    if type(value) is str and len(value) == _LENGTH and value[4:20:3] == _SEPARATORS and value[23] == "Z":
        try:
            _parse(value)
        except ValueError:
            raise ValueError(_NOT_THERE) from None
        return value
    seconds, fraction, zone = _parts(value)
    return f"{seconds}{fraction[:4]}{zone}"


def in_seconds(value: Any) -> str:
    """A time in whole seconds.

    Raises:
        ValueError: it is no time, has no zone, or is not in the calendar.
    """
    if type(value) is str and len(value) == _LENGTH and value[4:20:3] == _SEPARATORS and value[23] == "Z":
        try:
            _parse(value)
        except ValueError:
            raise ValueError(_NOT_THERE) from None
        return value[:19] + "Z"
    seconds, _, zone = _parts(value)
    return seconds + zone


def _parts(value: Any) -> tuple[str, str, str]:
    """Seconds, fraction with its point, and zone of any time that has them."""
    match = _TIME.fullmatch(value) if type(value) is str else None
    if match is None:
        raise ValueError(_why_not(value))
    seconds, fraction, zone = match.groups(default="")
    try:
        _parse(seconds + zone)
    except ValueError:
        raise ValueError(_NOT_THERE) from None
    return seconds, fraction, zone


def _why_not(value: Any) -> str:
    if type(value) is not str:
        return f"{kind(value)} {_WANTED}"
    if _LOCAL_TIME.fullmatch(value):
        return "the time has no zone, so nobody can say when it was"
    if _DATE.fullmatch(value):
        return "a date is no point in time"
    return f"text {_WANTED}"
