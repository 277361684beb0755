from collections.abc import Sequence

import pytest

from processor.records import Delivery, Request
from processor.send.lanes import Lanes
from processor.send.outlet import NEVER, BatchLimits, Outlet
from processor.send.replies import ReplyClass
from processor.send.strikes import Refusal
from tests.send.outlet_bench import VIEW, Heads, outlet
from tests.send.parts import BROKEN, FORBIDDEN, LIMITS, assignment, channel, deliveries, one

VIEWS = channel("views", batched=True)
LANES = Lanes()


def offsets(found: Sequence[Delivery]) -> list[int]:
    """Which ones."""
    return [delivery.record.offset for delivery in found]


# What may go out.


def test_an_empty_path_is_never_due() -> None:
    """It is idle, too."""
    path = outlet()

    assert (path.due(LANES), path.idle, list(path.heads())) == (NEVER, True, [])


def test_single_calls_are_due_at_once() -> None:
    """One at a time is taken, in turns over partitions."""
    path = outlet(batch=LIMITS)
    [head] = deliveries(VIEW, None)
    path.add(head, 5.0)

    heads, most = path.next(LANES, 5.0)
    assert (path.due(LANES), heads.peek(), most) == (-NEVER, head, 3 if path.channel.batched else 1)


def test_a_batch_waits_for_company_until_its_oldest_has_waited() -> None:
    """Or until it is full of events or bytes."""
    path = outlet(VIEWS, BatchLimits(3, 100, 0.2))
    first, second, third = deliveries(VIEWS, None, None, None, size=10)
    path.add(first, 1.0)
    path.add(second, 1.1)
    assert path.due(LANES) == pytest.approx(1.2)
    path.add(third, 1.1)
    assert path.due(LANES) == -NEVER

    full = outlet(VIEWS, BatchLimits(3, 100, 0.2))
    full.add(one(VIEWS, size=100), 1.0)
    assert full.due(LANES) == -NEVER


def test_refused_and_fresh_ones_take_turns() -> None:
    """Neither keeps the other waiting; the refused do not wait for company."""
    path = outlet()
    apart, fresh = deliveries(VIEW, None, None, None, None), deliveries(VIEW, None, None, first=10)
    for head in apart:
        head.ride = 1
        path.add(head, 0.0)
    for head in fresh:
        path.add(head, 0.0)

    taken = [path.next(LANES, 0.0)[0].pop() for _ in range(6)]

    assert offsets(taken) == [0, 10, 1, 11, 2, 3]


def tried(path: Outlet, head: Delivery, number: int) -> Request:
    """A head that was refused before goes out."""
    turns, most = path.next(LANES, 0.0)
    assert (turns.pop(), most) == (head, 1)
    request = Request(VIEW, [head], b"", number)
    path.sent(request, turns)
    return request


def test_those_that_were_refused_alone_go_one_by_one() -> None:
    """Poison records that come together would pass for an outage: the next goes when nothing is to be compared."""
    of = Heads()
    first, second = of.refused(0, 1), of.refused(1, 1)
    of.path.gate.accepted(5.0)
    assert of.path.due(LANES) == -NEVER
    request = tried(of.path, first, 1)
    assert of.path.due(LANES) == 15.0
    of.path.out.remove(request)
    of.path.trials.remove(request)
    of.path.comparison.refused(Refusal(request, first, ReplyClass.FORBIDDEN, FORBIDDEN))
    assert of.path.due(LANES) == 15.0

    of.path.comparison.accepted(Request(VIEW, [], b"", 2))
    assert of.path.due(LANES) == -NEVER
    tried(of.path, second, 3)


def test_suspects_are_not_tried_one_by_one() -> None:
    """What they are answered is their own, so it cannot pass for an outage."""
    of = Heads()
    of.path.gate.accepted(0.0)
    first, second = of.refused(0, 1, suspect=True), of.refused(1, 1, suspect=True)
    for head in (first, second):
        assert of.path.due(LANES) == -NEVER
        turns, _ = of.path.next(LANES, 0.0)
        assert turns.pop() is head
        of.path.sent(Request(VIEW, [head], b""), turns)

    assert not of.path.trials


def test_those_that_may_ride_in_small_batches_go_by_age() -> None:
    """Each size is a queue of its own; nobody rides in a larger batch than its limit."""
    path = outlet(VIEWS, LIMITS)
    small, large = deliveries(VIEWS, None, None)
    small.ride, large.ride = 1, 64
    path.add(large, 1.0)
    path.add(small, 2.0)

    heads, most = path.next(LANES, 2.0)
    assert (heads.pop(), most) == (large, 3)
    heads, most = path.next(LANES, 2.0)
    assert (heads.pop(), most) == (small, 1)


# Coming and going.


def test_a_head_is_removed_wherever_it_waits() -> None:
    """Fresh, set apart, or cooling."""
    of = Heads()
    cooling, apart = of.refused(0, 1, due=10.0), of.refused(1, 1)
    [fresh] = deliveries(VIEW, None, first=2)
    of.path.add(fresh, 0.0)
    assert sorted(offsets(list(of.path.heads()))) == [0, 1, 2]

    for head in (cooling, apart, fresh):
        assert not of.path.idle
        of.path.remove(head)

    assert of.path.idle


def test_heads_of_partitions_that_left_are_dropped() -> None:
    """In every state; others stay."""
    of = Heads()
    leaving, staying = assignment(0), assignment(1)
    for owner, first in ((leaving, 0), (staying, 10)):
        fresh, apart, cooling = deliveries(VIEW, None, None, None, of=owner, first=first)
        apart.ride = cooling.ride = 1
        of.path.add(fresh, 0.0)
        of.path.add(apart, 0.0)
        of.path.cooling[cooling] = 5.0

    assert sorted(offsets(of.path.drop(frozenset({leaving})))) == [0, 1, 2]
    assert sorted(offsets(list(of.path.heads()))) == [10, 11, 12]


def test_accepted_trials_let_more_go_at_once() -> None:
    """After an outage that refused thousands they go out faster and faster, until one is refused or throttled."""
    of = Heads()
    of.path.gate.accepted(5.0)
    heads = [of.refused(offset, 1) for offset in range(4)]
    request = tried(of.path, heads[0], 1)
    of.path.answered(request, accepted=True)
    for number, head in enumerate(heads[1:3], 2):
        assert of.path.due(LANES) == -NEVER
        request = tried(of.path, head, number)
    assert of.path.due(LANES) == 15.0

    of.path.answered(request, accepted=False)
    assert of.path.due(LANES) == 15.0
    assert of.path.most_trials == 1


# What others may learn from it.


def test_a_path_tells_while_something_goes_out_that_may_be_accepted() -> None:
    """Not where nothing waits, nor where only refusals are answered, nor where it may reach a shopper."""
    path = outlet()
    told = [path.telling]
    path.add(one(VIEW), 0.0)
    told.append(path.telling)
    path.close(FORBIDDEN, 0.0)
    told.append(path.telling)
    path.gate.trouble(BROKEN, 1.0)
    told.append(path.telling)
    assert told == [False, True, False, True]

    once = outlet(channel("welcome", once=True))
    once.out.add(Request(once.channel, (), b""))
    told = [once.telling]
    once.gate.accepted(0.0)
    assert [*told, once.telling, once.accepting] == [False, True, True]
