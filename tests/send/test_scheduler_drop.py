import pytest

from processor.send.replies import Answered, Reply
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
    opened,
    reply_to,
    scheduler,
    sent,
    step,
    taken,
)

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)
CARTS = channel("carts", batched=True)


def test_dropping_forgets_what_waits_and_what_cools() -> None:
    """Nothing of an assignment that ended goes out again, wherever it stands; others go on."""
    of = opened(VIEW)
    leaving, staying = assignment(0), assignment(1)
    gone = deliveries(VIEW, "a", "a", "b", None, of=leaving)
    left = deliveries(VIEW, "a", "b", "c", of=staying)
    of.add([*gone, *left], 0.0)
    assert answer(of, BROKEN).delay == 10.0

    leaving.live = False
    dropped = of.drop(frozenset({leaving}))

    assert sorted(delivery.record.offset for delivery in dropped) == [0, 1, 2, 3]
    assert {delivery.record.assignment for delivery in dropped} == {leaving}
    assert (of.waiting, of.cooling) == (3, 0)
    assert {request.deliveries[0] for request in all_taken(of)} == set(left)


def test_dropping_forgets_what_was_set_apart() -> None:
    """Deliveries of a refused batch that wait to go alone leave like all others."""
    of = opened(VIEWS, batch=LIMITS)
    leaving, staying = assignment(0), assignment(1)
    of.add([*deliveries(VIEWS, "a", "b", of=leaving), *deliveries(VIEWS, "c", of=staying)], 0.0)
    answer(of, REFUSED)

    leaving.live = False

    assert len(of.drop(frozenset({leaving}))) == 2
    assert [request.deliveries[0].lane for request in all_taken(of)] == ["c"]


@pytest.mark.parametrize("reply", [BROKEN, TOO_FAST])
def test_what_comes_back_too_late_is_stale(reply: Reply) -> None:
    """A delivery whose partition left while it was in flight is not sent again; its next owner does that."""
    of = opened(VIEW)
    leaving, staying = assignment(0), assignment(1)
    [old] = deliveries(VIEW, "a", of=leaving)
    [behind] = deliveries(VIEW, "a", of=staying)
    of.add([old, behind], 0.0)
    request = taken(of)
    leaving.live = False
    assert of.drop(frozenset({leaving})) == []

    result = reply_to(of, request, reply, 0.0)

    assert (fates(result), result.delay) == ({"stale": [old]}, 0.0)
    assert taken(of, 10.0).deliveries == [behind]


def test_a_batch_may_be_stale_in_part() -> None:
    """Of a batch over two partitions only what still belongs to us comes back."""
    for reply in (BROKEN, REFUSED):
        of = opened(VIEWS, batch=LIMITS)
        leaving, staying = assignment(0), assignment(1)
        [old] = deliveries(VIEWS, "a", of=leaving)
        [kept, other] = deliveries(VIEWS, "a", "b", of=staying)
        of.add([old, kept, other], 0.0)
        request = taken(of, 0.2)
        assert set(request.deliveries) == {old, kept, other}
        leaving.live = False

        result = reply_to(of, request, reply, 0.2)

        assert result.stale == [old]
        assert {d for request in all_taken(of, 20.0) for d in request.deliveries} == {kept, other}


def test_what_was_accepted_counts_however_late() -> None:
    """A delivery that was in flight when its partition left may still settle."""
    of = opened(VIEW)
    leaving = assignment()
    [delivery] = deliveries(VIEW, "a", of=leaving)
    request = sent(of, delivery)
    leaving.live = False
    of.drop(frozenset({leaving}))

    assert fates(reply_to(of, request, ACCEPTED)) == {"accepted": [delivery]}


def test_what_was_given_up_counts_however_late() -> None:
    """A payload that is called invalid for the second time is nobody else's affair any more."""
    of = opened(VIEW)
    leaving = assignment()
    [delivery] = deliveries(VIEW, "a", of=leaving)
    reply_to(of, sent(of, delivery), REFUSED)
    request = taken(of, 1.0)
    leaving.live = False
    of.drop(frozenset({leaving}))

    assert fates(reply_to(of, request, REFUSED, 1.0)) == {"buried": [delivery]}


def test_nothing_is_kept_of_what_is_done() -> None:
    """After a thousand visitors the scheduler is as small as before."""
    of = opened(VIEW)
    for visitor in range(1000):
        of.add(deliveries(VIEW, str(visitor), str(visitor)), 0.0)
        answer(of, ACCEPTED)
        answer(of, ACCEPTED)

    assert len(of._waiting.lanes) == 0
    assert (of.waiting, of.cooling) == (0, 0)


def test_nothing_is_kept_of_what_was_refused_and_dropped() -> None:
    """Histories leave with their deliveries, also with those that stand behind another one in their lane."""
    of = opened(VIEWS, batch=LIMITS)
    leaving = assignment()
    of.add(deliveries(VIEWS, "a", "a", "b", of=leaving), 0.0)
    answer(of, BROKEN)
    leaving.live = False

    assert len(of.drop(frozenset({leaving}))) == 3

    assert of._waiting.histories == {}
    assert (len(of._waiting.lanes), of.waiting, of.cooling) == (0, 0, 0)


def test_a_gate_may_be_left_with_nothing_to_probe() -> None:
    """When all that waited before a hold has left, nothing is due, and the next delivery is the probe."""
    of = opened(VIEW)
    leaving = assignment()
    of.add(deliveries(VIEW, "a", "b", of=leaving), 0.0)
    for request in all_taken(of):
        reply_to(of, request, BROKEN)
    answer(of, BROKEN)
    leaving.live = False
    of.drop(frozenset({leaving}))

    assert step(of, 10.0) is None
    of.add(deliveries(VIEW, "c"), 11.0)
    assert fates(answer(of, ACCEPTED, 11.0)).keys() == {"accepted"}


def test_a_gate_holds_when_those_it_could_still_ask_have_left() -> None:
    """The heads that stay were refused in this probing already."""
    of = scheduler()
    leaving = assignment(1)
    of.add(deliveries(VIEW, "a"), 0.0)
    of.add(deliveries(VIEW, "b", of=leaving), 0.0)
    assert answer(of, Answered(403, "")).delay == 10.0
    leaving.live = False
    of.drop(frozenset({leaving}))

    assert step(of, 5.0) == 10.0
    assert of.outlets[0].gate.until == 15.0
