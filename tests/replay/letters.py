"""Letters as they lie in a dead-letter topic."""

from typing import Any

from processor.records import Assignment, ErrorClass, Failure, Headers, Record, Stage
from processor.replay.letter import DeadLetter, dead_letter
from processor.settle.letters import Origin, letter
from tests.support.records import SECOND, record

ORIGIN = Origin("rocket", "77be01", "0.1.0")
FAILURE = Failure(Stage.SEND, ErrorClass.INVALID, "400", status=400, response='{"error":"price"}', schema_id=7)
WRITTEN = SECOND + 60_000
"""When the letters were written: a minute after their records."""


def buried(
    offset: int = 0,
    *,
    source: Record | None = None,
    failure: Failure = FAILURE,
    route: str = "orders",
    index: int | None = 2,
    at: Assignment | None = None,
    origin: Origin = ORIGIN,
    written: int = WRITTEN,
) -> Record:
    """The message in the dead-letter topic that the service wrote for one failed delivery."""
    told = letter(origin, source or record(), failure, route=route, index=index, schema_id=failure.schema_id)
    return Record(at or Assignment("dlq", 3, 1), offset, written, told.key, told.value, told.headers)


def changed(message: Record, **headers: bytes | None) -> Record:
    """The same message with other headers, named without `dlq.` and with `_` for a dot; None removes one."""
    new = {f"dlq.{name.replace('_', '.')}": content for name, content in headers.items()}
    kept: Headers = [each for each in message.headers or () if each[0] not in new]
    message.headers = kept + [(name, content) for name, content in new.items() if content is not None]
    return message


def as_letter(message: Record | None = None, **parts: Any) -> DeadLetter:
    """What a message says, which must be a letter."""
    found = dead_letter(message or buried(**parts))
    assert isinstance(found, DeadLetter)
    return found
