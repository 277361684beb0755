"""Evaluates one expression, for tables of cases."""

from collections.abc import Callable, Mapping
from typing import Any

from processor.clock import ManualClock
from processor.expressions.language import Language
from processor.expressions.reference import example_event
from processor.records import Event, Headers, Record

CULTURE = {"SE": "sv-SE", "47": "nb-NO"}
NONE: dict[str, str] = {}
TABLES: Mapping[str, Callable[[str], str | None]] = {"culture": CULTURE.get, "none": NONE.get}
LANGUAGE = Language(TABLES, ManualClock(wall=1_700_000_000.0).wall)


def event(
    value: dict[str, Any] | None = None,
    *,
    key: bytes | None = None,
    headers: Headers | None = None,
    timestamp: int = -1,
) -> Event:
    """An event with these fields, and what its Kafka record has."""
    assignment = example_event().record.assignment
    return Event(Record(assignment, 0, timestamp, key, b"", headers), "com.acme.shop.Seen", value or {}, 1)


def evaluate(expression: str, **scope: Any) -> Any:
    """What an expression gives for an event with these fields."""
    return LANGUAGE.compile(expression)(scope, event(scope))
