"""What the scheduler counts and says of replies; whose fault they are is told in `test_judge.py`."""

import pytest

from processor.holds import State
from processor.send.outlet import BatchLimits
from processor.send.replies import Answered, NotSent, Reply, Shadowed, Unknown
from processor.send.scheduler import JITTER
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    LIMITS,
    TOO_FAST,
    all_taken,
    answer,
    batches,
    channel,
    deliveries,
    fates,
    opened,
    played,
    reply_to,
    scheduler,
    step,
)

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)


@pytest.mark.parametrize("reply", [ACCEPTED, Answered(204, ""), Shadowed()])
def test_accepted(reply: Reply) -> None:
    """Every delivery of an accepted request is done with; in shadow mode all of them are."""
    of = opened(VIEWS, batch=LIMITS)
    found = deliveries(VIEWS, "a", "b", "c")
    of.add(found, 0.0)

    assert fates(answer(of, reply)) == {"accepted": found}
    assert step(of, 1e9) is None


@pytest.mark.parametrize("reply", [BROKEN, Answered(404, ""), NotSent("x"), Unknown("x")])
def test_a_refused_delivery_waits_for_its_delay(reply: Reply) -> None:
    """The delays follow each other and the last one repeats; meanwhile the lane waits, and is the front again."""
    of = opened(VIEW)
    first, second = deliveries(VIEW, "a", "a")
    of.add([first, second], 0.0)
    now = 0.0
    for attempt, delay in enumerate([10.0, 30.0, 60.0, 60.0], 1):
        result = answer(of, reply, now)
        assert (fates(result), result.delay) == ({}, delay)
        assert first.attempts == attempt
        assert (of.waiting, of.cooling) == (1, 1)
        assert step(of, now) == step(of, now + delay - 0.1) == now + delay
        now += delay

    assert answer(of, ACCEPTED, now).accepted == [first]
    assert answer(of, ACCEPTED, now).accepted == [second]


@pytest.mark.parametrize(
    ("luck", "expected"), [(0.0, 10.0), (0.5, 10.0 * (1 + JITTER / 2)), (1.0, 10.0 * (1 + JITTER))]
)
def test_delays_get_jitter_upwards(luck: float, expected: float) -> None:
    """What failed together does not come back together, and never too early."""
    of = opened(VIEW, jitter=luck)
    of.add(deliveries(VIEW, "a"), 0.0)

    assert answer(of, BROKEN).delay == pytest.approx(expected)


def test_a_waiting_lane_holds_back_only_itself() -> None:
    """Other visitors do not notice."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", "b", "b", "a"), 0.0)
    answer(of, BROKEN)

    assert answer(of, ACCEPTED).accepted[0].lane == "b"
    assert answer(of, ACCEPTED).accepted[0].lane == "b"
    assert step(of, 0.0) == 10.0


def test_a_batch_in_collection_is_not_forgotten_over_cooling_ones() -> None:
    """The next thing that is due says when to ask again, be it a batch or a retry."""
    of = opened(VIEWS, VIEW, batch=LIMITS)
    of.add(deliveries(VIEW, "a"), 0.0)
    answer(of, BROKEN)
    of.add(deliveries(VIEWS, "d", first=3), 9.0)
    assert step(of, 9.0) == pytest.approx(9.2)
    assert batches(of, 9.2) == [[3]]
    of.add(deliveries(VIEWS, "e", first=4), 9.9)

    assert step(of, 9.9) == pytest.approx(10.0)


def test_attempts_have_their_times() -> None:
    """The dead letter tells when it was tried first and last, in seconds since 1970."""
    of = opened(VIEW)
    [delivery] = deliveries(VIEW, "a")
    of.add([delivery], 0.0)
    assert delivery.attempts == 0
    answer(of, BROKEN, 1.0)
    answer(of, BROKEN, 20.0)

    assert (delivery.attempts, delivery.first_attempt, delivery.last_attempt) == (2, 1_800_000_001.0, 1_800_000_020.0)


def test_retry_after_holds_the_whole_destination() -> None:
    """Nothing goes out before the time that the vendor named, of no lane and no channel."""
    of = opened(VIEW, ORDER)
    of.add([*deliveries(VIEW, "a", "b"), *deliveries(ORDER, "c", first=2)], 0.0)

    assert fates(answer(of, Answered(429, "", retry_after=120.0))) == {}
    assert step(of, 0.0) == step(of, 119.0) == 120.0
    assert len(all_taken(of, 120.0)) == 1


def test_throttled_is_no_attempt() -> None:
    """A delivery's own delays do not grow because the account was too fast; it does not cool, either."""
    of = opened(VIEW)
    [delivery] = deliveries(VIEW, "a")
    of.add([delivery], 0.0)
    for _, _, result in played(of, lambda _: TOO_FAST, 0.0, 100.0):
        assert (fates(result), result.delay) == ({}, 0.0)

    assert (delivery.attempts, of.cooling, of.waiting) == (0, 0, 1)
    assert delivery.last_attempt is not None
    assert delivery.first_attempt is not None
    assert delivery.last_attempt > delivery.first_attempt
    assert answer(of, BROKEN, 1000.0).delay == 10.0


def test_throttled_says_nothing_of_the_gate() -> None:
    """However many are, it stays open."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    for request in all_taken(of):
        reply_to(of, request, TOO_FAST)

    assert of.outlets[0].gate.state is State.ACCEPTING


def test_an_acceptance_ends_the_growing_pauses() -> None:
    """The vendor that accepts again is asked again after a second when it refuses next."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", "a", "a"), 0.0)
    for now in (0.0, 10.0, 20.0):
        answer(of, TOO_FAST, now)
    assert of.pace.not_before == 24.0
    answer(of, ACCEPTED, 30.0)
    answer(of, TOO_FAST, 40.0)

    assert of.pace.not_before == 41.0


def test_the_rate_is_kept() -> None:
    """Batches count as one request each; what is above the rate goes out when its token is there."""
    of = opened(VIEWS, batch=BatchLimits(2, 1000, 0.0), rate=2.0)
    of.add(deliveries(VIEWS, *"abcdefgh"), 0.0)

    assert step(of, 0.0) == pytest.approx(0.5)
    assert batches(of, 0.5) == [[0, 1]]
    assert batches(of, 1.0) == [[2, 3]]


def test_news_are_told_once() -> None:
    """What changed since the last time; nothing where nothing did."""
    of = scheduler()
    of.add(deliveries(VIEW, "a"), 0.0)
    assert of.news() == ()
    answer(of, BROKEN)

    assert [(each.method, each.state, each.seconds) for each in of.news()] == [("view", State.HOLDING, 10.0)]
    assert of.news() == ()


def test_all_that_is_not_settled_is_told() -> None:
    """For people: where each delivery stands."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", "b", "b"), 0.0)
    answer(of, BROKEN)

    assert [(each.delivery.record.offset, each.state) for each in of.unsettled()] == [
        (1, "waits for its turn"),
        (0, "waits for its next try"),
        (2, "waits for an older one with its order key"),
    ]
