"""A letter's facts as scripts read them and as `--where` sees them."""

from typing import Any

from processor.records import Headers
from processor.replay.letter import DeadLetter
from processor.settle.letters import iso

MILLISECONDS = 1000
NAMES = (
    *("letter", "written", "id", "topic", "partition", "offset", "time", "destination", "route", "index", "stage"),
    *("class", "status", "message", "response", "attempts", "first_attempt", "last_attempt", "schema_id"),
    *("config_version", "service_version", "replays", "omitted"),
)
"""All that `facts` tells, in its order."""


def facts(letter: DeadLetter) -> dict[str, Any]:
    """All that a letter says of itself, without what its record held.

    `topic`, `partition`, `offset` and `time` are those of the record that failed; `letter` is the place of the letter
    as `partition:offset` of the dead-letter topic, `written` when it was put there. Times are ISO 8601 UTC; what is
    not known is null.
    """
    return {
        "letter": letter.place,
        "written": moment(letter.written),
        "id": letter.delivery_id,
        "topic": letter.source_topic,
        "partition": letter.source_partition,
        "offset": letter.source_offset,
        "time": letter.text("source.timestamp"),
        "destination": letter.destination,
        "route": letter.route or None,
        "index": letter.index,
        "stage": letter.stage,
        "class": letter.error_class,
        "status": letter.status,
        "message": letter.message,
        "response": letter.response,
        "attempts": letter.attempts,
        "first_attempt": letter.first_attempt,
        "last_attempt": letter.last_attempt,
        "schema_id": letter.schema_id,
        "config_version": letter.config_version,
        "service_version": letter.service_version,
        "replays": letter.replays,
        "omitted": letter.omitted,
    }


def header_texts(headers: Headers | None) -> dict[str, str | None]:
    """Headers by name, the last one of a name; what is no UTF-8 is shown as far as it is."""
    return {
        name: content.decode(errors="replace") if isinstance(content, bytes) else content
        for name, content in headers or ()
    }


def moment(milliseconds: int) -> str | None:
    """Milliseconds since 1970 as ISO 8601 UTC; None where there is no such time."""
    try:
        return iso(milliseconds / MILLISECONDS) if milliseconds >= 0 else None
    except (ValueError, OverflowError):
        return None
