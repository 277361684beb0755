"""What a dead letter says: the record as it arrived, plus the headers of the contract. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from processor.records import Delivery, Failure, Headers, Record, SchemaId, delivery_id

PREFIX = "dlq."
VALUE_OMITTED = "dlq.value.omitted"
HEADERS_OMITTED = "dlq.headers.omitted"
KEY_OMITTED = "dlq.key.omitted"
"""Each tells how many bytes were left out."""
MESSAGE = "dlq.error.message"
RESPONSE = "dlq.http.response"
RESPONSE_LIMIT = 1024
MESSAGE_LIMIT = 1024
SHORT_LIMIT = 128
"""Bytes of message and response where the topic does not take more."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What all letters of a pipeline have in common."""

    destination: str
    config_version: str
    service_version: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for the dead-letter topic.

    Attributes:
        record: whose key, value and headers travel along, byte for byte.
        route: empty where the failure came before any route.
        index: position in the `for_each` array; None where the failure came before there was one.
        arrived: the record's headers, without those of an earlier letter.
        ours: what the letter says.
    """

    record: Record
    failure: Failure
    route: str
    index: int | None
    key: bytes | None
    value: bytes | None
    arrived: Headers
    ours: list[tuple[str, bytes]]

    @property
    def headers(self) -> Headers:
        """All that travel."""
        return [*self.arrived, *self.ours]

    def smaller(self) -> "Letter | None":
        """The same letter with one thing less, for a topic that does not take it; None = nothing is left to omit.

        First goes the larger one of value and arrived headers, so that the other one may stay, then most of what the
        vendor said, then the other one, at last the key. Where the record was is always told: it can be read there.
        """
        value, headers = len(self.value or b""), _size(self.arrived)
        whole = not {VALUE_OMITTED, HEADERS_OMITTED} & {name for name, _ in self.ours}
        short = [(name, _shortened(text) if name in {MESSAGE, RESPONSE} else text) for name, text in self.ours]
        if short != self.ours and not (whole and (value or headers)):
            return replace(self, ours=short)
        if value and value >= headers:
            return replace(self, value=None, ours=[*self.ours, _omitted(VALUE_OMITTED, value)])
        if headers:
            return replace(self, arrived=[], ours=[*self.ours, _omitted(HEADERS_OMITTED, headers)])
        if self.key:
            return replace(self, key=None, ours=[*self.ours, _omitted(KEY_OMITTED, len(self.key))])
        return None


def letter(
    origin: Origin,
    record: Record,
    failure: Failure,
    *,
    route: str = "",
    index: int | None = None,
    schema_id: SchemaId | None = None,
    delivery: Delivery | None = None,
) -> Letter:
    """Write the letter for one failed delivery.

    Headers are UTF-8 text; times are ISO 8601 UTC with milliseconds; what is not known yet is absent.
    """
    topic, partition, offset = record.source
    fields: dict[str, str | int | None] = {
        "source.topic": topic,
        "source.partition": partition,
        "source.offset": offset,
        "source.timestamp": _source_time(record.timestamp),
        "destination": origin.destination,
        "route": route or None,
        "delivery.index": index,
        "delivery.id": delivery_id(record, route, index),
        "stage": failure.stage.value,
        "error.class": failure.error_class.value,
        "error.message": _cut(failure.message, MESSAGE_LIMIT),
        "http.status": failure.status,
        "http.response": None if failure.response is None else _cut(failure.response, RESPONSE_LIMIT),
        "attempts": delivery.attempts if delivery else 0,
        "first.attempt": iso(delivery.first_attempt) if delivery and delivery.first_attempt else None,
        "last.attempt": iso(delivery.last_attempt) if delivery and delivery.last_attempt else None,
        "schema.id": schema_id,
        "config.version": origin.config_version,
        "service.version": origin.service_version,
        "replay.count": record.replays,
    }
    arrived = [(name, value) for name, value in record.headers or () if not name.startswith(PREFIX)]
    ours = [(PREFIX + name, str(value).encode()) for name, value in fields.items() if value is not None]
    return Letter(record, failure, route, index, record.key, record.value, arrived, ours)


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _source_time(milliseconds: int) -> str | None:
    """None where the record has no time, or one that no calendar has: microseconds sent as milliseconds are common."""
    try:
        return iso(milliseconds / 1000) if milliseconds >= 0 else None
    except ValueError:
        return None


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, no character broken."""
    return text.encode(errors="replace")[:limit].decode(errors="ignore")


def _shortened(text: bytes) -> bytes:
    return _cut(text.decode(), SHORT_LIMIT).encode()


def _omitted(name: str, size: int) -> tuple[str, bytes]:
    return name, str(size).encode()


def _size(headers: Headers) -> int:
    """Bytes of names and values."""
    return sum(len(name.encode()) + len(value or b"") for name, value in headers)
