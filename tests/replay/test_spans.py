from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processor.replay.spans import Spans

OFFSETS = st.integers(0, 60)
RANGES = st.lists(st.tuples(OFFSETS, OFFSETS), max_size=12)


def offsets(ranges: list[tuple[int, int]]) -> set[int]:
    """The same as a plain set."""
    return {offset for start, end in ranges for offset in range(start, end)}


def members(spans: Spans) -> set[int]:
    """The offsets of all ranges."""
    return offsets(list(spans))


@given(RANGES)
def test_ranges_are_a_set(ranges: list[tuple[int, int]]) -> None:
    """Whatever is added in whatever order: the offsets are those of a set, in sorted ranges that do not touch."""
    spans = Spans(*ranges)

    expected = offsets(ranges)
    assert members(spans) == expected
    assert len(spans) == len(expected)
    assert {offset for offset in range(70) if offset in spans} == expected
    pairs = list(spans)
    assert all(start < end for start, end in pairs)
    assert all(before < after for (_, before), (after, _) in pairwise(pairs))


@given(RANGES, RANGES)
def test_difference_and_union(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    """Both are those of sets, and the difference changes neither side."""
    ours, theirs = Spans(*left), Spans(*right)

    assert members(ours.minus(theirs)) == offsets(left) - offsets(right)
    assert (members(ours), members(theirs)) == (offsets(left), offsets(right))
    ours.update(theirs)
    assert members(ours) == offsets(left) | offsets(right)


@given(st.lists(OFFSETS))
def test_single_offsets(each: list[int]) -> None:
    """One by one, in any order, gives the same as all at once."""
    spans = Spans()

    for offset in each:
        spans.add_offset(offset)

    assert spans == Spans(*((offset, offset + 1) for offset in each))


def test_a_row_is_one_range() -> None:
    """Offsets in a row cost one range, and are shown as that."""
    spans = Spans()

    for offset in range(1000):
        spans.add_offset(offset)

    assert list(spans) == [(0, 1000)]
    assert repr(spans) == "Spans((0, 1000))"
    assert spans != {0}
