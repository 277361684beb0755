"""Which settled records a commit may name."""

from processor.records import Assignment, Span
from processor.settle.naming import Naming
from processor.settle.settler import Settler
from processor.settle.unnamed import Unnamed
from tests.support.records import record

AT = Assignment("clicks", 0, 1)


def test_a_record_alone_in_its_lane_is_named() -> None:
    """Nobody is before it, and nothing is remembered of it."""
    assert Naming().settle(3, "ann")


def test_a_lane_that_went_on_is_named_after_the_record_that_it_left() -> None:
    """An older record that would come again alone must not come behind a newer one."""
    naming = Naming()
    naming.leave(3, "ann")

    assert not naming.settle(7, "ann")
    assert naming.settle(3, None)
    assert naming.freed == [7]


def test_other_lanes_are_named() -> None:
    """What waits in one lane says nothing of others, nor of records in none."""
    naming = Naming()
    naming.leave(3, "ann")

    assert naming.settle(7, "bob")
    assert naming.settle(8, None)


def test_what_is_not_named_holds_back_its_other_lanes() -> None:
    """It will come again, in all its lanes."""
    naming = Naming()
    naming.leave(3, "ann")
    naming.leave(7, "ann")

    assert not naming.settle(7, "bob")
    assert not naming.settle(8, "bob")
    assert naming.settle(3, None)
    assert naming.freed == [7, 8]


def test_nothing_is_named_behind_a_record_of_unknown_lanes() -> None:
    """It may turn out to be of any lane."""
    naming = Naming()
    naming.stray(3)
    naming.stray(5)

    assert naming.below == 3
    naming.settle(3, None)
    assert naming.below == 5
    naming.settle(5, None)
    assert naming.below is None


def test_a_dead_letter_that_waits_keeps_its_lane_unnamed() -> None:
    """The lane goes on at once; what it settles is named when the broker has the letter."""
    posted: list[list[Span]] = []
    settler = Settler(posted.append, lambda _: None)
    refused, later = record(3, at=AT), record(7, at=AT)
    settler.open(refused, 1)
    settler.open(later, 1)

    settler.leave(refused, "ann")
    settler.close(later, "ann")
    settler.flush()
    settler.close(refused)
    settler.flush()

    assert posted == [[Span(AT, 7, 8, 1, 3, named=False)], [Span(AT, 3, 4, 1, 3), Span(AT, 7, 8, 0, 0)]]


def test_a_record_within_one_lane_leaves_no_trace() -> None:
    """While one of its deliveries waits, the lane waits as well: there is nothing to remember."""
    posted: list[list[Span]] = []
    settler = Settler(posted.append, lambda _: None)
    order = record(3, at=AT)
    settler.open(order, 2)

    settler.close(order, "ann")

    assert not settler._namings
    settler.close(order, "ann")
    settler.flush()
    assert posted == [[Span(AT, 3, 4, 1, 3)]]


def test_lanes_of_partitions_that_left_are_forgotten() -> None:
    """Memory does not grow with rebalances."""
    at = Assignment("clicks", 0, 1)
    settler = Settler(lambda _: None, lambda _: None)
    half = record(3, at=at)
    settler.open(half, 2, spread=True)
    settler.close(half, "ann")

    at.live = False
    settler.forget()

    assert not settler._namings


def test_the_metadata_leaves_out_what_is_unnamed() -> None:
    """Offsets are cut out of the spans, until they are named, and so is all from the lowest stray on."""
    unnamed = Unnamed()
    ahead = [(4, 8), (10, 12), (14, 20)]

    unnamed.enter(Span(AT, 4, 5, 1, 3, named=False))
    unnamed.enter(Span(AT, 10, 12, 2, 6, named=False))
    unnamed.enter(Span(AT, 6, 7, 1, 3, named=False, below=17))
    assert unnamed.leave_out(ahead, 2) == ((5, 6), (7, 8), (14, 17))

    unnamed.enter(Span(AT, 10, 12, 0, 0))
    assert unnamed.leave_out(ahead, 2) == ((5, 6), (7, 8), (10, 12), (14, 20))
    assert unnamed.leave_out(ahead[1:], 8) == ((10, 12), (14, 20))
