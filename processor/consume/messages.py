"""From the client's messages to records."""

from typing import Any

from processor.logs import Logger
from processor.records import Assignment, Headers, Record


def record_of(message: Any, assignment: Assignment, log: Logger) -> Record:
    """Make a record of a message; its type is Any because the client types all parts as optional."""
    timestamp: int = message.timestamp()[1]
    return Record(assignment, message.offset(), timestamp, message.key(), message.value(), _headers(message, log))


def _headers(message: Any, log: Logger) -> Headers | None:
    """The client fails on a header name that is no UTF-8; such a record goes on without its headers."""
    try:
        headers: Headers | None = message.headers()
    except SystemError:
        log.warning(
            "headers_unreadable",
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
            next="the record goes on without its headers",
            fix="let its producer write header names as UTF-8",
        )
        return None
    return headers
