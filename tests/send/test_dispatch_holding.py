"""What goes out while a gate holds."""

from processor.holds import State
from processor.send.replies import Reply
from processor.send.scheduler import Scheduler
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    DELAYS,
    LOST,
    PATIENT,
    REFUSED,
    TOO_FAST,
    all_taken,
    answer,
    channel,
    deliveries,
    fates,
    gate_of,
    opened,
    played,
    reply_to,
    scheduler,
    step,
    taken,
)

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)


def closed(*lanes: str, reply: Reply = BROKEN) -> Scheduler:
    """The gate was open, then these were refused, each alone, at 0; now it probes."""
    of = opened(VIEW, retry=PATIENT)
    of.add(deliveries(VIEW, *lanes), 0.0)
    for request in all_taken(of):
        reply_to(of, request, reply)
    assert gate_of(of, VIEW).state is State.PROBING
    return of


def holding(*lanes: str) -> Scheduler:
    """As before, and the first probe was refused, too: the gate holds until 10."""
    of = closed(*lanes)
    answer(of, BROKEN)
    assert gate_of(of, VIEW).until == DELAYS[0]
    return of


def offset(of: Scheduler, reply: Reply, now: float) -> int:
    """Whom the next request carries; it is answered so."""
    request = taken(of, now)
    reply_to(of, request, reply, now)
    return request.deliveries[0].record.offset


def test_each_hold_is_longer_until_something_is_accepted() -> None:
    """One request per delay into an outage; after it the delays begin anew."""
    of = holding("a", "b")
    ends = []
    for _ in range(4):
        ends.append(gate_of(of, VIEW).until)
        answer(of, BROKEN, ends[-1])
    assert ends == [10.0, 40.0, 100.0, 160.0]
    answer(of, ACCEPTED, 220.0)
    assert [fates(answer(of, ACCEPTED, 220.0)).keys(), step(of, 220.0)] == [{"accepted"}, None]

    of.add(deliveries(VIEW, *"cd"), 300.0)
    for request in all_taken(of, 300.0):
        reply_to(of, request, BROKEN, 300.0)
    answer(of, BROKEN, 300.0)
    assert gate_of(of, VIEW).until == 310.0


def test_holds_get_jitter_upwards() -> None:
    """Replicas that were refused together do not come back together, and none too early."""
    of = scheduler(jitter=1.0)
    of.add(deliveries(VIEW, "a"), 0.0)
    answer(of, BROKEN)

    assert gate_of(of, VIEW).until == 12.5


def test_nothing_goes_out_in_a_hold() -> None:
    """Several that arrive wait with the others, and nothing of them is lost."""
    of = holding("a", "b")
    of.add(deliveries(VIEW, *"cde", first=5), 1.0)

    assert step(of, 1.0) == step(of, 9.0) == 10.0
    assert len(all_taken(of, 10.0)) == 1


def test_a_newcomer_is_a_probe_at_once() -> None:
    """Every other waiting head was refused already: it may be that only they are at fault."""
    of = holding("a", "b")
    of.add(deliveries(VIEW, "c", first=5), 1.0)

    assert offset(of, ACCEPTED, 1.0) == 5
    assert gate_of(of, VIEW).state is State.ACCEPTING


def test_the_only_one_that_was_never_refused_is_one_too() -> None:
    """Also where it was there when the hold began."""
    of = scheduler()
    of.add(deliveries(VIEW, *"ab"), 0.0)
    answer(of, BROKEN)

    assert offset(of, ACCEPTED, 0.0) == 1


def test_a_newcomer_that_is_refused_changes_nothing_of_the_hold() -> None:
    """It ends when it would have ended, and the next one is no longer."""
    of = holding("a", "b")
    of.add(deliveries(VIEW, "c", first=5), 1.0)
    assert offset(of, BROKEN, 1.0) == 5

    gate = gate_of(of, VIEW)
    assert (gate.state, gate.until, gate.holds) == (State.HOLDING, 10.0, 1)


def test_newcomers_come_at_most_once_per_first_delay() -> None:
    """A busy topic does not turn a hold into a flood."""
    of = holding("a", "b")
    answer(of, BROKEN, 10.0)
    assert gate_of(of, VIEW).until == 40.0
    of.add(deliveries(VIEW, "c", first=5), 11.0)
    assert offset(of, BROKEN, 11.0) == 5
    of.add(deliveries(VIEW, "d", first=6), 12.0)

    assert step(of, 12.0) == 21.0
    assert offset(of, BROKEN, 21.0) == 6


def test_a_newcomer_that_is_throttled_is_repeated() -> None:
    """It told nothing: after `not_before` it goes again."""
    of = holding("a", "b")
    of.add(deliveries(VIEW, "c", first=5), 1.0)
    assert offset(of, TOO_FAST, 1.0) == 5
    assert step(of, 1.0) == 2.0

    assert offset(of, ACCEPTED, 2.0) == 5


def test_while_a_newcomer_is_out_no_other_follows() -> None:
    """One request at a time, also when the first delay is over."""
    of = holding("a", "b")
    answer(of, BROKEN, 10.0)
    of.add(deliveries(VIEW, "c", first=5), 11.0)
    taken(of, 11.0)
    of.add(deliveries(VIEW, "d", first=6), 12.0)

    assert isinstance(step(of, 25.0), float)


def test_a_hold_blames_nobody() -> None:
    """What a newcomer is answered is not counted for it."""
    of = holding("a", "b")
    [newcomer] = deliveries(VIEW, "c", first=5)
    of.add([newcomer], 1.0)

    assert fates(answer(of, REFUSED, 1.0)) == {}
    assert of._waiting.histories[newcomer].invalid == 0


def test_after_a_hold_all_goes_on_in_its_order() -> None:
    """No event is lost or out of order by an outage."""
    of = opened(VIEW, retry=PATIENT)
    of.add(deliveries(VIEW, *"abab"), 0.0)
    played(of, lambda _: LOST, 0.0, 500.0)

    accepted = [
        delivery.record.offset
        for _, _, result in played(of, lambda _: ACCEPTED, 500.0, 1000.0)
        for delivery in result.accepted
    ]

    assert sorted(accepted) == [0, 1, 2, 3]
    assert accepted.index(0) < accepted.index(2)
    assert accepted.index(1) < accepted.index(3)
