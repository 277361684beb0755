"""The whole event, its Kafka record, and tables."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from processor.expressions.jmespath_functions import to_text
from processor.expressions.signatures import ANY, TEXT, Function
from processor.expressions.time_functions import from_millis
from processor.expressions.values import WrongValueError
from processor.records import Event

_ABSENT = object()


def _event(event: Event) -> dict[str, Any]:
    return event.value


def _header(event: Event, name: str) -> str | None:
    content = next((value for key, value in reversed(event.record.headers or ()) if key == name), None)
    return content if content is None or isinstance(content, str) else _utf8(content)


def _utf8(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise WrongValueError("header(): its value is not UTF-8 text") from None


def key_text(key: bytes | None) -> str | None:
    """A record's key as UTF-8, else as base64."""
    if key is None:
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return b64encode(key).decode("ascii")


def _kafka_key(event: Event) -> str | None:
    return key_text(event.record.key)


def _kafka_topic(event: Event) -> str:
    return event.record.topic


def _kafka_time(event: Event) -> str | None:
    timestamp = event.record.timestamp
    return None if timestamp < 0 else from_millis(timestamp)


def lookup_function(tables: Mapping[str, Callable[[str], str | None]]) -> Function:
    """`lookup`, over the tables of the file.

    Args:
        tables: by name, what finds a key's value; None = it has none.
    """

    def lookup(table: Any, key: Any, default: Any = _ABSENT) -> Any:
        if table is None or key is None:
            return None
        if table not in tables:
            raise WrongValueError("lookup(): there is no such table")
        found = tables[table](to_text(key))
        if found is not None:
            return found
        if default is _ABSENT:
            raise WrongValueError(f"lookup(): the table {table} has no such key, and no default is given")
        return default

    meaning = "The table's value for the key; a missing key without a default is an error."
    parameters = [("table", TEXT), ("key", ANY), ("default", ANY)]
    example = ("lookup('culture', market, 'en-GB')", '"sv-SE"')
    return Function("lookup", parameters, "text", meaning, lookup, optional=1, takes_null=True, example=example)


EVENT_FUNCTIONS = (
    Function("event", [], "record", "The whole event, also where `item` or a projection hides it.",
             _event, context=True, example=("lines[].concat(event().market, sku)", '["SEa-1", "SEb-2"]')),
    Function("header", [("name", TEXT)], "text", "The record's last header of that name, as UTF-8; null without one.",
             _header, context=True, example=("header('tenant')", '"acme"')),
    Function("kafka_key", [], "text", "The record's key as UTF-8, else as base64; null without one.",
             _kafka_key, context=True, example=("kafka_key()", '"8f14"')),
    Function("kafka_topic", [], "text", "The topic that the record came from.",
             _kafka_topic, context=True, example=("kafka_topic()", '"shop.clickstream"')),
    Function("kafka_time", [], "text", "The record's timestamp in Kafka, in UTC; null where it has none.",
             _kafka_time, context=True, example=("kafka_time()", '"2026-11-22T09:31:07.301Z"')),
)  # fmt: skip
