"""Whose fault a refusal is, for deliveries that are refused alone: suspects, invalid payloads, stalemate."""

from itertools import pairwise

import pytest

from processor.holds import State
from processor.records import ErrorClass
from processor.send.gate import INVALID_BUDGET, PROBES, SUSPECTS_BUDGET
from processor.send.replies import Reply
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    FORBIDDEN,
    LOST,
    MISSING,
    NO_CONNECTION,
    PATIENT,
    PERSISTENT,
    REFUSED,
    all_taken,
    another,
    answer,
    buried,
    channel,
    deliveries,
    fates,
    gate_of,
    opened,
    outlet_of,
    played,
    reply_to,
    scheduler,
    sent,
    step,
)

VIEW = channel("view")


# Suspects.


def test_a_suspect_is_exhausted_after_max_attempts() -> None:
    """The first is a strike; then its own refusals count, with its delays, whatever others do."""
    of = opened(VIEW, retry=PERSISTENT)
    of.add(deliveries(VIEW, "a"), 0.0)
    answer(of, BROKEN, 0.0)
    another(of, VIEW, ACCEPTED, 1.0)
    assert step(of, 1.0) == 11.0
    now = 11.0
    for delay in (30.0, 60.0, 60.0, 60.0, 60.0, 60.0):
        result = answer(of, BROKEN, now)
        assert (fates(result), result.delay) == ({}, delay)
        now += delay

    result = answer(of, BROKEN, now)

    assert buried(result) == [(0, ErrorClass.EXHAUSTED)]
    words = "the vendor failed at it, and accepted others meanwhile: status 500"
    assert result.buried[0].failure.message == words


def test_a_suspect_s_refusals_do_not_count_for_the_gate() -> None:
    """A refusal of another delivery is compared with nothing."""
    of = opened(VIEW, retry=PERSISTENT)
    of.add(deliveries(VIEW, "a"), 0.0)
    answer(of, BROKEN, 0.0)
    another(of, VIEW, ACCEPTED, 1.0)
    answer(of, BROKEN, 11.0)
    another(of, VIEW, BROKEN, 12.0)

    assert gate_of(of, VIEW).state is State.ACCEPTING


def test_beyond_the_budget_suspects_count_for_the_gate() -> None:
    """An outage that meets only suspects closes the gate, and blames none of them."""
    of = opened(VIEW, retry=PERSISTENT)
    of.add(deliveries(VIEW, "a", "b"), 0.0)
    for first in all_taken(of):
        reply_to(of, first, BROKEN, 0.0)
        another(of, VIEW, ACCEPTED, 0.0)
    for _ in range(SUSPECTS_BUDGET):
        gate_of(of, VIEW).blame_suspect()

    assert [fates(answer(of, LOST, 10.0)) for _ in "ab"] == [{}, {}]
    assert gate_of(of, VIEW).state is State.PROBING


def test_beyond_the_budget_an_acceptance_blames_no_suspect() -> None:
    """What it was refused for then is neither a strike nor counted."""
    of = opened(VIEW, retry=PERSISTENT)
    [suspect] = deliveries(VIEW, "a")
    reply_to(of, sent(of, suspect), BROKEN)
    another(of, VIEW, ACCEPTED, 1.0)
    answer(of, BROKEN, 11.0)
    for _ in range(SUSPECTS_BUDGET):
        gate_of(of, VIEW).blame_suspect()
    answer(of, BROKEN, 41.0)
    another(of, VIEW, ACCEPTED, 42.0)

    assert of._waiting.histories[suspect].transient == 2
    assert outlet_of(of, VIEW).cooling[suspect] == 101.0


# Invalid payloads.


def test_invalid_is_buried_at_its_second_refusal() -> None:
    """The retry comes a second after the first; nobody else is needed to tell."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)

    first = answer(of, REFUSED, 0.0)
    assert (fates(first), first.delay) == ({}, 1.0)
    second = answer(of, REFUSED, 1.0)

    assert buried(second) == [(0, ErrorClass.INVALID)]
    assert second.buried[0].failure.message == "the vendor refused it: status 400"


def test_before_the_first_acceptance_invalid_blames_nobody() -> None:
    """A wrong mapping that every call is refused for holds, instead of emptying the topic into the dead letters."""
    of = scheduler(retry=PATIENT)
    of.add(deliveries(VIEW, *"abc"), 0.0)

    assert not any(result.buried for _, _, result in played(of, lambda _: REFUSED, 0.0, 3600.0))
    assert gate_of(of, VIEW).state is State.HOLDING


def test_a_vendor_that_calls_everything_invalid_costs_fifty_letters() -> None:
    """Then its refusals count for the gate, which closes and holds."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *map(str, range(100))), 0.0)
    letters = [each for _, _, result in played(of, lambda _: REFUSED, 0.0, 200.0) for each in result.buried]

    assert len(letters) == INVALID_BUDGET
    assert gate_of(of, VIEW).state is State.HOLDING


def test_invalid_counts_while_the_gate_probes() -> None:
    """The path accepted others before: a payload is its own fault also then, and a step of the probing."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", "b"), 0.0)
    for request in all_taken(of):
        reply_to(of, request, MISSING)
    [poison] = deliveries(VIEW, "c", first=2)
    assert reply_to(of, sent(of, poison), REFUSED).delay == 1.0
    for _ in "ab":
        assert fates(answer(of, MISSING)) == {}
    step(of, 0.0)
    assert gate_of(of, VIEW).until == 10.0

    assert fates(answer(of, REFUSED, 10.0)) == {"buried": [poison]}


def test_probes_that_are_called_invalid_are_steps_towards_holding() -> None:
    """Ten heads in a row that are refused are enough, as for any answered 4xx."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", "b"), 0.0)
    for request in all_taken(of):
        reply_to(of, request, MISSING)
    of.add(deliveries(VIEW, *map(str, range(20)), first=10), 0.0)
    for _ in range(PROBES):
        assert gate_of(of, VIEW).state is State.PROBING
        answer(of, REFUSED)

    assert gate_of(of, VIEW).until == 10.0


# Stalemate.


def test_a_lone_poison_record_is_given_up_in_the_end() -> None:
    """Five minutes or more after its first answered refusal, with nothing to compare it with."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 5.0)
    now, _, result = played(of, lambda _: FORBIDDEN, 5.0, 3600.0)[-1]

    assert (now, buried(result)) == (345.0, [(0, ErrorClass.REFUSED)])
    words = "the vendor refused it for all of retry.stalemate, and accepted nothing to compare it with: status 403"
    assert result.buried[0].failure.message == words


def test_an_acceptance_of_others_puts_off_the_stalemate() -> None:
    """A strike begins the time anew: now there is something to compare it with."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)
    for now in (0.0, 10.0, 40.0, 100.0, 160.0, 220.0, 280.0):
        answer(of, FORBIDDEN, now)
    another(of, VIEW, ACCEPTED, 290.0)

    assert [fates(answer(of, FORBIDDEN, now)) for now in (291.0, 351.0, 411.0)] == [{}, {}, {}]


@pytest.mark.parametrize("reply", [LOST, NO_CONNECTION])
def test_an_outage_is_no_stalemate(reply: Reply) -> None:
    """Connect failures and time-outs never count, however long they last."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)

    assert not any(result.buried for _, _, result in played(of, lambda _: reply, 0.0, 3600.0))


def test_one_stalemate_for_each_time() -> None:
    """Lanes headed by nothing but poison move again, one record per five minutes."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    letters = [now for now, _, result in played(of, lambda _: FORBIDDEN, 0.0, 3600.0) if result.buried]

    assert len(letters) == 4
    assert letters[0] >= 300.0
    assert all(after - before >= 300.0 for before, after in pairwise(letters))
