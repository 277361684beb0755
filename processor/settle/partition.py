"""The ledger of one assigned partition: what was received, and up to where all of it is settled.

The words, for every offset in this package:

    next      highest received + 1; where the next record is expected
    frontier  every record received below it is settled; the offset that may be committed
    committed what the group coordinator last acknowledged, or held when the partition was assigned

Only offsets that were received need to be settled. A gap (compaction, transaction markers) is entered as settled
when the record behind it arrives, so that the rest is plain arithmetic on spans. What an earlier assignment settled
beyond its frontier is known from the commit's metadata: such records are read again, and settled as they come. The
frontier may then be beyond `next`. Nothing here does I/O or asks the clock; the Kafka thread owns it.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence

from processor.offsets import Bookmark, PartitionLog, PartitionView, Start
from processor.records import Assignment, Record, Span
from processor.settle.metadata import LIMIT, Settled, encode
from processor.settle.resume import Reading, recheck
from processor.settle.unnamed import Unnamed

MAX_STAMPS = 1000
"""Polls whose age is remembered one by one; later ones share the last stamp, so that a stuck record costs no memory."""


class PartitionLedger:
    """The ledger of one assignment.

    Attributes:
        frontier, next, committed: see the module; None until known (a partition without a committed offset has no
            frontier until its first record arrives).
        records, size: the unsettled ones, and their bytes.
        _ahead: settled spans beyond the frontier, sorted, not touching.
        _unnamed: what of them the metadata leaves out.
        _stamps: last offset and first timestamp of each poll that is not settled as a whole: the age of the oldest
            unsettled record, to within one poll, without a stamp per record.
        _topic_id: which topic the offsets are of.
        _moved: the frontier or the spans are not those of `_bookmark`.
        _bookmark, _held: what the coordinator should hold, and what it acknowledged.
        _fill_per_span: of the metadata's limit, as last written.
    """

    def __init__(self, assignment: Assignment, start: Start) -> None:
        self.assignment = assignment
        self.committed = start.committed
        self.frontier = start.offset
        self.next = start.offset
        self.records = 0
        self.size = 0
        self._ahead: list[tuple[int, int]] = list(start.ahead)
        self._unnamed = Unnamed()
        self._stamps: deque[tuple[int, int]] = deque()
        self._topic_id = start.topic_id
        self._moved = False
        self._bookmark: Bookmark | None = None
        self._held: Bookmark | None = None
        self._fill_per_span = 0.0

    def __repr__(self) -> str:
        return (
            f"<PartitionLedger {self.assignment.topic}[{self.assignment.partition}] committed {self.committed} "
            f"frontier {self.frontier} next {self.next} unsettled {self.records}>"
        )

    def receive(self, records: Sequence[Record]) -> Sequence[Record]:
        """Enter records, before anything else is done with them (invariant 2).

        Args:
            records: at least one, offsets ascending and not below `next`.

        Returns:
            Those that an earlier assignment has not settled.
        """
        first, last = records[0].offset, records[-1].offset
        if self.next is None or self.frontier is None:
            self.frontier = self.next = first
        if self._bookmark is None and self.frontier != self.committed:
            self._moved = True  # not before a record came: a pipeline that reads nothing commits nothing
        unsettled = self._unsettled(records, self.frontier)
        if first != self.next or last - first + 1 != len(records):
            self._enter_gaps(records)
        self.next = last + 1
        if unsettled:
            self._stamp(last, unsettled[0].timestamp)
            self.records += len(unsettled)
            self.size += sum(record.size for record in unsettled)
        return unsettled

    def settle(self, span: Span) -> None:
        """These records are settled: delivered, filtered, or buried and acknowledged."""
        self.records -= span.records
        self.size -= span.size
        self._unnamed.enter(span)
        self._cover(span.start, span.end)

    def skip_to(self, position: int) -> None:
        """The consumer's position is here and nothing was received in between: what is skipped are markers."""
        if self.next is not None and position > self.next:
            self._cover(self.next, position)
            self.next = position

    def skip_expired(self, first: int) -> None:
        """The log begins here: what was to be read before it is gone."""
        self.frontier = first if self.frontier is None else self.frontier
        self.next = first if self.next is None else self.next
        if first > self.next:
            self._cover(self.next, first)
            self.next = first

    def recheck(self, position: int | None, log: PartitionLog) -> Start:
        """Say where this assignment goes on, now that the broker does not have what it asked for.

        Args:
            position: what it asked for; None where it had nowhere to begin.
            log: what the broker has.
        """
        at = max((each for each in (position, self.next) if each is not None), default=None)
        ahead = tuple(self._ahead) if self.frontier is None else ((0, self.frontier), *self._ahead)
        return recheck(Reading(self.committed, at, ahead, self._topic_id()), log)

    @property
    def topic_id(self) -> str | None:
        """Which topic the offsets are of; None while nobody knows."""
        return self._topic_id()

    def to_commit(self, limit: int) -> Bookmark | None:
        """What may be committed; None where the coordinator has it already, or nothing happened yet.

        Args:
            limit: bytes of metadata that the coordinator takes.
        """
        if self._moved and self.frontier is not None:
            named = self._unnamed.leave_out(self._ahead, self.frontier)
            settled = Settled(self.frontier, named, self._topic_id())
            self._bookmark = Bookmark(self.frontier, encode(settled, limit))
            if self._ahead:
                self._fill_per_span = len(self._bookmark.metadata) / LIMIT / len(self._ahead)
            self._moved = False
        return None if self._bookmark == self._held else self._bookmark

    def acknowledge(self, bookmark: Bookmark) -> None:
        """The coordinator holds this."""
        self.committed = bookmark.offset
        self._held = bookmark

    def write_again(self) -> None:
        """What the coordinator takes has changed."""
        self._moved = self._moved or self._bookmark is not None

    def view(self) -> PartitionView:
        """What people and back-pressure want to know."""
        return PartitionView(
            self.committed,
            self.frontier,
            self.next,
            self.records,
            self.size,
            len(self._ahead),
            self._stamps[0][1] if self.records else None,
            self._settled_ahead(),
            self._metadata_fill(),
        )

    def _settled_ahead(self) -> int:
        if self.next is None or self.frontier is None:
            return 0
        return max(self.next - self.frontier - self.records, 0)

    def _metadata_fill(self) -> float:
        """Estimated between two commits from the number of spans, for writing them costs too much to do each turn.

        What an earlier assignment left does not count until it was read again: reading it is what closes its gaps.
        """
        if not self._ahead or self.next is None or self._ahead[-1][1] > self.next:
            return 0.0
        return self._fill_per_span * len(self._ahead)

    def _unsettled(self, records: Sequence[Record], frontier: int) -> Sequence[Record]:
        """Records that are in no span; only an earlier assignment's can reach beyond `next`."""
        reach = self._ahead[-1][1] if self._ahead else frontier
        if records[0].offset >= reach:
            return records
        return [record for record in records if record.offset >= frontier and not self._is_ahead(record.offset)]

    def _is_ahead(self, offset: int) -> bool:
        at = bisect_left(self._ahead, (offset + 1,))
        return at > 0 and self._ahead[at - 1][1] > offset

    def _stamp(self, last: int, timestamp: int) -> None:
        if len(self._stamps) < MAX_STAMPS:
            self._stamps.append((last, timestamp))
        else:
            self._stamps[-1] = (last, self._stamps[-1][1])

    def _enter_gaps(self, records: Sequence[Record]) -> None:
        expected = self.next
        assert expected is not None  # noqa: S101 - set by `receive`
        for record in records:
            if record.offset > expected:
                self._cover(expected, record.offset)
            expected = record.offset + 1

    def _cover(self, start: int, end: int) -> None:
        """Mark offsets `start` to `end` - 1 as settled, and move the frontier as far as that lets it go."""
        assert self.frontier is not None  # noqa: S101 - nothing is settled before it was received
        self._moved = True
        if start > self.frontier:
            self._insert(start, end)
            return
        self.frontier = max(self.frontier, end)
        while self._ahead and self._ahead[0][0] <= self.frontier:
            self.frontier = max(self.frontier, self._ahead.pop(0)[1])
        while self._stamps and self._stamps[0][0] < self.frontier:
            self._stamps.popleft()

    def _insert(self, start: int, end: int) -> None:
        """Keep the spans beyond the frontier sorted and apart."""
        at = bisect_left(self._ahead, (start, end))
        if at and self._ahead[at - 1][1] >= start:
            at -= 1
            start, end = self._ahead[at][0], max(end, self._ahead[at][1])
            del self._ahead[at]
        while at < len(self._ahead) and self._ahead[at][0] <= end:
            end = max(end, self._ahead.pop(at)[1])
        self._ahead.insert(at, (start, end))
