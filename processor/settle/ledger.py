"""The ledger: all live assignments of one consumer, and what may be committed of them.

`settle.partition` explains the words. Nothing here does I/O or asks the clock; the Kafka thread owns it.
"""

from collections.abc import Iterable, Mapping, Sequence

from processor.offsets import Bookmark, PartitionLog, PartitionView, Start
from processor.records import Assignment, Key, Record, Span
from processor.settle.commits import CommitPace
from processor.settle.metadata import LIMIT
from processor.settle.partition import PartitionLedger
from processor.settle.resume import remembers_topic, resume


class Ledger:
    """The ledgers of all live assignments of one consumer, and the pace of their commits.

    Args:
        commit_interval: seconds between commits.
    """

    def __init__(self, commit_interval: float) -> None:
        self._partitions: dict[Key, PartitionLedger] = {}
        self._pace = CommitPace(commit_interval)
        self._sent: dict[Key, Bookmark] = {}
        self._limit = LIMIT

    def begin(self, assignment: Assignment, start: Start) -> None:
        """A partition was assigned, or is read again from a lower offset."""
        self._partitions[assignment.key] = PartitionLedger(assignment, start)

    def resume(self, held: Bookmark | None, log: PartitionLog, earlier: str | None = None) -> Start:
        """Say where a partition goes on, and what is settled already; see `settle.resume`."""
        return resume(held, log, earlier)

    def recheck(self, key: Key, position: int | None, log: PartitionLog) -> Start:
        """Say where a partition goes on, now that the broker does not have what it asked for at this position."""
        return self._partitions[key].recheck(position, log)

    def skip_expired(self, key: Key, first: int) -> None:
        """The partition's log begins here: what was to be read before it is gone."""
        self._partitions[key].skip_expired(first)

    def topic_id(self, key: Key) -> str | None:
        """Which topic an assigned partition is of; None while nobody knows."""
        return self._partitions[key].topic_id

    def remembers_topic(self, held: Bookmark) -> bool:
        """Whether this says which topic it is of, so that it can be told from another one of that name."""
        return remembers_topic(held)

    def end(self, key: Key) -> Assignment | None:
        """A partition was revoked or lost: results for it change nothing from now on (invariant 5)."""
        ledger = self._partitions.pop(key, None)
        if ledger is None:
            return None
        ledger.assignment.live = False
        self._sent.pop(key, None)
        return ledger.assignment

    def forget_commit(self) -> None:
        """The consumer is gone, and with it the answer to a commit in flight."""
        self._pace.forget()

    def live(self, key: Key) -> Assignment | None:
        """The live assignment of a partition."""
        ledger = self._partitions.get(key)
        return None if ledger is None else ledger.assignment

    def expected(self, key: Key) -> int | None:
        """The lowest offset that may come next; None where any may."""
        return self._partitions[key].next

    def receive(self, key: Key, records: Sequence[Record]) -> Sequence[Record]:
        """Enter records, before anything else is done with them (invariant 2); gives those that are to be sent."""
        return self._partitions[key].receive(records)

    def skip_to(self, key: Key, position: int) -> None:
        """The consumer's position is here: what lies between is markers, or was compacted away."""
        self._partitions[key].skip_to(position)

    def settle(self, spans: Iterable[Span]) -> None:
        """Enter what the event loop settled; spans of ended assignments fall off."""
        for span in spans:
            ledger = self._partitions.get(span.assignment.key)
            if ledger is not None and ledger.assignment is span.assignment:
                ledger.settle(span)

    def commit_due(self, now: float) -> bool:
        """Whether a commit may go out: the interval is over and none is in flight."""
        return self._pace.due(now)

    def commits_of(self, keys: Iterable[Key], now: float) -> dict[Key, Bookmark]:
        """What the coordinator does not hold yet, of these partitions; counts as sent (invariants 1 and 3).

        Where partitions leave, a commit may be in flight already. This one goes behind it on the same connection; only
        if that one fails and librdkafka repeats it later can it land last, which costs repeats and loses nothing.
        Waiting for it is impossible: its answer is served by the poll that we are in.
        """
        ledgers = {key: self._partitions[key] for key in keys if key in self._partitions}
        offsets = {key: held for key, ledger in ledgers.items() if (held := ledger.to_commit(self._limit)) is not None}
        if offsets:
            self._pace.sent(now, whole=len(ledgers) == len(self._partitions))
            self._sent |= offsets
        return offsets

    def commit_answered(self, results: Mapping[Key, int]) -> None:
        """A commit was answered; `results` are the partitions that the coordinator took."""
        self._pace.answered()
        for key in results:
            ledger = self._partitions.get(key)
            if ledger is not None and key in self._sent:
                ledger.acknowledge(self._sent[key])

    def drop_metadata(self) -> bool:
        """The coordinator takes no text of this size: commit offsets only from now on; False where that is known."""
        known, self._limit = not self._limit, 0
        for ledger in self._partitions.values():
            ledger.write_again()
        return not known

    @property
    def commit_in_flight(self) -> bool:
        """Whether a commit waits for its answer."""
        return self._pace.in_flight

    def view(self) -> dict[Key, PartitionView]:
        """What is known of each assigned partition."""
        return {key: ledger.view() for key, ledger in self._partitions.items()}
