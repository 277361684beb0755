import pytest

from processor.send.scheduler import BatchLimits
from tests.send.parts import (
    ACCEPTED,
    LIMITS,
    all_taken,
    batches,
    channel,
    deliveries,
    scheduler,
    step,
    taken,
)

VIEW = channel("view")
ORDER = channel("order")
VIEWS = channel("views", batched=True)
CARTS = channel("carts", batched=True)


def test_nothing_to_send() -> None:
    """A scheduler without deliveries waits for something to happen."""
    assert step(scheduler(), 0.0) is None


def test_single_calls_carry_one_delivery_each() -> None:
    """The body is the payload itself, as the vendor wants it."""
    of = scheduler()
    first, second = found = deliveries(VIEW, None, None)
    of.add(found, 0.0)

    requests = all_taken(of)

    assert [(r.channel, list(r.deliveries), r.body) for r in requests] == [
        (VIEW, [first], first.body),
        (VIEW, [second], second.body),
    ]


def test_a_batch_is_one_array() -> None:
    """What rides together is sent as one JSON array, in the order of arrival."""
    of = scheduler(LIMITS)
    of.add(deliveries(VIEWS, "a", "b", "c", size=3), 0.0)

    [request] = all_taken(of)

    assert request.channel is VIEWS
    assert request.body == b'["x","x","x"]'


def test_a_full_batch_goes_at_once_and_the_rest_waits() -> None:
    """Three of seven twice; the seventh waits for company until `max_wait`, no longer."""
    of = scheduler(LIMITS)
    of.add(deliveries(VIEWS, *"abcdefg"), 1.0)

    assert batches(of, 1.0) == [[0, 1, 2], [3, 4, 5]]
    assert step(of, 1.0) == pytest.approx(1.2)
    assert step(of, 1.1) == pytest.approx(1.2)
    assert batches(of, 1.2) == [[6]]


def test_the_oldest_one_s_wait_counts() -> None:
    """A delivery that joins later does not make the first one wait longer."""
    of = scheduler(LIMITS)
    of.add(deliveries(VIEWS, "a"), 0.0)
    of.add(deliveries(VIEWS, "b", first=1), 0.15)

    assert step(of, 0.19) == pytest.approx(0.2)
    assert batches(of, 0.2) == [[0, 1]]


def test_without_a_wait_a_batch_takes_what_is_there() -> None:
    """`max_wait: 0` sends at once, together with what came at the same time."""
    of = scheduler(BatchLimits(3, 1000, 0.0))
    of.add(deliveries(VIEWS, "a", "b"), 0.0)

    assert batches(of) == [[0, 1]]


@pytest.mark.parametrize(
    ("max_bytes", "expected"),
    [
        (34, [[0, 1, 2]]),
        (33, [[0, 1], [2]]),
        (23, [[0, 1], [2]]),
        (22, [[0], [1], [2]]),
        (12, [[0], [1], [2]]),
        (1, [[0], [1], [2]]),
    ],
)
def test_a_body_has_at_most_max_bytes(max_bytes: int, expected: list[list[int]]) -> None:
    """Brackets and commas count; a single payload that is too large goes alone, for only the vendor can judge it."""
    of = scheduler(BatchLimits(100, max_bytes, 0.0))
    of.add(deliveries(VIEWS, "a", "b", "c", size=10), 0.0)

    requests = all_taken(of)

    assert [[delivery.record.offset for delivery in request.deliveries] for request in requests] == expected
    assert all(len(request.body) <= max_bytes for request in requests if len(request.deliveries) > 1)


def test_enough_bytes_end_the_wait() -> None:
    """A batch that is full of bytes does not wait for more events."""
    of = scheduler(BatchLimits(100, 30, 60.0))
    of.add(deliveries(VIEWS, "a", "b", size=10), 0.0)
    assert step(of, 0.0) == 60.0
    of.add(deliveries(VIEWS, "c", first=2, size=10), 1.0)

    assert batches(of, 1.0) == [[0, 1]]


def test_several_of_one_lane_ride_in_order() -> None:
    """A batch first takes every lane's head, then what stands behind them, each lane in its order."""
    of = scheduler(BatchLimits(5, 1000, 0.2))
    of.add(deliveries(VIEWS, "a", "a", "a", "b", "b", "b"), 0.0)

    assert batches(of, 0.2) == [[0, 3, 1, 4, 2]]
    assert step(of, 100.0) is None
    assert of.waiting == 1


def test_what_may_ride_fills_a_batch() -> None:
    """A batch that its lanes can fill does not wait for more lanes."""
    of = scheduler(BatchLimits(3, 1000, 60.0))
    of.add(deliveries(VIEWS, "a", "b"), 0.0)
    assert step(of, 0.0) == 60.0
    of.add(deliveries(VIEWS, "a", "b", first=2), 1.0)

    assert batches(of, 1.0) == [[0, 1, 2]]


def test_riders_that_do_not_fit_stay_in_their_place() -> None:
    """What a batch has no room for goes out next, still in order."""
    of = scheduler(BatchLimits(3, 1000, 0.0))
    of.add(deliveries(VIEWS, "a", "a", "b", "b", "a", "b"), 0.0)

    answers = []
    while of.waiting:
        request = taken(of)
        answers.append([delivery.record.offset for delivery in request.deliveries])
        of.answered(request, ACCEPTED, 0.0, 0.0)

    assert answers == [[0, 2, 1], [3, 4, 5]]


def test_channels_take_turns() -> None:
    """A flood of views does not keep the orders waiting."""
    of = scheduler()
    of.add(deliveries(VIEW, *"abc"), 0.0)
    of.add(deliveries(ORDER, *"def", first=10), 0.0)

    assert batches(of) == [[0], [10], [1], [11], [2], [12]]


def test_single_calls_do_not_wait_for_batches() -> None:
    """Where an account has both, only the batch is collected."""
    of = scheduler(LIMITS)
    of.add(deliveries(VIEWS, "a"), 0.0)
    of.add(deliveries(VIEW, "b", first=10), 0.0)

    assert batches(of) == [[10]]
    assert step(of, 0.0) == pytest.approx(0.2)


def test_the_channel_that_is_due_first_says_when_to_ask_again() -> None:
    """Among batches that are collected, the one with the oldest delivery goes first."""
    of = scheduler(LIMITS)
    of.add(deliveries(VIEWS, "a"), 0.1)
    of.add(deliveries(CARTS, "b", first=1), 0.0)

    assert step(of, 0.1) == pytest.approx(0.2)
    assert batches(of, 0.2) == [[1]]
    assert batches(of, 0.31) == [[0]]


def test_a_lane_has_one_request_in_flight() -> None:
    """The second delivery of a key goes out when the first one is done (invariant 4)."""
    of = scheduler()
    of.add(deliveries(VIEW, "a", "a", "b"), 0.0)
    first, other = all_taken(of)
    assert [first.deliveries[0].lane, other.deliveries[0].lane] == ["a", "b"]

    of.answered(other, ACCEPTED, 0.0, 0.0)
    assert step(of, 0.0) is None
    of.answered(first, ACCEPTED, 0.0, 0.0)

    assert batches(of) == [[1]]


def test_a_lane_goes_over_all_channels() -> None:
    """A visitor whose order must wait, waits with his views."""
    of = scheduler()
    of.add([*deliveries(ORDER, "a"), *deliveries(VIEW, "a", "b", first=1)], 0.0)

    assert batches(of) == [[0], [2]]


def test_no_key_means_no_order() -> None:
    """Deliveries without a lane are all in flight at once."""
    of = scheduler()
    of.add(deliveries(VIEW, *[None] * 50), 0.0)

    assert len(all_taken(of)) == 50
