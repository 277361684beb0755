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
    assert lanes.rider(found[0]) is None
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

    assert lanes.rider(first) is second
    assert lanes.rider(second) is third
    assert lanes.leave([first, second]) == []
    assert lanes.leave([third]) == [fourth]


def test_nothing_rides_where_nothing_waits() -> None:
    """The last of a lane has nobody behind it."""
    lanes = Lanes()
    [only] = deliveries(VIEW, "a")
    lanes.enter(only)

    assert lanes.rider(only) is None


def test_another_channel_s_delivery_does_not_ride() -> None:
    """A batch has one path; an order behind a view waits until the view is through."""
    lanes = Lanes()
    [view], [order] = deliveries(VIEW, "a"), deliveries(ORDER, "a", first=1)
    entered(lanes, view, order)

    assert lanes.rider(view) is None
    assert lanes.leave([view]) == [order]


def test_what_must_go_alone_does_not_ride() -> None:
    """A delivery that a refused batch has set apart stays where it is until it is head."""
    lanes = Lanes()
    first, second = deliveries(VIEW, "a", "a")
    entered(lanes, first, second)
    second.alone = True

    assert lanes.rider(first) is None
    assert lanes.leave([first]) == [second]


def test_what_comes_back_stands_in_front_in_order() -> None:
    """A refused batch is the front of its lanes again, as if it had never been out."""
    lanes = Lanes()
    a1, b1, a2, a3, none = found = deliveries(VIEW, "a", "b", "a", "a", None)
    entered(lanes, *found)
    assert lanes.rider(a1) is a2

    heads = lanes.come_back([a1, b1, a2, none])

    assert heads == [a1, b1, none]
    assert lanes.leave([a1]) == [a2]
    assert lanes.leave([a2]) == [a3]


def test_a_rider_alone_may_come_back() -> None:
    """Where a batch was full, the rider stands again behind the head that is out."""
    lanes = Lanes()
    first, second, third = deliveries(VIEW, "a", "a", "a")
    entered(lanes, first, second, third)
    assert lanes.rider(first) is second

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
