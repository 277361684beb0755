import pytest

from processor.send.replies import Reply
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    LIMITS,
    REFUSED,
    TOO_FAST,
    all_taken,
    answer,
    assignment,
    channel,
    deliveries,
    fates,
    scheduler,
    taken,
)

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)
CARTS = channel("carts", batched=True)


def test_dropping_forgets_what_waits_and_what_cools() -> None:
    """Nothing of an assignment that ended goes out again, wherever it stands; others go on."""
    of = scheduler()
    leaving, staying = assignment(0), assignment(1)
    gone = deliveries(VIEW, "a", "a", "b", None, of=leaving)
    left = deliveries(VIEW, "a", "b", "c", of=staying)
    of.add([*gone, *left], 0.0)
    assert answer(of, BROKEN).delay == 10.0

    leaving.live = False
    dropped = of.drop(frozenset({leaving}), 0.0)

    assert sorted(delivery.record.offset for delivery in dropped) == [0, 1, 2, 3]
    assert {delivery.record.assignment for delivery in dropped} == {leaving}
    assert (of.waiting, of.cooling) == (3, 0)
    assert {request.deliveries[0] for request in all_taken(of)} == set(left)


def test_dropping_forgets_what_was_set_apart() -> None:
    """Deliveries of a refused batch that wait to go alone leave like all others."""
    of = scheduler(LIMITS)
    leaving, staying = assignment(0), assignment(1)
    of.add([*deliveries(VIEWS, "a", "b", of=leaving), *deliveries(VIEWS, "c", of=staying)], 0.0)
    answer(of, REFUSED)

    leaving.live = False

    assert len(of.drop(frozenset({leaving}), 0.0)) == 2
    assert [request.deliveries[0].lane for request in all_taken(of)] == ["c"]


@pytest.mark.parametrize("reply", [BROKEN, TOO_FAST])
def test_what_comes_back_too_late_is_stale(reply: Reply) -> None:
    """A delivery whose partition left while it was in flight is not sent again; its next owner does that."""
    of = scheduler()
    leaving, staying = assignment(0), assignment(1)
    [old] = deliveries(VIEW, "a", of=leaving)
    [behind] = deliveries(VIEW, "a", of=staying)
    of.add([old, behind], 0.0)
    request = taken(of)
    leaving.live = False
    assert of.drop(frozenset({leaving}), 0.0) == []

    result = of.answered(request, reply, 0.0, 0.0)

    assert (fates(result), result.delay) == ({"stale": [old]}, 0.0)
    assert taken(of, 10.0).deliveries == [behind]


def test_a_batch_may_be_stale_in_part() -> None:
    """Of a batch over two partitions only what still belongs to us comes back."""
    for reply in (BROKEN, REFUSED):
        of = scheduler(LIMITS)
        leaving, staying = assignment(0), assignment(1)
        [old] = deliveries(VIEWS, "a", of=leaving)
        [kept, other] = deliveries(VIEWS, "a", "b", of=staying)
        of.add([old, kept, other], 0.0)
        request = taken(of, 0.2)
        assert set(request.deliveries) == {old, kept, other}
        leaving.live = False

        result = of.answered(request, reply, 0.2, 0.0)

        assert result.stale == [old]
        assert {d for request in all_taken(of, 20.0) for d in request.deliveries} == {kept, other}


@pytest.mark.parametrize(("reply", "fate"), [(ACCEPTED, "accepted"), (REFUSED, "buried")])
def test_what_was_decided_counts_however_late(reply: Reply, fate: str) -> None:
    """A delivery that was in flight when its partition left may still settle."""
    of = scheduler()
    leaving = assignment()
    [delivery] = deliveries(VIEW, "a", of=leaving)
    of.add([delivery], 0.0)
    request = taken(of)
    leaving.live = False
    of.drop(frozenset({leaving}), 0.0)

    assert fates(of.answered(request, reply, 0.0, 0.0)) == {fate: [delivery]}


def test_nothing_is_kept_of_lanes_that_are_done() -> None:
    """After a thousand visitors the scheduler is as small as before."""
    of = scheduler()
    for visitor in range(1000):
        of.add(deliveries(VIEW, str(visitor), str(visitor)), 0.0)
        answer(of, ACCEPTED)
        answer(of, ACCEPTED)

    assert len(of._lanes) == 0
    assert (of.waiting, of.cooling) == (0, 0)
