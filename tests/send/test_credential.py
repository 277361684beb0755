"""A refused key holds every path; the hold itself, and what the scheduler makes of it."""

import pytest

from processor.holds import Change, Reason, State
from processor.records import Request
from processor.send.credential import CredentialHold
from processor.send.replies import Reply
from tests.send.parts import (
    ACCEPTED,
    BAD_KEY,
    BROKEN,
    DELAYS,
    FORBIDDEN,
    LOST,
    PATIENT,
    REFUSED,
    TOO_FAST,
    all_taken,
    answer,
    assignment,
    channel,
    deliveries,
    fates,
    gate_of,
    opened,
    reply_to,
    scheduler,
    step,
    taken,
)

VIEW = channel("view")
ORDER = channel("order")


def sent(number: int) -> Request:
    """The request that was sent as the n-th."""
    return Request(VIEW, (), b"", number)


# The hold itself.


def test_the_first_401_begins_a_hold() -> None:
    """It is told with its length; others that come meanwhile change nothing."""
    journal: list[Change] = []
    hold = CredentialHold(DELAYS, journal)
    assert (hold.until, hold.words) == (None, "")

    assert hold.refused(sent(1), BAD_KEY, 5.0, 1.2)
    assert not hold.refused(sent(2), BAD_KEY, 6.0, 1.0)

    assert (hold.until, hold.since, hold.words) == (17.0, 5.0, "the key is refused: status 401")
    assert journal == [Change("", State.HOLDING, Reason.CREDENTIAL, "status 401", 12.0)]


def test_each_refused_probe_makes_the_hold_longer() -> None:
    """Until another answer ends it; the next hold begins anew."""
    hold = CredentialHold(DELAYS, [])
    hold.refused(sent(1), BAD_KEY, 0.0, 1.0)
    ends = [hold.until]
    for number in (2, 3, 4):
        hold.probe = sent(number)
        assert hold.refused(hold.probe, BAD_KEY, 0.0, 1.0)
        ends.append(hold.until)
    assert ends == [10.0, 30.0, 60.0, 60.0]
    hold.probe = sent(5)
    assert hold.answered(hold.probe, 1.0)

    hold.refused(sent(6), BAD_KEY, 100.0, 1.0)
    assert (hold.until, hold.since) == (110.0, 100.0)


def test_only_the_probe_ends_the_hold() -> None:
    """What was in flight when it began says nothing about the key of now; the end is told."""
    journal: list[Change] = []
    hold = CredentialHold(DELAYS, journal)
    hold.refused(sent(1), BAD_KEY, 0.0, 1.0)
    hold.probe = sent(3)

    assert not hold.answered(sent(2), 5.0)
    assert hold.until == 10.0
    assert hold.answered(hold.probe, 12.0)
    assert [hold.until, hold.probe] == [None, None]
    assert journal[-1] == Change("", State.ACCEPTING, Reason.CREDENTIAL, "the key is accepted again", 12.0)


def test_a_throttled_probe_is_repeated() -> None:
    """It told nothing about the key; another's throttled answer is not the probe's."""
    hold = CredentialHold(DELAYS, [])
    hold.refused(sent(1), BAD_KEY, 0.0, 1.0)
    probe = hold.probe = sent(2)
    hold.throttled(sent(3))
    assert hold.probe is probe

    hold.throttled(probe)
    assert [hold.probe, hold.until] == [None, 10.0]


def test_a_401_to_what_was_sent_before_the_key_was_accepted_is_old() -> None:
    """It speaks of the key before; one that was sent later speaks of this one."""
    hold = CredentialHold(DELAYS, [])
    hold.refused(sent(1), BAD_KEY, 0.0, 1.0)
    hold.probe = sent(5)
    hold.answered(hold.probe, 11.0)

    assert not hold.refused(sent(4), BAD_KEY, 12.0, 1.0)
    assert hold.until is None
    assert hold.refused(sent(6), BAD_KEY, 13.0, 1.0)


# In the scheduler.


def test_a_401_holds_every_path_at_once() -> None:
    """One probe for all after the delay, with secrets read again before it."""
    of = opened(VIEW, ORDER)
    of.add([*deliveries(VIEW, *"ab"), *deliveries(ORDER, "c", first=5)], 0.0)
    answer(of, BAD_KEY)
    of.add(deliveries(ORDER, "d", first=6), 1.0)
    late = step(of, 1.0)
    assert late == 10.0

    probe = taken(of, 10.0)

    assert probe.renew
    assert step(of, 1e6) is None


def test_only_the_key_s_probe_reads_secrets() -> None:
    """Requests before and after do not."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abc"), 0.0)
    first = taken(of)
    reply_to(of, first, BAD_KEY)
    answer(of, ACCEPTED, 10.0)

    assert [request.renew for request in (first, *all_taken(of, 10.0))] == [False, False, False]


def test_a_401_is_nobody_s_attempt() -> None:
    """Deliveries go back to the front of their lanes, as if they had not been sent; none is ever blamed."""
    of = scheduler()
    [delivery, behind] = deliveries(VIEW, "a", "a")
    of.add([delivery, behind], 0.0)
    now = 0.0
    for delay in (10.0, 30.0, 60.0, 60.0, 3600.0):
        assert fates(answer(of, BAD_KEY, now)) == {}
        now += delay

    assert delivery.attempts == 0
    assert answer(of, ACCEPTED, now).accepted == [delivery]


def test_an_accepted_probe_opens_its_own_path_and_lets_the_others_probe() -> None:
    """Whether those work nobody knows yet."""
    of = opened(VIEW, ORDER)
    of.add([*deliveries(VIEW, *"abc"), *deliveries(ORDER, *"def", first=5)], 0.0)
    answer(of, BAD_KEY)
    probe = taken(of, 10.0)
    reply_to(of, probe, ACCEPTED, 10.0)
    other = VIEW if probe.channel is ORDER else ORDER

    assert gate_of(of, probe.channel).state is State.ACCEPTING
    assert gate_of(of, other).state is State.PROBING
    assert len([request for request in all_taken(of, 10.0) if request.channel is other]) == 1


@pytest.mark.parametrize(
    ("reply", "state"), [(BROKEN, State.HOLDING), (LOST, State.HOLDING), (FORBIDDEN, State.PROBING)]
)
def test_any_answer_but_401_ends_the_hold(reply: Reply, state: State) -> None:
    """The probed path takes that answer as its own."""
    of = opened(VIEW, ORDER)
    of.add(deliveries(VIEW, "a", "b"), 0.0)
    answer(of, BAD_KEY)
    reply_to(of, taken(of, 10.0), reply, 10.0)

    assert of.credential.until is None
    assert gate_of(of, VIEW).state is state


def test_a_throttled_probe_asks_again_for_the_key() -> None:
    """After `not_before`; the hold is neither over nor longer."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, "a"), 0.0)
    answer(of, BAD_KEY)
    answer(of, TOO_FAST, 10.0)
    assert step(of, 10.0) == 11.0

    assert taken(of, 11.0).renew


def test_answers_that_were_in_flight_do_not_end_the_hold() -> None:
    """An acceptance with the old key settles its delivery, and no more."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abc"), 0.0)
    first, second, third = all_taken(of)
    reply_to(of, first, BAD_KEY)
    assert fates(reply_to(of, second, ACCEPTED, 1.0)).keys() == {"accepted"}
    assert fates(reply_to(of, third, BAD_KEY, 2.0)) == {}
    assert step(of, 2.0) == 10.0

    reply_to(of, taken(of, 10.0), BAD_KEY, 10.0)
    assert of.credential.until == 40.0


def test_the_probe_waits_for_what_is_in_flight_of_its_path() -> None:
    """Its answer shall be about the path as it is now."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"ab"), 0.0)
    first, second = all_taken(of)
    reply_to(of, first, BAD_KEY)
    assert step(of, 10.0) is None
    reply_to(of, second, LOST, 12.0)

    assert taken(of, 12.0).renew


def test_there_is_a_probe_although_the_refused_one_has_left() -> None:
    """Where its partition left, the others ask, whatever they were answered meanwhile."""
    of = opened(VIEW)
    leaving = assignment(1)
    [gone], [left] = deliveries(VIEW, "a", of=leaving), deliveries(VIEW, "b")
    of.add([gone, left], 0.0)
    first, second = all_taken(of)
    leaving.live = False
    assert fates(reply_to(of, first, BAD_KEY)) == {"stale": [gone]}
    reply_to(of, second, FORBIDDEN)

    assert taken(of, 10.0).deliveries == [left]


def test_a_probe_that_was_under_way_does_not_leave_the_hold_without_one() -> None:
    """A path that was probing when the key was refused at another one may ask again for the key."""
    of = opened(ORDER)
    leaving = assignment(1)
    [left], [gone] = deliveries(VIEW, "a"), deliveries(ORDER, "b", of=leaving)
    of.add([left], 0.0)
    probing = taken(of)
    of.add([gone], 0.0)
    refused = taken(of)
    leaving.live = False
    reply_to(of, refused, BAD_KEY)
    reply_to(of, probing, FORBIDDEN, 1.0)

    assert taken(of, 10.0).deliveries == [left]


def test_a_path_that_reopened_by_an_old_answer_is_asked_for_the_key_one_by_one() -> None:
    """The acceptance that was in flight opens the gate, but the key's probe is still one for all."""
    of = opened(VIEW, retry=PATIENT)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    first, second, *rest = all_taken(of)
    reply_to(of, first, BAD_KEY)
    for request in rest:
        reply_to(of, request, REFUSED)
    reply_to(of, second, ACCEPTED, 1.0)
    assert gate_of(of, VIEW).state is State.ACCEPTING

    assert [request.renew for request in all_taken(of, 10.0)] == [True]
    assert gate_of(of, VIEW).state is State.PROBING


def test_when_the_key_is_accepted_all_others_probe() -> None:
    """Also a path that an old answer had opened meanwhile."""
    of = opened(VIEW, ORDER)
    of.add([*deliveries(VIEW, "a"), *deliveries(ORDER, "b", first=5)], 0.0)
    requests = {request.channel: request for request in all_taken(of)}
    reply_to(of, requests[VIEW], BAD_KEY)
    reply_to(of, requests[ORDER], ACCEPTED, 1.0)
    before = gate_of(of, ORDER).state
    answer(of, ACCEPTED, 10.0)

    assert [before, gate_of(of, ORDER).state] == [State.ACCEPTING, State.PROBING]
