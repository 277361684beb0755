"""What a field of a vendor's payload takes, and in which words people read of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Converter = Callable[[Any], Any]
"""From a value of JSON types (text, int, float, `Decimal`, bool, list, dict; never None) to what is sent.

What cannot be converted without loss raises ValueError with the reason, and never with the value, which may be
personal data: the delivery goes to the dead-letter topic, whose headers are read by many.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload.

    Attributes:
        convert: from the mapped value to what is sent.
        type: what is sent, in words: `integer, 1 to 9007199254740991`.
        required: without it the payload is refused.
        rule: what the vendor wants of it, and what a wrong value leads to.
        source: which page of the vendor says so.
        fields: those of the record, or of each record of the list, that is sent.
    """

    convert: Converter
    type: str
    required: bool = False
    rule: str = ""
    source: str = ""
    fields: Mapping[str, "Field"] = field(default_factory=dict)


def located(place: str, error: ValueError) -> str:
    """Say where a value is wrong: `itemId: the text is empty`, `items[2].sku: required, but null`.

    Args:
        place: a field's name, or a position like `[2]`.
        error: what its converter raised.
    """
    words = str(error)
    return f"{place}{words}" if words.startswith(("[", ".")) else f"{place}: {words}"


def event_time(text: str) -> float:
    """Seconds since 1970 of a converted time, which has a zone."""
    return datetime.fromisoformat(text).timestamp()
