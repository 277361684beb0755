"""What the Kafka thread meets: the ledger it owns, the event loop it feeds, and what it says of itself."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from processor.offsets import Bookmark, PartitionLog, PartitionView, Start, TopicId
from processor.records import Assignment, Key, Record, Span


class Offsets(Protocol):
    """What the thread needs of the ledger; `settle.ledger.Ledger` has the documentation."""

    def resume(self, held: Bookmark | None, log: PartitionLog, earlier: str | None = None) -> Start: ...  # noqa: D102
    def recheck(self, key: Key, position: int | None, log: PartitionLog) -> Start: ...  # noqa: D102
    def skip_expired(self, key: Key, first: int) -> None: ...  # noqa: D102
    def topic_id(self, key: Key) -> str | None: ...  # noqa: D102
    def remembers_topic(self, held: Bookmark) -> bool: ...  # noqa: D102
    def begin(self, assignment: Assignment, start: Start) -> None: ...  # noqa: D102
    def end(self, key: Key) -> Assignment | None: ...  # noqa: D102
    def live(self, key: Key) -> Assignment | None: ...  # noqa: D102
    def expected(self, key: Key) -> int | None: ...  # noqa: D102
    def receive(self, key: Key, records: Sequence[Record]) -> Sequence[Record]: ...  # noqa: D102
    def skip_to(self, key: Key, position: int) -> None: ...  # noqa: D102
    def settle(self, spans: Iterable[Span]) -> None: ...  # noqa: D102
    def commit_due(self, now: float) -> bool: ...  # noqa: D102
    def commits_of(self, keys: Iterable[Key], now: float) -> dict[Key, Bookmark]: ...  # noqa: D102
    def commit_answered(self, results: Mapping[Key, int]) -> None: ...  # noqa: D102
    def drop_metadata(self) -> bool: ...  # noqa: D102
    def forget_commit(self) -> None: ...  # noqa: D102
    @property
    def commit_in_flight(self) -> bool: ...  # noqa: D102
    def view(self) -> dict[Key, PartitionView]: ...  # noqa: D102


class EventLoop(Protocol):
    """The other side. Both are called on the Kafka thread and must not touch the consumer."""

    def receive(self, records: list[Record]) -> None:
        """Take one poll's records; returns at once."""

    def drain(self, assignments: Sequence[Assignment]) -> None:
        """Send nothing more for these, and wait for what is in flight, under a deadline."""

    def ended(self, assignments: Sequence[Assignment]) -> None:
        """These are no longer ours: forget what waits of them; returns at once."""


class Broker(Protocol):
    """What is asked of the broker about partitions; `consume.survey.Survey` has the documentation."""

    def look(self, keys: Collection[Key], compared: Collection[str]) -> Mapping[Key, PartitionLog]: ...  # noqa: D102
    def topic_ids(self, topics: Collection[str]) -> Mapping[str, TopicId]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Held:
    """What must not be read.

    Attributes:
        words: why.
        since: seconds since 1970.
        fix: what to do, where its reason does not say that already.
    """

    words: str
    since: float
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the thread says of itself; replaced as a whole, so that any thread may read it.

    Attributes:
        last_poll: the clock's `now` of the last turn.
        assigned: whether any assignment came yet, even an empty one.
        paused: partitions that are not fetched, because what they hold is not settled yet.
        standing: those of them that stand for a reason of their own, each with that in words.
        held: those of them that must not be read: their offset is not known, or has to be put right by somebody.
        trouble: what is wrong with Kafka, in words; None while nothing is.
        unreadable: partitions that are read up to a transaction that stays open, each with that in words.
    """

    last_poll: float
    assigned: bool = False
    partitions: Mapping[Key, PartitionView] = field(default_factory=dict)
    paused: frozenset[Key] = frozenset()
    standing: Mapping[Key, str] = field(default_factory=dict)
    held: Mapping[Key, Held] = field(default_factory=dict)
    trouble: str | None = None
    unreadable: Mapping[Key, str] = field(default_factory=dict)


@dataclass(slots=True)
class Counts:
    """Numbers that only this thread writes."""

    read: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    abandoned: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    expired: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rebalances: int = 0
    commits_ok: int = 0
    commits_failed: int = 0
    last_commit: float | None = None
