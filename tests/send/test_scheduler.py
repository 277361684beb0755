import pytest

from processor.send.outlet import BatchLimits
from tests.send.parts import (
    ACCEPTED,
    LIMITS,
    TOO_FAST,
    all_taken,
    answer,
    assignment,
    batches,
    channel,
    deliveries,
    opened,
    reply_to,
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
    of = opened(VIEW)
    first, second = found = deliveries(VIEW, None, None)
    of.add(found, 0.0)

    requests = all_taken(of)

    assert [(r.channel, list(r.deliveries), r.body) for r in requests] == [
        (VIEW, [first], first.body),
        (VIEW, [second], second.body),
    ]


def test_a_batch_is_one_array() -> None:
    """What rides together is sent as one JSON array, in the order of arrival."""
    of = opened(VIEWS, batch=LIMITS)
    of.add(deliveries(VIEWS, "a", "b", "c", size=3), 0.0)

    [request] = all_taken(of)

    assert request.channel is VIEWS
    assert request.body == b'["x","x","x"]'


def test_a_full_batch_goes_at_once_and_the_rest_waits() -> None:
    """Three of seven twice; the seventh waits for company until `max_wait`, no longer."""
    of = opened(VIEWS, batch=LIMITS)
    of.add(deliveries(VIEWS, *"abcdefg"), 1.0)

    assert batches(of, 1.0) == [[0, 1, 2], [3, 4, 5]]
    assert step(of, 1.0) == pytest.approx(1.2)
    assert step(of, 1.1) == pytest.approx(1.2)
    assert batches(of, 1.2) == [[6]]


def test_the_oldest_one_s_wait_counts() -> None:
    """A delivery that joins later does not make the first one wait longer."""
    of = opened(VIEWS, batch=LIMITS)
    of.add(deliveries(VIEWS, "a"), 0.0)
    of.add(deliveries(VIEWS, "b", first=1), 0.15)

    assert step(of, 0.19) == pytest.approx(0.2)
    assert batches(of, 0.2) == [[0, 1]]


def test_without_a_wait_a_batch_takes_what_is_there() -> None:
    """`max_wait: 0` sends at once, together with what came at the same time."""
    of = opened(VIEWS, batch=BatchLimits(3, 1000, 0.0))
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
    of = opened(VIEWS, batch=BatchLimits(100, max_bytes, 0.0))
    of.add(deliveries(VIEWS, "a", "b", "c", size=10), 0.0)

    requests = all_taken(of)

    assert [[delivery.record.offset for delivery in request.deliveries] for request in requests] == expected
    assert all(len(request.body) <= max_bytes for request in requests if len(request.deliveries) > 1)


def test_enough_bytes_end_the_wait() -> None:
    """A batch that is full of bytes does not wait for more events."""
    of = opened(VIEWS, batch=BatchLimits(100, 30, 60.0))
    owner = assignment()
    of.add(deliveries(VIEWS, "a", "b", of=owner, size=10), 0.0)
    assert step(of, 0.0) == 60.0
    of.add(deliveries(VIEWS, "c", of=owner, first=2, size=10), 1.0)

    assert batches(of, 1.0) == [[0, 1]]


def test_several_of_one_lane_ride_in_order() -> None:
    """A batch first takes every lane's head, then what stands behind them, each lane in its order."""
    of = opened(VIEWS, batch=BatchLimits(5, 1000, 0.2))
    of.add(deliveries(VIEWS, "a", "a", "a", "b", "b", "b"), 0.0)

    assert batches(of, 0.2) == [[0, 3, 1, 4, 2]]
    assert step(of, 100.0) is None
    assert of.waiting == 1


def test_what_may_ride_fills_a_batch() -> None:
    """A batch that its lanes can fill does not wait for more lanes."""
    of = opened(VIEWS, batch=BatchLimits(3, 1000, 60.0))
    of.add(deliveries(VIEWS, "a", "b"), 0.0)
    assert step(of, 0.0) == 60.0
    of.add(deliveries(VIEWS, "a", "b", first=2), 1.0)

    assert batches(of, 1.0) == [[0, 1, 2]]


def test_riders_that_do_not_fit_stay_in_their_place() -> None:
    """What a batch has no room for goes out next, still in order."""
    of = opened(VIEWS, batch=BatchLimits(3, 1000, 0.0))
    of.add(deliveries(VIEWS, "a", "a", "b", "b", "a", "b"), 0.0)

    answers = []
    while of.waiting:
        request = taken(of)
        answers.append([delivery.record.offset for delivery in request.deliveries])
        reply_to(of, request, ACCEPTED)

    assert answers == [[0, 2, 1], [3, 4, 5]]


def test_channels_take_turns() -> None:
    """A flood of views does not keep the orders waiting."""
    of = opened(VIEW, ORDER)
    of.add(deliveries(VIEW, *"abc"), 0.0)
    of.add(deliveries(ORDER, *"def", first=10), 0.0)

    assert batches(of) == [[0], [10], [1], [11], [2], [12]]


def test_a_path_that_the_pace_holds_back_keeps_its_turn() -> None:
    """However often it is asked meanwhile, the rate is shared by all paths."""
    of = opened(VIEW, rate=1.0)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    of.add(deliveries(ORDER, *"efgh", first=10), 0.0)

    sent = []
    for second in range(1, 5):
        assert isinstance(step(of, second - 0.1), float)
        sent += [delivery.channel.label for delivery in answer(of, ACCEPTED, second).accepted]
        assert isinstance(step(of, second), float)

    assert sent == ["order", "view", "order", "view"]


def test_partitions_take_turns() -> None:
    """A busy partition does not starve a quiet one, in single calls and in batches."""
    for path, batch in ((VIEW, None), (VIEWS, LIMITS)):
        of = opened(path, batch=batch)
        of.add(deliveries(path, *[None] * 9, of=assignment(0)), 0.0)
        of.add(deliveries(path, None, None, of=assignment(1), first=100), 0.0)

        offsets = [offset for request in batches(of) for offset in request]

        assert offsets[:5] == [0, 100, 1, 101, 2]


def test_a_lane_with_half_of_all_traffic_does_not_starve_others() -> None:
    """It has one request at a time, and rides behind all others' heads; the others go out as if it were not there."""
    for path, batch, sent in (
        (VIEW, None, [[0], [1], [3], [5], [7]]),
        (VIEWS, BatchLimits(max_events=6, max_bytes=1000, max_wait=0.2), [[0, 1, 3, 5, 7, 2]]),
    ):
        of = opened(path, batch=batch)
        of.add(deliveries(path, "busy", "a", "busy", "b", "busy", "c", "busy", "d"), 0.0)

        assert [[delivery.record.offset for delivery in request.deliveries] for request in all_taken(of)] == sent


def test_what_was_throttled_is_the_front_again() -> None:
    """It goes out before all others of its partition and in its order, as if it had not been sent."""
    of = opened(VIEWS, batch=LIMITS)
    owner = assignment()
    of.add(deliveries(VIEWS, *"abcdef", of=owner), 0.0)
    answer(of, TOO_FAST)

    assert [*batches(of, 1.0), *batches(of, 2.0)] == [[0, 1, 2], [3, 4, 5]]


def test_single_calls_do_not_wait_for_batches() -> None:
    """Where an account has both, only the batch is collected."""
    of = opened(VIEW, VIEWS, batch=LIMITS)
    of.add(deliveries(VIEWS, "a"), 0.0)
    of.add(deliveries(VIEW, "b", first=10), 0.0)

    assert batches(of) == [[10]]
    assert step(of, 0.0) == pytest.approx(0.2)


def test_the_channel_that_is_due_first_says_when_to_ask_again() -> None:
    """Among batches that are collected, the one with the oldest delivery goes first."""
    of = opened(VIEWS, CARTS, batch=LIMITS)
    of.add(deliveries(VIEWS, "a"), 0.1)
    of.add(deliveries(CARTS, "b", first=1), 0.0)

    assert step(of, 0.1) == pytest.approx(0.2)
    assert batches(of, 0.2) == [[1]]
    assert batches(of, 0.31) == [[0]]


def test_a_lane_has_one_request_in_flight() -> None:
    """The second delivery of a key goes out when the first one is done (invariant 4)."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", "a", "b"), 0.0)
    first, other = all_taken(of)
    assert [first.deliveries[0].lane, other.deliveries[0].lane] == ["a", "b"]

    reply_to(of, other, ACCEPTED)
    assert step(of, 0.0) is None
    reply_to(of, first, ACCEPTED)

    assert batches(of) == [[1]]


def test_a_lane_goes_over_all_channels() -> None:
    """A visitor whose order must wait, waits with his views."""
    of = opened(VIEW, ORDER)
    of.add([*deliveries(ORDER, "a"), *deliveries(VIEW, "a", "b", first=1)], 0.0)

    assert sorted(batches(of)) == [[0], [2]]


def test_no_key_means_no_order() -> None:
    """Deliveries without a lane are all in flight at once."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *[None] * 50), 0.0)

    assert len(all_taken(of)) == 50
