"""The event loop's half of settling: counts what is still open, and posts settled spans to the Kafka thread."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter

from processor.records import Assignment, Record, Span
from processor.settle.naming import Naming

_offset = attrgetter("offset")


class Settler:
    """Collects settled records and posts them as spans, once per turn of the event loop.

    Args:
        post: hands spans to the thread that owns the ledger.
        soon: runs a function in the next turn of the event loop (`loop.call_soon`).
    """

    def __init__(self, post: Callable[[list[Span]], None], soon: Callable[[Callable[[], None]], object]) -> None:
        self._post = post
        self._soon = soon
        self._settled: dict[Assignment, list[Record]] = {}
        self._unnamed: dict[Assignment, list[Record]] = {}
        self._namings: dict[Assignment, Naming] = {}
        self._scheduled = False

    def open(self, record: Record, outcomes: int, *, spread: bool = False, stray: bool = False) -> None:
        """This many deliveries and letters must end before the record is settled; none = it is settled now.

        Args:
            record: of its partition's, the next one.
            outcomes: how many.
            spread: whether its deliveries are not all in one lane.
            stray: whether one of them failed before its lane was known.
        """
        record.open = outcomes
        record.spread = spread or stray
        if stray:
            self._naming(record).stray(record.offset)
        if not outcomes:
            self._settle(record, None)

    def close(self, record: Record, lane: str | None = None) -> None:
        """One of them ended; `lane` is the lane where it was accepted."""
        record.open -= 1
        if not record.open:
            self._settle(record, lane)
        elif record.spread and lane is not None:
            self._naming(record).leave(record.offset, lane)

    def leave(self, record: Record, lane: str | None) -> None:
        """One of them goes to the dead letters: its lane goes on, though it has not ended yet."""
        if lane is not None:
            self._naming(record).leave(record.offset, lane)

    def flush(self) -> None:
        """Post what is settled so far; a revocation calls this before it commits."""
        self._scheduled = False
        settled, self._settled = self._settled, {}
        unnamed, self._unnamed = self._unnamed, {}
        spans: list[Span] = []
        for assignment, records in unnamed.items():  # first, for some of them may have been freed since
            spans += spans_of(assignment, records, named=False, below=self._namings[assignment].below)
        for assignment, records in settled.items():
            spans += self._named(assignment, records)
        if spans:
            self._post(spans)

    def forget(self) -> None:
        """Partitions have left, and been drained: what is known of ended assignments' lanes is not needed any more."""
        self.flush()
        self._namings = {at: naming for at, naming in self._namings.items() if at.live}

    def _settle(self, record: Record, lane: str | None) -> None:
        naming = self._namings.get(record.assignment)
        settled = self._settled if naming is None or naming.settle(record.offset, lane) else self._unnamed
        settled.setdefault(record.assignment, []).append(record)
        if not self._scheduled:
            self._scheduled = True
            self._soon(self.flush)

    def _named(self, assignment: Assignment, records: Iterable[Record]) -> Iterator[Span]:
        """Spans of what may be named, and of what was settled before and may be named now."""
        naming = self._namings.get(assignment)
        if naming is None:
            return spans_of(assignment, records)
        freed, naming.freed = naming.freed, []
        again = (Span(assignment, offset, offset + 1, 0, 0, below=naming.below) for offset in freed)
        return chain(spans_of(assignment, records, below=naming.below), again)

    def _naming(self, record: Record) -> Naming:
        naming = self._namings.get(record.assignment)
        if naming is None:
            naming = self._namings[record.assignment] = Naming()
        return naming


def spans_of(
    assignment: Assignment, records: Iterable[Record], *, named: bool = True, below: int | None = None
) -> Iterator[Span]:
    """Fold records of one assignment into as few spans as their offsets allow."""
    start = end = -1
    count = size = 0
    for record in sorted(records, key=_offset):
        if record.offset != end:
            if count:
                yield Span(assignment, start, end, count, size, named, below)
            start, count, size = record.offset, 0, 0
        end = record.offset + 1
        count += 1
        size += record.size
    if count:
        yield Span(assignment, start, end, count, size, named, below)
