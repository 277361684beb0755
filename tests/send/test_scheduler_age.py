from processor.records import Delivery, Request
from processor.send.outlet import BatchLimits
from processor.send.scheduler import Scheduler
from tests.send.parts import (
    BROKEN,
    LIMITS,
    REFUSED,
    WALL,
    answer,
    assignment,
    channel,
    deliveries,
    opened,
    scheduler,
    taken,
)

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)
CARTS = channel("carts", batched=True)


def looked(of: Scheduler, now: float) -> tuple[Request | float | None, list[Delivery]]:
    """What a look at this time gives: the next step, and what was too old."""
    found = of.take(now, WALL + now)
    return found, list(of.expired())


def offsets(request: Request | float | None) -> list[int]:
    """What a request carries."""
    assert isinstance(request, Request)
    return [delivery.record.offset for delivery in request.deliveries]


def test_what_is_too_old_is_not_sent() -> None:
    """It comes out as expired, once, and nothing waits any more."""
    of = opened(VIEW)
    old = deliveries(VIEW, "a", expires=5.0)
    of.add(old, 0.0)

    assert looked(of, 5.1) == (None, old)
    assert looked(of, 5.1) == (None, [])
    assert of.waiting == 0


def test_up_to_its_last_moment_a_delivery_is_sent() -> None:
    """Older than `max_event_age` is too old, as old as it is not."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", expires=5.0), 0.0)

    request, expired = looked(of, 5.0)

    assert (offsets(request), expired) == ([0], [])


def test_a_retry_may_come_too_late() -> None:
    """Age is looked at before every sending, not only the first."""
    of = opened(VIEW)
    old = deliveries(VIEW, "a", expires=5.0)
    of.add(old, 0.0)
    assert answer(of, BROKEN).delay == 10.0

    assert looked(of, 10.0) == (None, old)
    assert (of.waiting, of.cooling) == (0, 0)


def test_the_next_of_the_lane_goes_at_once() -> None:
    """A lane steps over what is too old, also to another method."""
    of = opened(VIEW, ORDER)
    old, fresh = deliveries(VIEW, "a", "a", expires=5.0), deliveries(ORDER, "a", first=2)
    of.add([*old, *fresh], 0.0)

    request, expired = looked(of, 6.0)

    assert (offsets(request), expired) == ([2], old)
    assert len(of._waiting.lanes) == 1


def test_old_deliveries_use_nothing_of_the_rate() -> None:
    """A hundred that are too old do not hold back the one that is not."""
    of = opened(VIEW, rate=1.0)
    owner = assignment()
    old = deliveries(VIEW, *[None] * 100, of=owner, expires=-1.0)
    fresh = deliveries(VIEW, None, of=owner, first=100)
    of.add([*old, *fresh], 0.0)

    request, expired = looked(of, 1.0)

    assert (offsets(request), expired) == ([100], old)


def test_a_batch_leaves_out_what_is_too_old() -> None:
    """Heads and riders alike; what follows them in their lanes takes their places."""
    of = opened(VIEWS, batch=LIMITS)
    old = deliveries(VIEWS, "a", "b", expires=5.0)
    riders = [*deliveries(VIEWS, "a", first=2), *deliveries(VIEWS, "a", first=3, expires=5.0)]
    last = deliveries(VIEWS, "a", "b", first=4)
    of.add([*old, *riders, *last], 0.0)

    request, expired = looked(of, 6.0)

    assert sorted(offsets(request)) == [2, 4, 5]
    assert {delivery.record.offset for delivery in expired} == {0, 1, 3}
    assert of.waiting == 0


def test_a_batch_of_old_deliveries_is_none() -> None:
    """Where nothing is left, no empty array goes out."""
    of = opened(VIEWS, batch=LIMITS)
    old = deliveries(VIEWS, "a", "b", "c", expires=5.0)
    of.add(old, 0.0)

    assert looked(of, 6.0) == (None, old)


def test_a_rider_that_does_not_fit_becomes_the_head() -> None:
    """When the one before it is too old, and the batch is full, the next one waits at the head of its lane."""
    of = opened(VIEWS, batch=BatchLimits(max_events=10, max_bytes=60, max_wait=1.0))
    big = deliveries(VIEWS, "b", size=50)
    old, rider = deliveries(VIEWS, "a", first=1, expires=5.0), deliveries(VIEWS, "a", first=2)
    huge = deliveries(VIEWS, "c", first=3, size=50)
    of.add([*big, *old, *rider, *huge], 0.0)

    request, expired = looked(of, 6.0)
    assert (offsets(request), expired) == ([0], old)
    assert of.waiting == 2

    assert sorted(offsets(taken(of, 8.0))) == [2, 3]


def test_what_was_set_apart_grows_old_too() -> None:
    """Deliveries of a refused batch that wait to go alone are looked at like all others."""
    of = opened(VIEWS, batch=LIMITS)
    owner = assignment()
    old, fresh = deliveries(VIEWS, "a", "b", of=owner, expires=5.0), deliveries(VIEWS, "c", of=owner, first=2)
    of.add([*old, *fresh], 0.0)
    answer(of, REFUSED)

    request, expired = looked(of, 6.0)

    assert (offsets(request), expired) == ([2], old)


def test_a_probe_may_be_too_old() -> None:
    """Where a gate probes, what is too old makes place for the next one."""
    of = scheduler()
    old, fresh = deliveries(VIEW, "a", "b", expires=5.0), deliveries(VIEW, "c", first=2)
    of.add([*old, *fresh], 0.0)

    request, expired = looked(of, 6.0)

    assert (offsets(request), expired) == ([2], old)


def test_without_an_age_nothing_is_too_old() -> None:
    """An emptied cart, and what no route limits, is sent however late."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)

    request, expired = looked(of, 1e9)

    assert (offsets(request), expired) == ([0], [])
