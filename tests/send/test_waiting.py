from collections import Counter

from processor.records import Delivery, Request
from processor.send.gate import Gate
from processor.send.outlet import NEVER, Outlet
from processor.send.replies import ReplyClass
from processor.send.strikes import Refusal
from processor.send.waiting import Waiting
from tests.send.parts import BROKEN, DELAYS, LIMITS, assignment, channel, deliveries

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)


def waiting(*found: Delivery) -> Waiting:
    """These wait since 0."""
    made = Waiting(lambda to, histories: Outlet(to, Gate(to.label, DELAYS, []), LIMITS, histories, DELAYS[0]))
    made.add(found, 0.0)
    return made


def heads(of: Waiting) -> list[int]:
    """The offsets of all heads."""
    return sorted(head.record.offset for outlet in of.outlets for head in outlet.heads())


def test_an_outlet_for_each_path() -> None:
    """In the order in which they were met; only heads wait there."""
    view, order = deliveries(VIEW, "a", "a"), deliveries(ORDER, "b", "a", first=10)
    of = waiting(*view, *order)

    assert [outlet.channel for outlet in of.outlets] == [VIEW, ORDER]
    assert of.outlet(VIEW) is of.outlets[0]
    assert heads(of) == [0, 10]
    assert (of.total, of.cooling) == (4, 0)


def test_what_is_done_with_makes_way() -> None:
    """The next of its lane is a head, wherever it goes."""
    first, second = *deliveries(VIEW, "a"), *deliveries(ORDER, "a", first=1)
    of = waiting(first, second)
    of.take_out(first)
    of.leave([first])

    assert heads(of) == [1]
    assert of.total == 1


def test_what_comes_back_is_counted_again() -> None:
    """A head goes back to its path, a rider behind its head."""
    first, second = deliveries(VIEWS, "a", "a")
    of = waiting(first, second)
    of.take_out(first)
    assert of.lanes.rider(first, 3) is second
    of.total -= 1
    of.come_back([first, second], 1.0)

    assert heads(of) == [0]
    assert of.total == 2


def test_what_cools_is_due_at_its_time() -> None:
    """Until then its lane waits; the time of the next one is told."""
    first, second = deliveries(VIEW, "a", "b")
    of = waiting(first, second)
    for delivery, due in ((first, 20.0), (second, 10.0)):
        of.take_out(delivery)
        delivery.ride = 1
        of.cool(delivery, due)
    assert (of.cooling, of.total, of.warm(0.0)) == (2, 2, 10.0)

    assert of.warm(10.0) == 20.0
    assert of.outlet(VIEW).cooling == {first: 20.0}
    assert of.warm(20.0) == NEVER
    assert (of.cooling, of.total) == (0, 2)


def test_a_new_time_replaces_the_old_one() -> None:
    """Earlier or later: the delivery is due once, at the last time that was set."""
    for new in (5.0, 50.0):
        [delivery] = deliveries(VIEW, None)
        of = waiting(delivery)
        of.take_out(delivery)
        delivery.ride = 1
        of.cool(delivery, 20.0)
        of.set_due(delivery, new)

        assert of.warm(new - 0.1) == new
        assert of.warm(new) in {20.0, NEVER}
        assert (of.cooling, heads(of)) == (0, [0])
        assert of.warm(100.0) == NEVER
        assert heads(of) == [0]


def test_what_left_while_it_cooled_is_not_due() -> None:
    """It was probed, or its partition left."""
    [probed], [dropped] = deliveries(VIEW, None), deliveries(VIEW, None, first=1)
    of = waiting(probed, dropped)
    for delivery in (probed, dropped):
        of.take_out(delivery)
        of.cool(delivery, 20.0)
    of.take_out(probed)
    assert of.drop(frozenset({dropped.record.assignment})) == [dropped]

    assert of.warm(20.0) == NEVER
    assert (heads(of), of.total) == ([], 0)


def test_dropping_forgets_all_of_a_partition() -> None:
    """Heads, what waits behind them, and how they were refused; what stood behind them of others goes on."""
    leaving, staying = assignment(0), assignment(1)
    gone = deliveries(VIEW, "a", "a", "b", of=leaving)
    left = deliveries(VIEW, "a", of=staying, first=10)
    of = waiting(*gone, *left)
    of.set_apart(gone[:2], together=4, suspects=True)

    assert Counter(of.drop(frozenset({leaving}))) == Counter(gone)
    assert heads(of) == [10]
    assert (of.total, of.histories) == (1, {})


def test_a_refused_batch_is_halved() -> None:
    """To the largest power of two that is not above half of its size."""
    limits = {}
    for together in (2, 3, 4, 5, 7, 8, 9, 100, 500):
        [delivery] = deliveries(VIEWS, None)
        waiting().set_apart([delivery], together=together, suspects=False)
        limits[together] = delivery.ride

    assert limits == {2: 1, 3: 1, 4: 2, 5: 2, 7: 2, 8: 4, 9: 4, 100: 32, 500: 128}


def test_mates_become_suspects_when_one_is_accepted() -> None:
    """Those that are done with are not; a batch that was refused otherwise makes none."""
    first, second, third, other = found = deliveries(VIEWS, None, None, None, None)
    of = waiting(*found)
    for delivery in found:
        of.take_out(delivery)
    of.set_apart([first, second, third], together=3, suspects=True)
    of.set_apart([other], together=2, suspects=False)
    of.leave([third])
    of.suspect_mates([first])
    of.suspect_mates([other])

    assert [of.histories[each].suspect for each in (second, other)] == [True, False]


def test_a_later_batch_keeps_the_mates_of_the_earlier_one() -> None:
    """Refused as transient first, and with a 4xx afterwards: somebody of the first is still at fault."""
    first, second, third = found = deliveries(VIEWS, None, None, None)
    of = waiting(*found)
    of.set_apart(found, together=3, suspects=True)
    of.set_apart([first, second], together=2, suspects=False)
    of.suspect_mates([first])

    assert of.histories[third].suspect


def test_without_refusals_an_acceptance_costs_nothing() -> None:
    """Nobody is looked up."""
    of = waiting()
    of.suspect_mates(deliveries(VIEWS, None))

    assert of.histories == {}


def test_who_is_done_with_is_not_blamed_any_more() -> None:
    """Its pending refusal is forgotten with its history."""
    [delivery] = deliveries(VIEW, None)
    of = waiting(delivery)
    of.history(delivery)
    comparison = of.outlet(VIEW).comparison
    comparison.refused(Refusal(Request(VIEW, [delivery], b"", 1), delivery, ReplyClass.TRANSIENT, BROKEN))
    of.take_out(delivery)
    of.leave([delivery])

    assert (len(comparison), of.histories) == (0, {})


def test_standings_tell_where_everything_is() -> None:
    """In flight, cooling with its time, before its gate, behind its lane; with what was said of it last."""
    out, cools, waits, behind = deliveries(VIEW, "a", "b", "c", "c")
    of = waiting(out, cools, waits, behind)
    outlet = of.outlet(VIEW)
    of.take_out(out)
    outlet.out.add(Request(VIEW, [out], b""))
    of.take_out(cools)
    of.history(cools).last = BROKEN
    of.cool(cools, 20.0)

    found = {each.delivery: (each.state, each.due, each.last_refusal, each.gate) for each in of.standings()}

    assert found == {
        out: ("in flight", None, None, None),
        cools: ("waits for its next try", 20.0, BROKEN, outlet.gate),
        waits: ("waits for its turn", None, None, outlet.gate),
        behind: ("waits for an older one with its order key", None, None, None),
    }
