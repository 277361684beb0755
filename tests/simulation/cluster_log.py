"""Topics of the simulated Kafka: logs with gaps, markers, transactions that hang, and records that expire."""

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field
from operator import attrgetter

from confluent_kafka import Uuid

from processor.records import Headers

_offset = attrgetter("offset")


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies at one offset.

    Attributes:
        timestamp: milliseconds since 1970.
        control: a transaction's marker, which no reader sees.
        aborted: a record of a transaction that was aborted.
    """

    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers | None = None
    control: bool = False
    aborted: bool = False


@dataclass(slots=True)
class PartitionLog:
    """One partition's records.

    Attributes:
        start: the first offset that is left.
        end: the offset that the next record will get.
        open_from: where a transaction begins that has not ended; readers of what is committed get no further.
    """

    entries: list[Entry] = field(default_factory=list)
    start: int = 0
    end: int = 0
    open_from: int | None = None

    @property
    def stable(self) -> int:
        """How far one may read what is committed."""
        return self.end if self.open_from is None else self.open_from

    def append(
        self,
        timestamp: int,
        key: bytes | None = None,
        value: bytes | None = None,
        headers: Headers | None = None,
        *,
        control: bool = False,
        aborted: bool = False,
    ) -> int:
        """Write one; gives its offset."""
        self.entries.append(Entry(self.end, timestamp, key, value, headers, control, aborted))
        self.end += 1
        return self.end - 1

    def read(self, offset: int, most: int) -> list[Entry]:
        """What a reader of committed records is sent from an offset on, markers and aborted records included."""
        first = bisect_left(self.entries, offset, key=_offset)
        return [entry for entry in self.entries[first : first + most] if entry.offset < self.stable]

    def compact(self, offsets: Collection[int]) -> None:
        """These are gone; their offsets stay."""
        gone = frozenset(offsets)
        self.entries = [entry for entry in self.entries if entry.offset not in gone]

    def expire(self, before: int) -> None:
        """Everything before this offset is gone, and the log begins there."""
        self.start = max(self.start, min(before, self.end))
        self.entries = self.entries[bisect_left(self.entries, self.start, key=_offset) :]

    def first_since(self, timestamp: int) -> Entry | None:
        """The first record that is not older."""
        return next((entry for entry in self.entries if entry.timestamp >= timestamp), None)


@dataclass(slots=True)
class Topic:
    """A topic; one created anew under the same name has another id.

    Attributes:
        max_message_bytes: what the broker takes (max.message.bytes).
    """

    name: str
    topic_id: Uuid
    partitions: list[PartitionLog]
    max_message_bytes: int = 1_048_588
