"""Sets of offsets, kept as ranges: a million letters in a row cost as much as one."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

LONG = "q"
"""Offsets are 64-bit integers, also in memory: lists of Python's own take four times as much."""


class Spans:
    """Offsets of one partition: sorted, disjoint, half-open ranges that do not even touch.

    Args:
        spans: (start, end) pairs, in any order, overlapping or not.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self, *spans: tuple[int, int]) -> None:
        self._starts = array(LONG)
        self._ends = array(LONG)
        for start, end in spans:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Add the offsets from `start` to `end` - 1; quick where that is behind all others."""
        if start >= end:
            return
        if not self._ends or start > self._ends[-1]:
            self._starts.append(start)
            self._ends.append(end)
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:  # what it touches becomes one with it
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = array(LONG, (start,))
        self._ends[first:last] = array(LONG, (end,))

    def add_offset(self, offset: int) -> None:
        """Add one offset; quick where offsets ascend."""
        if self._ends and offset == self._ends[-1]:
            self._ends[-1] = offset + 1
        else:
            self.add(offset, offset + 1)

    def update(self, other: "Spans") -> None:
        """Add all that the other one has."""
        for start, end in other:
            self.add(start, end)

    def minus(self, other: "Spans") -> "Spans":
        """What is here and not there."""
        left = Spans()
        for start, end in self:
            at = bisect_right(other._ends, start)  # noqa: SLF001 - one of its own kind
            while at < len(other._starts) and other._starts[at] < end:  # noqa: SLF001 - so here
                left.add(start, other._starts[at])  # noqa: SLF001 - so here
                start = other._ends[at]  # noqa: SLF001, PLW2901 - what is left of the range
                at += 1
            left.add(start, end)
        return left

    def __contains__(self, offset: int) -> bool:
        at = bisect_right(self._starts, offset) - 1
        return at >= 0 and offset < self._ends[at]

    def __len__(self) -> int:
        """How many offsets, not how many ranges."""
        return sum(self._ends) - sum(self._starts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and (self._starts, self._ends) == (other._starts, other._ends)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Spans({', '.join(map(str, self))})"


PartitionSpans = dict[int, Spans]
"""By partition."""
