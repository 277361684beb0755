"""What travels through the pipeline, and the fates it can meet.

Polled batch (consume) → Record → Event (decode) → Routed (route) → Delivery (map) → a fate (send, settle).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


Key = tuple[str, int]
"""Topic and partition."""


class Assignment:
    """One partition for as long as this member owns it.

    Made when the partition is assigned, ended when it is revoked, lost, or read again from a lower offset. Every
    record carries its assignment, so that a result which arrives after the end falls off by itself (invariant 5).

    Attributes:
        topic: topic name.
        partition: partition number.
        epoch: grows with each assignment of this process; tells two assignments of one partition apart in logs.
        live: False once nothing more may be sent for it: it is drained, revoked or lost. What was in flight then may
            still settle, as long as the ledger knows this very assignment.
    """

    __slots__ = ("epoch", "live", "partition", "topic")

    def __init__(self, topic: str, partition: int, epoch: int) -> None:
        self.topic = topic
        self.partition = partition
        self.epoch = epoch
        self.live = True

    @property
    def key(self) -> Key:
        """Topic and partition."""
        return self.topic, self.partition

    def __repr__(self) -> str:
        state = "live" if self.live else "ended"
        return f"<Assignment {self.topic}[{self.partition}] epoch {self.epoch} {state}>"


Source = tuple[str, int, int]
"""Topic, partition and offset of a record."""

SchemaId = int | str
"""How a registry calls a schema: its number, or its GUID as text."""

Headers = list[tuple[str, str | bytes | None]]
"""As the Kafka client has them; what arrives is bytes or None."""


@dataclass(slots=True, eq=False)
class Record:
    """One Kafka message as it arrived.

    Attributes:
        timestamp: Kafka's timestamp in milliseconds since 1970; negative where the broker knows none.
        open: deliveries of this record that are not settled yet; the record is settled when it is 0 again.
        spread: whether a lane of it may go on before it is settled, without a dead letter of that lane.
    """

    assignment: Assignment
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None
    open: int = 0
    spread: bool = False

    @property
    def topic(self) -> str:
        """Where it was written first; what formats and routes go by."""
        return self.assignment.topic

    @property
    def source(self) -> Source:
        """Where it was written first. A letter that is replayed is settled at a place of its own."""
        return self.assignment.topic, self.assignment.partition, self.offset

    @property
    def replays(self) -> int:
        """How often it was replayed from a dead-letter topic, this time included."""
        return 0

    @property
    def size(self) -> int:
        """Bytes of key and value, as counted for `in_memory.max_bytes`."""
        return len(self.key or b"") + len(self.value or b"")


class FilterReason(StrEnum):
    """Why nothing was delivered although nothing went wrong (label `reason`)."""

    WHEN = "when"
    """The route's condition was false, null or empty."""
    NO_ROUTE = "no_route"
    """No route reads this event."""
    TOMBSTONE = "tombstone"
    """The record has no value."""
    EMPTY = "empty"
    """`for_each` found nothing."""
    TOO_OLD = "too_old"
    """It happened longer ago than the route's `max_event_age`."""
    PYTHON = "python"
    """The route's `python:` hook gave nothing."""


class Stage(StrEnum):
    """Where a delivery failed (header `dlq.stage`)."""

    DECODE = "decode"
    ROUTE = "route"
    MAP = "map"
    SEND = "send"


class ErrorClass(StrEnum):
    """What was wrong with it (header `dlq.error.class`)."""

    UNDECODABLE = "undecodable"
    UNMAPPED = "unmapped"
    INVALID = "invalid"
    REFUSED = "refused"
    """Not for what it says: the vendor forbids it, has no such method, or never said whose fault it is."""
    EXHAUSTED = "exhausted"
    """The vendor failed at it, and not at others."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """Sent once, and nobody knows whether the vendor did it."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """Nothing is to be delivered, by a rule that the user wrote."""

    reason: FilterReason
    route: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a delivery goes to the dead-letter topic.

    Attributes:
        message: what was wrong, to which field; never a secret, never a payload.
        status: HTTP status of the last reply; None before anything was sent.
        response: the first KiB of the last reply's body.
        schema_id: the id in the frame, where decoding failed and there was one.
    """

    stage: Stage
    error_class: ErrorClass
    message: str
    status: int | None = None
    response: str | None = None
    schema_id: SchemaId | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded record.

    Attributes:
        name: Avro full name of the record type.
        value: its fields, as JSON types: logical types are text, decimals are exact `Decimal`s.
        schema_id: the registry's id of the writer's schema; None where the frame has none.
    """

    record: Record
    name: str
    value: dict[str, Any]
    schema_id: SchemaId | None


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One URL path of a destination that requests go to; the scope of gates and batches.

    Attributes:
        label: the metrics' label `method`: the method's name, or `visitor_events` where methods share a path.
        path: path below the base URL.
        batched: whether the body is an array of deliveries.
        once: a request may reach a shopper, so one that may have been carried out is never sent again; not batched.
    """

    label: str
    path: str
    batched: bool
    once: bool = False


@dataclass(slots=True)
class Payload:
    """What is to be sent, as the vendor wants it; never changed, but not frozen: that costs 0.5 µs per event.

    Attributes:
        body: JSON; with its envelope where it travels in a shared batch.
        lane: order key; deliveries with the same one go one after another. None = no order.
        event_time: seconds since 1970 when it happened, as the payload says; None where the payload has no time.
        expires: seconds since 1970 after which it is not sent any more; None = never.
    """

    channel: Channel
    body: bytes
    lane: str | None
    event_time: float | None
    expires: float | None = None


@dataclass(slots=True, eq=False)
class Delivery:
    """One payload on its way to one method.

    Attributes:
        route: the route's name in the file.
        index: position in the `for_each` array; 0 without.
        channel, body, lane, event_time, expires: as in `Payload`.
        made: the clock's `now` when it was mapped.
        attempts: requests with this delivery that were answered or lost; throttled ones do not count, nor does what was
            refused for the credential, nor batches that were refused as a whole.
        first_attempt, last_attempt: seconds since 1970; None before the first.
        ride: how many may travel in a batch with it at most, itself included: a batch with it was refused, or it was
            refused alone; None = as many as the file says.
    """

    record: Record
    schema_id: SchemaId | None
    route: str
    index: int
    channel: Channel
    body: bytes
    lane: str | None
    event_time: float | None
    made: float
    attempts: int = 0
    first_attempt: float | None = None
    last_attempt: float | None = None
    ride: int | None = None
    expires: float | None = None

    @property
    def id(self) -> str:
        """The same over retries, restarts and replays: `topic:partition:offset:route:index`."""
        return delivery_id(self.record, self.route, self.index)


def too_old(expires: float | None, wall: float) -> bool:
    """Whether something that expires then is not to be sent any more; both in seconds since 1970."""
    return expires is not None and expires < wall


def delivery_id(record: Record, route: str, index: int | None) -> str:
    """Name a delivery for logs, dead letters and vendors; one whose index is not known has 0."""
    topic, partition, offset = record.source
    return f"{topic}:{partition}:{offset}:{route}:{index or 0}"


@dataclass(slots=True, eq=False)
class Request:
    """One HTTP call: one delivery, or many of one channel; never changed, but not frozen: that costs 1 µs per call.

    Attributes:
        number: grows with each request of the destination, in the order of sending.
        era: the gate's, when it was sent.
        renew: secrets are to be read again before it is sent, for it probes whether the key is right now.
    """

    channel: Channel
    deliveries: "Sequence[Delivery]"
    body: bytes = field(repr=False)
    number: int = 0
    era: int = 0
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutively received records of one assignment that are settled: offsets `start` to `end` - 1.

    Attributes:
        records, size: how many, and their bytes; none where they were settled before, and may be named now.
        named: whether a commit may name them; see `settle.naming`.
        below: from this offset on a commit may name nothing for now; None = anything.
    """

    assignment: Assignment
    start: int
    end: int
    records: int
    size: int
    named: bool = True
    below: int | None = None
