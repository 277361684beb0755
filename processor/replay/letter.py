"""A dead letter as it lies in its topic: what it says, read when it is asked for. Pure."""

from dataclasses import dataclass
from datetime import datetime

from processor.records import Headers, Record, Source, delivery_id
from processor.settle.letters import HEADERS_OMITTED, KEY_OMITTED, PREFIX, VALUE_OMITTED

REQUIRED = (
    "dlq.source.topic",
    "dlq.source.partition",
    "dlq.source.offset",
    "dlq.destination",
    "dlq.stage",
    "dlq.error.class",
    "dlq.error.message",
)
NUMBERS = (
    "dlq.source.partition",
    "dlq.source.offset",
    "dlq.delivery.index",
    "dlq.http.status",
    "dlq.attempts",
    "dlq.replay.count",
    VALUE_OMITTED,
    HEADERS_OMITTED,
    KEY_OMITTED,
)
DIGITS = 18
"""Of a number that a letter may have; Kafka's own end at 19."""
TIME = "dlq.source.timestamp"
RESTORED = "dlq.restored"
"""Of a letter that was put back from a file: of which file, by which request."""
OMITTED = {"value": VALUE_OMITTED, "headers": HEADERS_OMITTED, "key": KEY_OMITTED}


@dataclass(frozen=True, slots=True)
class NotALetter:
    """A message in a dead-letter topic that is none of ours.

    Attributes:
        why: in words, after "it": "has no dlq.source.topic".
        tombstone: whether it is a user's own, by which compaction erases the letters with its key.
    """

    why: str
    tombstone: bool = False


class DeadLetter:
    """One letter; made by `dead_letter`, which has checked its headers, so that nothing here raises.

    Attributes:
        record: the message in the dead-letter topic; its assignment and offset are the letter's, not the source's.
        said: the headers by name, as bytes.
    """

    __slots__ = ("record", "said")

    def __init__(self, record: Record, said: dict[str, bytes | None]) -> None:
        self.record = record
        self.said = said

    @property
    def partition(self) -> int:
        """Of the dead-letter topic."""
        return self.record.assignment.partition

    @property
    def offset(self) -> int:
        """In the dead-letter topic."""
        return self.record.offset

    @property
    def place(self) -> str:
        """Where it lies, as `show` takes it: `partition:offset`."""
        return f"{self.partition}:{self.offset}"

    @property
    def written(self) -> int:
        """When it was written, in milliseconds since 1970; negative where the broker knows no time."""
        return self.record.timestamp

    @property
    def key(self) -> bytes | None:
        """As it arrived."""
        return self.record.key

    @property
    def value(self) -> bytes | None:
        """As it arrived."""
        return self.record.value

    @property
    def arrived(self) -> Headers:
        """The headers that the record had, without the letter's own."""
        return [header for header in self.record.headers or () if not header[0].startswith(PREFIX)]

    def text(self, name: str) -> str | None:
        """One of the letter's own headers, named without `dlq.`; None where it has none."""
        content = self.said.get(PREFIX + name)
        return None if content is None else content.decode(errors="replace")

    def _number(self, name: str) -> int | None:
        content = self.said.get(PREFIX + name)
        return None if content is None else int(content)

    @property
    def source_topic(self) -> str:
        """Where the record was."""
        return self.text("source.topic") or ""

    @property
    def source_partition(self) -> int:
        """Where the record was."""
        return self._number("source.partition") or 0

    @property
    def source_offset(self) -> int:
        """Where the record was."""
        return self._number("source.offset") or 0

    @property
    def source_timestamp(self) -> int:
        """The record's own, in milliseconds since 1970; -1 where it had none that a calendar has."""
        text = self.text("source.timestamp")
        return -1 if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)

    @property
    def destination(self) -> str:
        """Whose delivery failed."""
        return self.text("destination") or ""

    @property
    def route(self) -> str:
        """Whose delivery failed; empty where it failed before any route."""
        return self.text("route") or ""

    @property
    def index(self) -> int | None:
        """Which element of the `for_each` array failed; None where it is not known, or the whole route failed."""
        return self._number("delivery.index")

    @property
    def delivery_id(self) -> str:
        """The delivery's own, the same over retries and replays."""
        return self.text("delivery.id") or delivery_id(Replayed(self), self.route, self.index)

    @property
    def stage(self) -> str:
        """Where it failed."""
        return self.text("stage") or ""

    @property
    def error_class(self) -> str:
        """How it failed."""
        return self.text("error.class") or ""

    @property
    def message(self) -> str:
        """What was wrong."""
        return self.text("error.message") or ""

    @property
    def status(self) -> int | None:
        """HTTP status of the last reply."""
        return self._number("http.status")

    @property
    def response(self) -> str | None:
        """Body of the last reply, its first KiB."""
        return self.text("http.response")

    @property
    def attempts(self) -> int:
        """How often it was sent."""
        return self._number("attempts") or 0

    @property
    def first_attempt(self) -> str | None:
        """ISO 8601 UTC."""
        return self.text("first.attempt")

    @property
    def last_attempt(self) -> str | None:
        """ISO 8601 UTC."""
        return self.text("last.attempt")

    @property
    def schema_id(self) -> str | None:
        """The id in the frame: a number, or a GUID."""
        return self.text("schema.id")

    @property
    def config_version(self) -> str | None:
        """What was running."""
        return self.text("config.version")

    @property
    def service_version(self) -> str | None:
        """What was running."""
        return self.text("service.version")

    @property
    def replays(self) -> int:
        """How often it was replayed before it failed this time."""
        return self._number("replay.count") or 0

    @property
    def omitted(self) -> dict[str, int]:
        """What the topic did not take, `value`, `headers` or `key`, and how many bytes that was."""
        return {what: int(size) for what, name in OMITTED.items() if (size := self.said.get(name)) is not None}


class Replayed(Record):
    """A letter on its way again: settled where the letter lies, and in all else the record that it was.

    Attributes:
        letter: whose delivery is made again.
    """

    __slots__ = ("letter",)

    def __init__(self, letter: DeadLetter) -> None:
        at = letter.record
        super().__init__(
            at.assignment, at.offset, letter.source_timestamp, at.key, at.value, letter.arrived, at.open, at.spread
        )
        self.letter = letter

    @property
    def topic(self) -> str:
        """Where it was written first."""
        return self.letter.source_topic

    @property
    def source(self) -> Source:
        """Where it was written first."""
        return self.letter.source_topic, self.letter.source_partition, self.letter.source_offset

    @property
    def replays(self) -> int:
        """How often it was replayed, this time included."""
        return self.letter.replays + 1


def dead_letter(record: Record) -> DeadLetter | NotALetter:
    """Read a message of a dead-letter topic; never raises."""
    headers = record.headers or ()
    said: dict[str, bytes | None] = dict(headers)  # type: ignore[arg-type]  # what arrives is bytes or None
    for name in REQUIRED:
        if said.get(name) is None:
            return _missing(record, said, name)
    for name in NUMBERS:
        content = said.get(name)
        if content is not None and not (content.isdigit() and len(content) <= DIGITS):
            return NotALetter(f"has a {name} that is no number")
    time = said.get(TIME)
    if time is not None and not _is_time(time):
        return NotALetter(f"has a {TIME} that is no time")
    return DeadLetter(record, said)


def _missing(record: Record, said: dict[str, bytes | None], name: str) -> NotALetter:
    if any(each.startswith(PREFIX) for each in said):
        return NotALetter(f"has no {name}")
    if record.value is None:
        return NotALetter("is a tombstone", tombstone=True)
    return NotALetter("has no headers of a dead letter")


def _is_time(content: bytes) -> bool:
    """Whether it is a time of a known zone."""
    try:
        return datetime.fromisoformat(content.decode()).tzinfo is not None
    except ValueError:
        return False
