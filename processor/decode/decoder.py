"""From a record to an event, or to the reason why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processor.decode.event_types import EventType, Schema
from processor.decode.frames import FrameError, mark_of, schema_of
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore, Unusable
from processor.decode.wire import MalformedError, branch
from processor.records import ErrorClass, Event, Failure, Filtered, FilterReason, Record, SchemaId, Stage

_TOMBSTONE = Filtered(FilterReason.TOMBSTONE)
_NO_ROUTE = Filtered(FilterReason.NO_ROUTE)


@dataclass(frozen=True, slots=True)
class AwaitSchema:
    """The record cannot be judged before this schema is fetched."""

    schema_id: SchemaId


Decoded = Event | Filtered | Failure | AwaitSchema


@dataclass(frozen=True, slots=True)
class Known:
    """A schema as it matters on one topic.

    Attributes:
        types: its branches; None for one that no route wants.
        wanted: whether there is any other.
    """

    schema: Schema
    types: Sequence[EventType | None]
    wanted: bool


class Decoder:
    """Decodes records of one pipeline.

    Args:
        wanted: whether a route reads this event (full name) from this topic; others are not decoded at all.
    """

    def __init__(self, schemas: SchemaStore, local: LocalTypes, wanted: Callable[[str, str], bool]) -> None:
        self._schemas = schemas
        self._local = local
        self._wanted = wanted
        self._raw = local.topics
        self._known: dict[tuple[str, bytes], Known] = {}

    def decode(self, record: Record) -> Decoded:
        """Never raises: what cannot be decoded is a `Failure`, and never the service's end."""
        value, topic = record.value, record.topic
        if value is None:
            return _TOMBSTONE
        mark, start = (b"", 0) if topic in self._raw else mark_of(record, value)
        known = self._known.get((topic, mark)) or self._look_up(topic, mark)
        if not isinstance(known, Known):
            return known
        if not known.wanted:
            return _NO_ROUTE
        return _read(record, value, start, known)

    def _look_up(self, topic: str, mark: bytes) -> Known | AwaitSchema | Failure:
        """Find out what a mark means; what is good is kept, for a schema never changes."""
        try:
            schema = self._local.of_topic(topic) or self._schema_of(mark)
        except FrameError as fault:
            return undecodable(str(fault))
        if not isinstance(schema, Schema):
            return schema
        types = [each if each and self._wanted(topic, each.name) else None for each in schema.types]
        known = self._known[topic, mark] = Known(schema, types, any(types))
        return known

    def _schema_of(self, mark: bytes) -> Schema | AwaitSchema | Failure:
        meant = schema_of(mark)
        if isinstance(meant, bytes):
            local = self._local.of_fingerprint(meant)
            return local or undecodable(
                f"single-object encoding with the fingerprint {meant.hex()}, which no file of `schemas` has"
            )
        found = self._schemas.get(meant)
        if isinstance(found, Unusable):
            return undecodable(found.message, meant)
        return found or AwaitSchema(meant)


def _read(record: Record, value: bytes, start: int, known: Known) -> Event | Filtered | Failure:
    schema, event_type = known.schema, known.types[0]
    try:
        if schema.is_union:
            at, start = branch(value, start, len(known.types))
            event_type = known.types[at]
        if event_type is None:
            return _NO_ROUTE
        fields = event_type.read(value, start)
    except MalformedError as fault:
        name = event_type.name if event_type else "union of events"
        return undecodable(f"{name} ({schema.called}): {fault}"[:500], schema.id)
    return Event(record, event_type.name, fields, schema.id)


def undecodable(message: str, schema_id: SchemaId | None = None) -> Failure:
    """The failure of this stage."""
    return Failure(Stage.DECODE, ErrorClass.UNDECODABLE, message, schema_id=schema_id)
