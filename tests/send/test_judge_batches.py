"""What a refused batch means: smaller batches, no attempts, and suspects."""

from itertools import pairwise

import pytest

from processor.holds import State
from processor.records import Delivery
from processor.send.blame import RetryPolicy
from processor.send.outlet import BatchLimits
from processor.send.replies import Reply
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    DELAYS,
    FORBIDDEN,
    LIMITS,
    LOST,
    MISSING,
    REFUSED,
    all_taken,
    answer,
    channel,
    deliveries,
    fates,
    gate_of,
    opened,
    played,
    reply_to,
    taken,
)

VIEWS = channel("views", batched=True)
EIGHT = BatchLimits(max_events=8, max_bytes=1000, max_wait=5.0)
ONE_TRY = RetryPolicy(DELAYS, max_attempts=1, stalemate=None)


def sizes(culprit: Delivery, found: list[Delivery], reply: Reply) -> list[int]:
    """How large the batches are until the culprit is alone; all without it are accepted."""
    of = opened(VIEWS, batch=BatchLimits(len(found), 10_000, 0.0))
    of.add(found, 0.0)
    tried = [0]
    while tried[-1] != 1:
        request = taken(of)
        if culprit in request.deliveries:
            tried.append(len(request.deliveries))
        reply_to(of, request, reply if culprit in request.deliveries else ACCEPTED)
    return tried[1:]


@pytest.mark.parametrize("reply", [REFUSED, FORBIDDEN, MISSING])
@pytest.mark.parametrize("size", [2, 3, 8, 100, 500])
def test_culprits_end_up_alone_within_log2_tries(size: int, reply: Reply) -> None:
    """A refused batch is never sent whole again: at most half its size, down to one, without a delay."""
    found = deliveries(VIEWS, *[None] * size)

    tried = sizes(found[size // 3], found, reply)

    assert tried[0] == size
    assert all(2 * after <= before for before, after in pairwise(tried))
    assert len(tried) <= size.bit_length()


def test_the_first_smaller_limit_is_a_power_of_two() -> None:
    """So that batches of one size ride together, and few queues serve all sizes."""
    of = opened(VIEWS, batch=BatchLimits(7, 1000, 0.0))
    found = deliveries(VIEWS, *[None] * 7)
    of.add(found, 0.0)
    answer(of, REFUSED)

    assert {delivery.ride for delivery in found} == {2}
    assert [len(request.deliveries) for request in all_taken(of)] == [2, 2, 2, 1]


def test_a_batch_s_refusal_is_nobody_s_attempt() -> None:
    """Only what is refused alone counts; the times of the first and the last try are noted all the same."""
    of = opened(VIEWS, batch=LIMITS)
    found = deliveries(VIEWS, "a", "b", "c")
    of.add(found, 1.0)
    answer(of, REFUSED, 1.0)

    assert {(each.attempts, each.first_attempt, each.last_attempt) for each in found} == {
        (0, 1_800_000_001.0, 1_800_000_001.0)
    }
    answer(of, REFUSED, 2.0)
    assert [each.attempts for each in found] == [1, 0, 0]


def test_only_the_culprit_is_buried_and_lanes_keep_their_order() -> None:
    """The others go through, each at its lane's head as ever."""
    of = opened(VIEWS, batch=EIGHT)
    found = deliveries(VIEWS, *"abababab")
    culprit = found[1]
    of.add(found, 0.0)
    results = [
        result for _, _, result in played(of, lambda r: REFUSED if culprit in r.deliveries else ACCEPTED, 5.0, 99.0)
    ]
    accepted = [delivery for result in results for delivery in result.accepted]

    assert [each.delivery for result in results for each in result.buried] == [culprit]
    assert len(accepted) == 7
    for lane in "ab":
        offsets = [delivery.record.offset for delivery in accepted if delivery.lane == lane]
        assert offsets == sorted(offsets)


def test_what_comes_later_rides_as_before() -> None:
    """Only those that were in the refused batch ride in smaller ones."""
    of = opened(VIEWS, batch=LIMITS)
    of.add(deliveries(VIEWS, "a", "b", "c"), 0.0)
    answer(of, REFUSED)
    of.add(deliveries(VIEWS, "d", "e", "f", first=3), 0.0)

    assert sorted(len(request.deliveries) for request in all_taken(of)) == [1, 1, 1, 3]


@pytest.mark.parametrize("reply", [REFUSED, FORBIDDEN, MISSING])
def test_an_answered_4xx_of_a_batch_says_nothing_of_the_path(reply: Reply) -> None:
    """One culprit in each is enough to have many refused; the gate stays open."""
    of = opened(VIEWS, batch=LIMITS)
    of.add(deliveries(VIEWS, *"abcdef"), 0.0)
    for request in all_taken(of):
        reply_to(of, request, reply)

    assert gate_of(of, VIEWS).state is State.ACCEPTING


@pytest.mark.parametrize("reply", [BROKEN, LOST])
def test_batches_refused_as_transient_close_the_gate(reply: Reply) -> None:
    """Two of them, with nothing in common and nothing accepted between, are an outage."""
    of = opened(VIEWS, batch=LIMITS)
    of.add(deliveries(VIEWS, *"abcdef"), 0.0)
    first, second = all_taken(of)
    reply_to(of, first, reply)
    assert gate_of(of, VIEWS).state is State.ACCEPTING
    reply_to(of, second, reply)

    assert gate_of(of, VIEWS).state is State.PROBING


def test_a_batch_that_was_refused_blames_nobody() -> None:
    """An acceptance behind it is no strike for any of its deliveries."""
    of = opened(VIEWS, batch=LIMITS, retry=ONE_TRY)
    of.add(deliveries(VIEWS, *"abc"), 0.0)
    answer(of, BROKEN)
    of.add(deliveries(VIEWS, "d", first=3), 0.0)

    assert fates(answer(of, ACCEPTED)).keys() == {"accepted"}


def test_the_mates_of_an_accepted_one_become_suspects() -> None:
    """Of a batch that was refused as transient somebody else was at fault: their own refusals count from now on."""
    of = opened(VIEWS, batch=LIMITS)
    found = deliveries(VIEWS, *"abc")
    of.add(found, 0.0)
    answer(of, BROKEN)
    answer(of, ACCEPTED)
    first = answer(of, BROKEN)
    assert (fates(first), first.delay) == ({}, 10.0)
    assert fates(answer(of, ACCEPTED)) == {"accepted": [found[2]]}

    assert fates(answer(of, BROKEN, 10.0)) == {}
    assert fates(answer(of, BROKEN, 40.0)) == {"buried": [found[1]]}


def test_a_4xx_makes_no_suspects() -> None:
    """Suspects are for transient refusals only."""
    of = opened(VIEWS, batch=LIMITS, retry=ONE_TRY)
    of.add(deliveries(VIEWS, *"abc"), 0.0)
    answer(of, FORBIDDEN)
    answer(of, ACCEPTED)

    assert fates(answer(of, BROKEN)) == {}


def test_nothing_is_kept_of_batches_that_went_through() -> None:
    """Histories end with their deliveries."""
    of = opened(VIEWS, batch=EIGHT)
    of.add(deliveries(VIEWS, *"abcdefgh"), 0.0)
    answer(of, BROKEN)
    for request in all_taken(of):
        reply_to(of, request, ACCEPTED)

    assert of._waiting.histories == {}
    assert (len(of._waiting.lanes), of.waiting, of.cooling) == (0, 0, 0)
