"""Whose fault a refusal is, for deliveries that are refused alone: refused between acceptances."""

import pytest

from processor.holds import State
from processor.records import ErrorClass
from processor.send.judge import Result
from processor.send.replies import Reply
from processor.send.scheduler import Scheduler
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    FORBIDDEN,
    LOST,
    MISSING,
    PATIENT,
    REFUSED,
    TOO_FAST,
    all_taken,
    another,
    answer,
    buried,
    channel,
    deliveries,
    fates,
    gate_of,
    one,
    opened,
    outlet_of,
    reply_to,
    sent,
    step,
    taken,
)

VIEW = channel("view")


def test_a_refusal_between_acceptances_is_a_strike_and_two_are_a_letter() -> None:
    """The retry after the first comes a second later; the letter tells the last refusal of the delivery."""
    of = opened(VIEW)
    [culprit] = deliveries(VIEW, "a")
    assert reply_to(of, sent(of, culprit), FORBIDDEN).delay == 10.0
    assert buried(another(of, VIEW, ACCEPTED, 1.0)) == []
    assert step(of, 1.0) == 2.0
    assert buried(answer(of, FORBIDDEN, 2.0)) == []

    result = another(of, VIEW, ACCEPTED, 3.0)

    assert [each.delivery for each in result.buried] == [culprit]
    failure = result.buried[0].failure
    assert (failure.error_class, failure.status, failure.response) == (ErrorClass.REFUSED, 403, "not you")
    assert failure.message == "the vendor refused it, and accepted others meanwhile: status 403"
    assert (of.cooling, of.waiting, of._waiting.histories) == (0, 0, {})


def test_a_buried_delivery_s_lane_goes_on() -> None:
    """What stands behind it goes out at once."""
    of = opened(VIEW)
    culprit, behind = deliveries(VIEW, "a", "a")
    of.add([culprit, behind], 0.0)
    answer(of, FORBIDDEN, 0.0)
    another(of, VIEW, ACCEPTED, 1.0)
    answer(of, FORBIDDEN, 2.0)
    another(of, VIEW, ACCEPTED, 3.0)

    assert taken(of, 3.0).deliveries == [behind]


def test_nothing_to_compare_with_means_waiting() -> None:
    """On a quiet topic the delivery is retried with its delays, for ever if need be; nothing holds."""
    of = opened(VIEW, retry=PATIENT)
    [delivery] = deliveries(VIEW, "a")
    of.add([delivery], 0.0)
    now = 0.0
    for delay in (10.0, 30.0, 60.0, 60.0, 60.0):
        result = answer(of, MISSING, now)
        assert (fates(result), result.delay) == ({}, delay)
        assert step(of, now) == now + delay
        now += delay

    assert gate_of(of, VIEW).state is State.ACCEPTING
    assert answer(of, ACCEPTED, now).accepted == [delivery]


def test_only_the_latest_refusal_is_pending() -> None:
    """Three refusals without an acceptance between are one strike."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)
    for now in (0.0, 10.0, 40.0):
        answer(of, FORBIDDEN, now)

    assert buried(another(of, VIEW, ACCEPTED, 41.0)) == []
    assert len(outlet_of(of, VIEW).comparison) == 0


def test_an_acceptance_that_was_sent_before_is_no_comparison() -> None:
    """The path may have broken in between."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a", "b"), 0.0)
    before, refused = all_taken(of)
    reply_to(of, refused, FORBIDDEN, 1.0)
    reply_to(of, before, ACCEPTED, 2.0)

    assert step(of, 2.0) == 11.0


def test_a_refusal_of_others_makes_the_gate_probe() -> None:
    """All pending refusals are forgotten: after the gate opened again, both begin anew."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)
    answer(of, FORBIDDEN, 0.0)
    another(of, VIEW, FORBIDDEN, 1.0)
    assert gate_of(of, VIEW).state is State.PROBING

    assert fates(answer(of, ACCEPTED, 1.0)).keys() == {"accepted"}
    assert buried(another(of, VIEW, ACCEPTED, 1.0)) == []
    assert len(outlet_of(of, VIEW).comparison) == 0


def test_refusals_of_one_delivery_do_not_close_the_gate() -> None:
    """One poison record cannot stop a healthy method."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)
    for now in (0.0, 10.0, 40.0, 100.0):
        answer(of, BROKEN, now)

    assert gate_of(of, VIEW).state is State.ACCEPTING


def test_strikes_of_different_classes_do_not_add_up() -> None:
    """A 403 and then a 404, each between acceptances, is not yet a case; a second 403 is."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)
    for now, reply in ((0.0, FORBIDDEN), (2.0, MISSING)):
        answer(of, reply, now)
        assert buried(another(of, VIEW, ACCEPTED, now + 1.0)) == []
    answer(of, FORBIDDEN, 4.0)

    assert buried(another(of, VIEW, ACCEPTED, 5.0)) == [(0, ErrorClass.REFUSED)]


@pytest.mark.parametrize("reply", [REFUSED, TOO_FAST])
def test_answers_that_do_not_count_are_passed_over(reply: Reply) -> None:
    """An invalid payload and a throttled answer say nothing of the path: the next acceptance still makes the strike."""
    of = opened(VIEW)
    [culprit] = deliveries(VIEW, "a")
    pending, passed_over, later = sent(of, culprit), sent(of, one(VIEW)), sent(of, one(VIEW))
    reply_to(of, pending, FORBIDDEN)
    reply_to(of, passed_over, reply)
    assert gate_of(of, VIEW).state is State.ACCEPTING
    reply_to(of, later, ACCEPTED, 2.0)

    assert outlet_of(of, VIEW).cooling[culprit] == 3.0


def test_an_invalid_payload_does_not_wait_for_others_comparison() -> None:
    """Its retry comes a second after the first refusal, whatever is pending on its path."""
    of = opened(VIEW)
    reply_to(of, sent(of, one(VIEW)), FORBIDDEN)
    invalid = one(VIEW)
    reply_to(of, sent(of, invalid, 1.0), REFUSED, 1.0)
    assert step(of, 1.0) == 2.0

    assert fates(answer(of, REFUSED, 2.0)) == {"buried": [invalid]}


def test_what_waits_for_its_turn_may_be_struck() -> None:
    """A strike that falls after the delay was over changes nothing of when it is sent again."""
    of = opened(VIEW, rate=1.0)
    of.add(deliveries(VIEW, "a"), 1.0)
    answer(of, FORBIDDEN, 1.0)
    [other] = deliveries(VIEW, "b", first=1)
    request = sent(of, other, 10.9)
    assert isinstance(step(of, 11.0), float)
    reply_to(of, request, ACCEPTED, 11.0)

    assert taken(of, 11.9).deliveries[0].lane == "a"


# A strike while the retry is under way.


def struck_under_way(reply: Reply) -> tuple[Scheduler, Result, Result]:
    """The second strike falls while the third try is in flight, which is then answered so; what came of both."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)
    answer(of, FORBIDDEN, 0.0)
    another(of, VIEW, ACCEPTED, 1.0)
    answer(of, FORBIDDEN, 2.0)
    retry = taken(of, 32.0)
    strike = another(of, VIEW, ACCEPTED, 32.5)
    return of, strike, reply_to(of, retry, reply, 33.0)


def test_a_strike_waits_for_the_answer_in_flight() -> None:
    """If that is accepted, nothing is blamed."""
    _, strike, answered = struck_under_way(ACCEPTED)

    assert [*strike.buried, *answered.buried] == []
    assert [delivery.lane for delivery in answered.accepted] == ["a"]


@pytest.mark.parametrize("reply", [FORBIDDEN, BROKEN, LOST])
def test_a_strike_is_carried_out_after_the_answer_in_flight(reply: Reply) -> None:
    """The letter tells the refusal that was struck, not what came last."""
    of, _, result = struck_under_way(reply)

    assert buried(result) == [(0, ErrorClass.REFUSED)]
    words = "the vendor refused it, and accepted others meanwhile: status 403"
    assert (result.buried[0].failure.status, result.buried[0].failure.message) == (403, words)
    assert of._waiting.histories == {}


def test_a_throttled_answer_lets_the_strike_wait_on() -> None:
    """It decides nothing; the next answer does."""
    of, _, throttled = struck_under_way(TOO_FAST)
    assert fates(throttled) == {}

    assert fates(answer(of, ACCEPTED, 34.0)).keys() == {"accepted"}
