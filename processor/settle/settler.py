"""The event loop's half of settling: counts what is still open, and posts settled spans to the Kafka thread."""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from processor.records import Assignment, Record, Span

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
        self._scheduled = False

    def open(self, record: Record, outcomes: int) -> None:
        """This many deliveries and letters must end before the record is settled; none = it is settled now."""
        record.open = outcomes
        if not outcomes:
            self._settle(record)

    def close(self, record: Record) -> None:
        """One of them ended."""
        record.open -= 1
        if not record.open:
            self._settle(record)

    def flush(self) -> None:
        """Post what is settled so far; a revocation calls this before it commits."""
        self._scheduled = False
        settled, self._settled = self._settled, {}
        spans = [span for assignment, records in settled.items() for span in spans_of(assignment, records)]
        if spans:
            self._post(spans)

    def _settle(self, record: Record) -> None:
        self._settled.setdefault(record.assignment, []).append(record)
        if not self._scheduled:
            self._scheduled = True
            self._soon(self.flush)


def spans_of(assignment: Assignment, records: Iterable[Record]) -> Iterator[Span]:
    """Fold records of one assignment into as few spans as their offsets allow."""
    start = end = -1
    count = size = 0
    for record in sorted(records, key=_offset):
        if record.offset != end:
            if count:
                yield Span(assignment, start, end, count, size)
            start, count, size = record.offset, 0, 0
        end = record.offset + 1
        count += 1
        size += record.size
    if count:
        yield Span(assignment, start, end, count, size)
