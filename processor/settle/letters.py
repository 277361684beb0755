"""What a dead letter says: the record as it arrived, plus the headers of the contract. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from processor.records import Delivery, Failure, Headers, Record, SchemaId, delivery_id

PREFIX = "dlq."
OMITTED = "dlq.value.omitted"
RESPONSE_LIMIT = 1024
MESSAGE_LIMIT = 1024


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
        record: whose key and value travel along, byte for byte.
        route: empty where the failure came before any route.
    """

    record: Record
    failure: Failure
    route: str
    index: int
    headers: Headers

    def without_value(self) -> "Letter":
        """The same letter for a topic that the value does not fit into; the header tells how many bytes it had."""
        size = str(len(self.record.value or b"")).encode()
        headers: Headers = [*self.headers, (OMITTED, size)]
        return Letter(self.record, self.failure, self.route, self.index, headers)

    @property
    def value(self) -> bytes | None:
        """The value that travels; None where it did not fit."""
        return None if self.headers[-1][0] == OMITTED else self.record.value


def letter(
    origin: Origin,
    record: Record,
    failure: Failure,
    *,
    route: str = "",
    index: int = 0,
    schema_id: SchemaId | None = None,
    delivery: Delivery | None = None,
) -> Letter:
    """Write the letter for one failed delivery.

    Headers are UTF-8 text; times are ISO 8601 UTC with milliseconds; what is not known yet is absent.
    """
    at = record.assignment
    fields: dict[str, str | int | None] = {
        "source.topic": at.topic,
        "source.partition": at.partition,
        "source.offset": record.offset,
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
        "replay.count": 0,
    }
    arrived = [(name, value) for name, value in record.headers or () if not name.startswith(PREFIX)]
    ours = [(PREFIX + name, str(value).encode()) for name, value in fields.items() if value is not None]
    return Letter(record, failure, route, index, [*arrived, *ours])


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
