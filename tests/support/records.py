"""Records as the Kafka thread makes them, for tests that have no broker."""

from processor.records import Assignment, Headers, Record

SECOND = 1_700_000_000_000
"""A timestamp in milliseconds since 1970: 2023-11-14T22:13:20.000Z."""


def record(
    offset: int = 0,
    *,
    at: Assignment | None = None,
    key: bytes | None = b"k",
    value: bytes | None = b"vv",
    headers: Headers | None = None,
    timestamp: int = SECOND,
) -> Record:
    """A record of three bytes, of partition 0 of `clicks` unless `at` says otherwise."""
    return Record(at or Assignment("clicks", 0, 1), offset, timestamp, key, value, headers)
