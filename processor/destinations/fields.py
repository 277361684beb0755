"""Kinds of payload fields, and the conversions into them that lose nothing.

What cannot be converted without loss raises ValueError with the reason, never with the value: pydantic makes it a
mapping error with the field's name, and the delivery goes to the dead-letter topic.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

# ruff: noqa: TRY004 - pydantic reads ValueError only
from pydantic import BeforeValidator, Field, Strict

from processor.kinds import kind

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (apis: catalogue ids <= 9007199254740991)."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_GUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = re.compile(_GUID)
_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?", re.ASCII)
_LETTERS_AND_DIGITS = re.compile(r"[A-Za-z0-9]{1,50}")


def integer(value: Any) -> int:
    """An integer from an integer, a number without a fraction, or a text of digits.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is int:
        return value
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    raise ValueError(f"{kind(value)} is not an integer")


def number(value: Any) -> int | float:
    """A JSON number that is exactly the value.

    Raises:
        ValueError: it is no number, or a float would change it.
    """
    if type(value) is int or isinstance(value, float):
        return value
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ValueError("text is not a number")
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise ValueError(f"{kind(value)} is not a number")
    as_float = float(value)
    if value.is_finite() and Decimal(repr(as_float)) != value:
        raise ValueError("the number has more digits than a JSON number keeps")
    return as_float


def letters_and_digits(value: Any) -> str:
    """Retail Rocket's identifiers: 1 to 50 letters and digits; a UUID loses its hyphens.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"{kind(value)} is not a text")
    plain: str = value
    if _LETTERS_AND_DIGITS.fullmatch(plain):
        return plain
    if _UUID.fullmatch(plain):
        return plain.replace("-", "")
    if len(plain) > 50:  # noqa: PLR2004 - the vendor's limit, named in the message
        raise ValueError(f"the text has {len(plain)} characters, at most 50 are allowed")
    raise ValueError("the text must be 1 to 50 letters and digits")


@lru_cache(maxsize=1024)
def _check_calendar(time: str) -> None:
    """Refuse what no calendar has, in words: "month must be in 1..12". Events of one poll share their seconds."""
    datetime.fromisoformat(time)


def zoned_time(digits: int) -> Callable[[Any], str]:
    """ISO 8601 with a zone; fractions of a second are cut to so many digits."""
    keep = digits + 1 if digits else 0

    def check(value: Any) -> str:
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"{kind(value)} is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z")
        seconds, fraction, zone = match.groups()
        _check_calendar(seconds + zone)
        return value if fraction is None or len(fraction) <= keep else seconds + fraction[:keep] + zone

    return check


Text = str
RequiredText = Annotated[str, Field(min_length=1)]
Text50 = Annotated[str, Field(max_length=50)]
RequiredText50 = Annotated[str, Field(min_length=1, max_length=50)]
Flag = Annotated[bool, Strict()]
ContactId = Annotated[str, Strict(), Field(pattern=f"^({_GUID}|[A-Za-z0-9_-]{{20,24}})$")]
"""Voyado's contact: a GUID, or a short GUID of 20 to 24 of `A-Z a-z 0-9 _ -`."""
SessionId = Annotated[str, BeforeValidator(letters_and_digits)]
CatalogueId = Annotated[int, BeforeValidator(integer), Field(ge=1, le=MAX_INTEGER)]
Quantity = Annotated[int, BeforeValidator(integer), Field(ge=0, le=MAX_INTEGER)]
PositiveQuantity = Annotated[int, BeforeValidator(integer), Field(ge=1, le=MAX_INTEGER)]
Price = Annotated[float | int, BeforeValidator(number), Field(ge=0, le=MAX_INTEGER, allow_inf_nan=False)]
TimeInMillis = Annotated[str, BeforeValidator(zoned_time(3))]
TimeInSeconds = Annotated[str, BeforeValidator(zoned_time(0))]
