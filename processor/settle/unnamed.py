"""The ledger's half of naming: settled records that a commit must pass over in silence. Pure; see `settle.naming`."""

from collections.abc import Iterator, Sequence

from processor.records import Span
from processor.settle.metadata import Spans


class Unnamed:
    """Of one assignment: offsets that are settled, and come again after a crash all the same."""

    def __init__(self) -> None:
        self._offsets: set[int] = set()
        self._below: int | None = None

    def enter(self, span: Span) -> None:
        """Take what a span says."""
        self._below = span.below
        if not span.named:
            self._offsets.update(range(span.start, span.end))
        elif self._offsets:
            self._offsets.difference_update(range(span.start, span.end))

    def leave_out(self, ahead: Sequence[tuple[int, int]], frontier: int) -> Spans:
        """What of these spans may be named; forgets what is below the frontier."""
        if not self._offsets and self._below is None:
            return tuple(ahead)
        self._offsets = {offset for offset in self._offsets if offset >= frontier}
        return tuple(self._left(ahead))

    def _left(self, ahead: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        holes = iter(sorted(self._offsets))
        hole = next(holes, None)
        for start, end in ahead:
            at, stop = start, end if self._below is None else min(end, self._below)
            while hole is not None and hole < stop:
                if hole > at:
                    yield at, hole
                at = hole + 1
                hole = next(holes, None)
            if at < stop:
                yield at, stop
