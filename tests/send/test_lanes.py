from processor.records import Delivery
from processor.send.lanes import Lanes
from tests.send.parts import assignment, channel, deliveries

VIEW = channel("view")
ORDER = channel("order")


def entered(lanes: Lanes, *found: Delivery) -> list[bool]:
    """Enter deliveries one after another; tells which are heads."""
    return [lanes.enter(delivery) for delivery in found]


def test_only_the_first_of_a_lane_is_a_head() -> None:
    """What has the key of an unfinished delivery waits behind it; other keys do not wait."""
    lanes = Lanes()

    assert entered(lanes, *deliveries(VIEW, "a", "a", "b", "a")) == [True, False, True, False]


def test_deliveries_without_a_key_never_wait() -> None:
    """No order was asked for, so all of them are heads, and no lane is kept."""
    lanes = Lanes()
    found = deliveries(VIEW, None, None, None)

    assert entered(lanes, *found) == [True, True, True]
    assert len(lanes) == 0
    assert lanes.rider(found[0], 9) is None
    assert lanes.leave(found) == []


def test_the_next_one_is_head_when_the_lane_is_free() -> None:
    """One after another, in the order in which they came."""
    lanes = Lanes()
    first, second, third = deliveries(VIEW, "a", "a", "a")
    entered(lanes, first, second, third)

    assert lanes.leave([first]) == [second]
    assert lanes.leave([second]) == [third]
    assert lanes.leave([third]) == []


def test_a_lane_is_forgotten_when_nothing_of_it_is_left() -> None:
    """Memory does not grow with the keys that were ever seen."""
    lanes = Lanes()
    for key in range(100):
        [delivery] = deliveries(VIEW, str(key))
        lanes.enter(delivery)
        lanes.leave([delivery])

    assert len(lanes) == 0


def test_riders_come_in_order_and_leave_together() -> None:
    """What rides in a batch behind its head is out like it; the next head comes when all of them are done."""
    lanes = Lanes()
    first, second, third, fourth = deliveries(VIEW, "a", "a", "a", "a")
    entered(lanes, first, second, third, fourth)

    assert lanes.rider(first, 9) is second
    assert lanes.rider(second, 9) is third
    assert lanes.leave([first, second]) == []
    assert lanes.leave([third]) == [fourth]


def test_nothing_rides_where_nothing_waits() -> None:
    """The last of a lane has nobody behind it."""
    lanes = Lanes()
    [only] = deliveries(VIEW, "a")
    lanes.enter(only)

    assert lanes.rider(only, 9) is None


def test_another_channel_s_delivery_does_not_ride() -> None:
    """A batch has one path; an order behind a view waits until the view is through."""
    lanes = Lanes()
    [view], [order] = deliveries(VIEW, "a"), deliveries(ORDER, "a", first=1)
    entered(lanes, view, order)

    assert lanes.rider(view, 9) is None
    assert lanes.leave([view]) == [order]


def test_who_may_ride_in_smaller_batches_only_does_not_ride_in_a_larger_one() -> None:
    """A delivery of a refused batch stays where it is until the batch is small enough, or until it is head."""
    lanes = Lanes()
    first, second, third = deliveries(VIEW, "a", "a", "a")
    entered(lanes, first, second, third)
    second.ride = third.ride = 4

    assert lanes.rider(first, 5) is None
    assert lanes.rider(first, 4) is second
    assert lanes.rider(second, 2) is third
    assert lanes.leave([first, second, third]) == []


def test_lanes_tell_what_waits_behind_heads() -> None:
    """How many stand behind a head, and who they are, over all lanes; without a key nobody does."""
    lanes = Lanes()
    a1, a2, a3, b1, b2, none = found = deliveries(VIEW, "a", "a", "a", "b", "b", None)
    entered(lanes, *found)

    assert [lanes.behind(head) for head in (a1, b1, none)] == [2, 1, 0]
    assert list(lanes.waiting()) == [a2, a3, b2]


def test_what_comes_back_stands_in_front_in_order() -> None:
    """A refused batch is the front of its lanes again, as if it had never been out."""
    lanes = Lanes()
    a1, b1, a2, a3, none = found = deliveries(VIEW, "a", "b", "a", "a", None)
    entered(lanes, *found)
    assert lanes.rider(a1, 9) is a2

    heads = lanes.come_back([a1, b1, a2, none])

    assert heads == [a1, b1, none]
    assert lanes.leave([a1]) == [a2]
    assert lanes.leave([a2]) == [a3]


def test_a_rider_alone_may_come_back() -> None:
    """Where a batch was full, the rider stands again behind the head that is out."""
    lanes = Lanes()
    first, second, third = deliveries(VIEW, "a", "a", "a")
    entered(lanes, first, second, third)
    assert lanes.rider(first, 9) is second

    assert lanes.come_back([second]) == []
    assert lanes.leave([first]) == [second]
    assert lanes.leave([second]) == [third]


def test_dropping_takes_only_what_waits_of_that_assignment() -> None:
    """A partition that leaves takes its own deliveries out of every lane, and no others."""
    lanes = Lanes()
    leaving, staying = assignment(0), assignment(1)
    a1, a2, b1 = deliveries(VIEW, "a", "a", "b", of=leaving)
    a3, b2 = deliveries(VIEW, "a", "b", of=staying)
    entered(lanes, a1, b1, a2, a3, b2)

    assert lanes.drop(frozenset({leaving})) == [a2]
    assert lanes.leave([a1, b1]) == [a3, b2]


def test_dropping_nothing_changes_nothing() -> None:
    """An assignment without deliveries may leave at any time."""
    lanes = Lanes()
    first, second = deliveries(VIEW, "a", "a")
    entered(lanes, first, second)

    assert lanes.drop(frozenset({assignment(7)})) == []
    assert lanes.leave([first]) == [second]
