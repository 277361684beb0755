import pytest

from processor.send.replies import Answered, NotSent, Reply, Unknown
from processor.send.scheduler import JITTER, BatchLimits
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    DELAYS,
    LIMITS,
    REFUSED,
    TOO_FAST,
    answer,
    batches,
    channel,
    deliveries,
    fates,
    scheduler,
    step,
    taken,
)

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)
CARTS = channel("carts", batched=True)


def test_accepted() -> None:
    """Every delivery of an accepted request is done with."""
    of = scheduler(LIMITS)
    found = deliveries(VIEWS, "a", "b", "c")
    of.add(found, 0.0)

    assert fates(answer(of, ACCEPTED)) == {"accepted": found}
    assert step(of, 1e9) is None


def test_buried() -> None:
    """A delivery that was refused alone is done with, and the next one of its lane goes on."""
    of = scheduler()
    first, second = deliveries(VIEW, "a", "a")
    of.add([first, second], 0.0)

    assert fates(answer(of, REFUSED)) == {"buried": [first]}
    assert taken(of).deliveries == [second]


def test_a_refused_batch_is_sent_again_one_by_one() -> None:
    """At once, in order, and only the culprit is buried."""
    of = scheduler(BatchLimits(10, 1000, 5.0))
    found = deliveries(VIEWS, "a", "b", "a", "b")
    culprit = found[1]
    of.add(found, 0.0)
    assert fates(answer(of, REFUSED, 5.0)) == {}

    sent: list[list[int]] = []
    buried: list[object] = []
    while of.waiting:
        request = taken(of, 5.0)
        sent.append([delivery.record.offset for delivery in request.deliveries])
        assert request.body.startswith(b"[")
        reply = REFUSED if culprit in request.deliveries else ACCEPTED
        buried += of.answered(request, reply, 5.0, 0.0).buried

    assert sent == [[0], [1], [2], [3]]
    assert buried == [culprit]
    assert [delivery.attempts for delivery in found] == [1, 1, 1, 1]


def test_what_follows_a_refused_batch_rides_as_before() -> None:
    """Only those that were in the refused batch go alone; what came later goes in batches again."""
    of = scheduler(BatchLimits(2, 1000, 0.0))
    of.add(deliveries(VIEWS, "a", "b", "a", "b", "c"), 0.0)
    answer(of, REFUSED)

    sent = []
    while of.waiting:
        request = taken(of)
        sent.append([delivery.record.offset for delivery in request.deliveries])
        of.answered(request, ACCEPTED, 0.0, 0.0)

    assert sent == [[0], [1], [4, 2], [3]]


@pytest.mark.parametrize("reply", [BROKEN, Answered(401, ""), Answered(404, ""), NotSent("x"), Unknown("x")])
def test_a_refused_delivery_waits_for_its_delay(reply: Reply) -> None:
    """The delays follow each other and the last one repeats; meanwhile the lane waits."""
    of = scheduler()
    first, second = deliveries(VIEW, "a", "a")
    of.add([first, second], 0.0)
    now = 0.0
    for attempt, delay in enumerate([10.0, 30.0, 60.0, 60.0, 60.0], 1):
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
    of = scheduler(jitter=luck)
    of.add(deliveries(VIEW, "a"), 0.0)

    assert answer(of, BROKEN).delay == pytest.approx(expected)


def test_a_waiting_lane_holds_back_only_itself() -> None:
    """Other visitors do not notice."""
    of = scheduler()
    of.add(deliveries(VIEW, "a", "b", "b", "a"), 0.0)
    answer(of, BROKEN)

    assert answer(of, ACCEPTED).accepted[0].lane == "b"
    assert answer(of, ACCEPTED).accepted[0].lane == "b"
    assert step(of, 0.0) == 10.0


def test_a_batch_that_failed_waits_as_a_whole() -> None:
    """Its heads cool, what rode behind them waits in its lane; then all go out again, without another `max_wait`."""
    of = scheduler(BatchLimits(4, 1000, 5.0))
    of.add(deliveries(VIEWS, "a", "b", "a", None), 0.0)

    assert answer(of, BROKEN, 5.0).delay == 10.0
    assert (of.waiting, of.cooling) == (1, 3)
    assert step(of, 14.9) == 15.0
    assert batches(of, 15.0) == [[0, 1, 3, 2]]
    assert (of.waiting, of.cooling) == (0, 0)


def test_a_batch_in_collection_is_not_forgotten_over_cooling_ones() -> None:
    """The next thing that is due says when to ask again, be it a batch or a retry."""
    of = scheduler(LIMITS)
    of.add(deliveries(VIEWS, "a", "b", "c"), 0.0)
    answer(of, BROKEN)
    of.add(deliveries(VIEWS, "d", first=3), 9.0)
    assert step(of, 9.0) == pytest.approx(9.2)
    assert batches(of, 9.2) == [[3]]
    of.add(deliveries(VIEWS, "e", first=4), 9.9)

    assert step(of, 9.9) == pytest.approx(10.0)


def test_attempts_have_their_times() -> None:
    """The dead letter tells when it was tried first and last, in seconds since 1970."""
    of = scheduler()
    [delivery] = deliveries(VIEW, "a")
    of.add([delivery], 0.0)
    assert delivery.attempts == 0
    answer(of, BROKEN, 1.0)
    answer(of, BROKEN, 20.0)

    assert (delivery.attempts, delivery.first_attempt, delivery.last_attempt) == (2, 1_800_000_001.0, 1_800_000_020.0)


def test_retry_after_holds_the_whole_destination() -> None:
    """Nothing goes out before the time that the vendor named, of no lane and no channel."""
    of = scheduler()
    of.add([*deliveries(VIEW, "a", "b"), *deliveries(ORDER, "c", first=2)], 0.0)

    assert answer(of, Answered(429, "", retry_after=120.0)).delay == 120.0
    assert step(of, 0.0) == step(of, 119.0) == 120.0
    assert sorted(batches(of, 120.0)) == [[0], [1], [2]]


def test_throttled_is_no_attempt() -> None:
    """A delivery's own delays do not grow because the account was too fast."""
    of = scheduler()
    [delivery] = deliveries(VIEW, "a")
    of.add([delivery], 0.0)
    for now, pause in ((0.0, 1.0), (1.0, 2.0), (3.0, 4.0)):
        assert answer(of, TOO_FAST, now).delay == pause

    assert delivery.attempts == 0
    assert delivery.last_attempt == 1_800_000_003.0
    assert answer(of, BROKEN, 7.0).delay == DELAYS[0]


def test_an_acceptance_ends_the_growing_pauses() -> None:
    """The vendor that accepts again is asked again after a second when it refuses next."""
    of = scheduler()
    of.add(deliveries(VIEW, "a", "a", "a"), 0.0)
    answer(of, TOO_FAST, 0.0)
    answer(of, TOO_FAST, 1.0)
    answer(of, ACCEPTED, 3.0)

    assert answer(of, TOO_FAST, 3.0).delay == 1.0


def test_the_rate_is_kept() -> None:
    """Batches count as one request each; what is above the rate goes out when its token is there."""
    of = scheduler(BatchLimits(2, 1000, 0.0), rate=2.0)
    of.add(deliveries(VIEWS, *"abcdefgh"), 0.0)

    assert batches(of) == [[0, 1], [2, 3]]
    assert step(of, 0.0) == pytest.approx(0.5)
    assert batches(of, 0.5) == [[4, 5]]
    assert batches(of, 1.0) == [[6, 7]]
