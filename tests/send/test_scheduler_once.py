"""Calls that may reach a shopper."""

import pytest

from processor.holds import State
from processor.records import ErrorClass
from processor.send.dispatch import ONCE_PATIENCE
from processor.send.replies import Answered, NotSent, Reply
from processor.send.scheduler import Scheduler
from tests.send.parts import (
    ACCEPTED,
    BAD_KEY,
    BROKEN,
    FORBIDDEN,
    LIMITS,
    LOST,
    MISSING,
    PATIENT,
    TOO_FAST,
    another,
    answer,
    channel,
    deliveries,
    fates,
    gate_of,
    one,
    opened,
    outlet_of,
    played,
    reply_to,
    sent,
    step,
    taken,
)

WELCOME = channel("welcome_sequence", once=True)
FAREWELL = channel("farewell_sequence", once=True)
VIEW = channel("view")


def holding(reply: Reply = BROKEN, *, view: bool = True) -> Scheduler:
    """Both paths were open at 0; at 1 the vendor refused everything, and both hold, the views from 1.0 on."""
    of = opened(WELCOME, VIEW, retry=PATIENT)
    if view:
        of.add(deliveries(VIEW, *"abc"), 1.0)
        played(of, lambda _: reply, 1.0, 1.1)
        assert gate_of(of, VIEW).until == 11.0
    of.add(deliveries(WELCOME, *"uvwxyz", first=10), 1.0)
    for _ in range(3):
        answer(of, BROKEN, 1.0)
    assert gate_of(of, WELCOME).until == 11.0
    return of


@pytest.mark.parametrize("reply", [LOST, BROKEN, Answered(503, "")])
def test_what_may_have_reached_a_shopper_is_buried(reply: Reply) -> None:
    """Nobody is welcomed twice: it is buried at once, counts as tried, and its lane goes on."""
    of = opened(WELCOME)
    first, second = deliveries(WELCOME, "a", "a")
    of.add([first, second], 0.0)

    result = answer(of, reply)

    assert fates(result) == {"buried": [first]}
    assert result.buried[0].failure.error_class is ErrorClass.UNKNOWN_OUTCOME
    assert first.attempts == 1
    assert taken(of).deliveries == [second]


@pytest.mark.parametrize("reply", [NotSent("refused"), Answered(302, ""), MISSING, FORBIDDEN, Answered(408, "")])
def test_what_was_not_done_is_sent_again(reply: Reply) -> None:
    """An outage that lets nothing through loses nothing."""
    of = opened(WELCOME)
    of.add(deliveries(WELCOME, "a"), 0.0)

    result = answer(of, reply)

    assert (fates(result), result.delay) == ({}, 10.0)
    assert step(of, 0.0) == 10.0
    assert len(taken(of, 10.0).deliveries) == 1


@pytest.mark.parametrize(("reply", "due"), [(TOO_FAST, 1.0), (BAD_KEY, 10.0)])
def test_throttled_and_without_the_key_nothing_was_done(reply: Reply, due: float) -> None:
    """It is the front again."""
    of = opened(WELCOME)
    of.add(deliveries(WELCOME, "a"), 0.0)

    assert fates(answer(of, reply)) == {}
    assert step(of, 0.0) == due
    assert len(taken(of, due).deliveries) == 1


def test_what_is_sent_once_goes_alone() -> None:
    """Where the account sends batches, such a delivery is still a call of its own, without a wait."""
    of = opened(WELCOME, batch=LIMITS)
    of.add(deliveries(WELCOME, None, None), 0.0)

    assert [len(taken(of).deliveries), len(taken(of).deliveries)] == [1, 1]


def test_what_was_buried_is_evidence() -> None:
    """Two time-outs of different deliveries close the gate, so that an outage costs few shoppers their welcome."""
    of = opened(WELCOME)
    of.add(deliveries(WELCOME, *"abc"), 0.0)
    for _ in "ab":
        answer(of, LOST)

    assert gate_of(of, WELCOME).state is State.PROBING
    assert len(outlet_of(of, WELCOME).comparison) == 0


def test_an_acceptance_after_a_burial_blames_nobody_twice() -> None:
    """What is done with cannot be struck."""
    of = opened(WELCOME)
    of.add(deliveries(WELCOME, *"ab"), 0.0)
    answer(of, LOST)

    assert fates(answer(of, ACCEPTED)).keys() == {"accepted"}


# Its hold.


def test_it_is_not_risked_while_another_path_can_tell() -> None:
    """The views probe at the end of their hold; the welcomes wait until one is accepted, and then go at once."""
    of = holding()
    view = taken(of, 11.0)
    assert view.channel is VIEW
    assert step(of, 12.0) == 1.0 + ONCE_PATIENCE
    reply_to(of, view, ACCEPTED, 12.0)

    assert {taken(of, 12.0).channel for _ in range(2)} == {VIEW, WELCOME}
    assert gate_of(of, WELCOME).state is State.PROBING


def test_while_others_are_refused_it_waits() -> None:
    """Hold by hold the views ask; no welcome is spent on an outage."""
    of = holding()
    for now in (11.0, 41.0, 101.0):
        request = taken(of, now)
        assert request.channel is VIEW
        reply_to(of, request, BROKEN, now)


def test_its_own_hold_ends_after_the_delay_where_others_work() -> None:
    """A sister that accepted something since the hold began shows that the vendor is there; its own path may not be."""
    of = holding(view=False)
    another(of, VIEW, ACCEPTED, 2.0)

    assert step(of, 2.0) == 11.0
    assert taken(of, 11.0).channel is WELCOME


def test_where_no_other_path_has_anything_to_send_one_per_delay_is_the_probe() -> None:
    """Somebody has to ask: one delivery for each delay."""
    of = holding(view=False)
    for now in (11.0, 41.0, 101.0):
        assert step(of, now - 0.1) == now
        assert fates(answer(of, LOST, now)).keys() == {"buried"}


def test_a_path_that_answers_only_refusals_cannot_tell() -> None:
    """A sister that holds because all is forbidden there may never accept again."""
    of = holding(MISSING)

    found = {taken(of, 11.0).channel.label for _ in range(2)}

    assert found == {"view", "welcome_sequence"}


def test_two_such_paths_do_not_wait_for_each_other() -> None:
    """Neither would ever be risked."""
    of = opened(WELCOME, FAREWELL)
    for path, lanes in ((WELCOME, "abcde"), (FAREWELL, "vwxyz")):
        of.add(deliveries(path, *lanes), 1.0)
        for _ in range(3):
            answer(of, BROKEN, 1.0)

    assert {taken(of, 11.0).channel, taken(of, 11.0).channel} == {WELCOME, FAREWELL}


def test_patience_has_an_end() -> None:
    """A sister with nothing but a record that always times out never tells; after an hour one is risked."""
    of = opened(WELCOME, VIEW, retry=PATIENT)
    poison = sent(of, one(VIEW, "a"), 1.0)
    of.add(deliveries(WELCOME, *"uvwxyz", first=10), 1.0)
    for _ in range(3):
        answer(of, BROKEN, 1.0)

    assert step(of, 100.0) == 1.0 + ONCE_PATIENCE
    assert taken(of, 1.0 + ONCE_PATIENCE).channel is WELCOME
    assert fates(reply_to(of, poison, LOST, 2.0 + ONCE_PATIENCE)) == {}


def test_a_newcomer_is_not_risked_in_a_hold() -> None:
    """Only an acceptance of another path, or the delay, lets one out."""
    of = opened(WELCOME, retry=PATIENT)
    of.add(deliveries(WELCOME, *"abc"), 1.0)
    for _ in "abc":
        answer(of, BROKEN, 1.0)
    of.add(deliveries(WELCOME, "d", first=9), 2.0)

    assert step(of, 2.0) == 11.0


def test_the_key_s_probe_is_another_call_where_there_is_one() -> None:
    """What may reach a shopper asks for the key only where nothing else waits."""
    of = opened(WELCOME, VIEW)
    of.add([*deliveries(WELCOME, "a"), *deliveries(VIEW, "b", first=1)], 0.0)
    requests = [taken(of), taken(of)]
    for request in requests:
        reply_to(of, request, BAD_KEY)

    assert taken(of, 10.0).channel is VIEW


def test_alone_it_is_the_key_s_probe() -> None:
    """A 401 means that nothing was done."""
    of = opened(WELCOME, VIEW)
    of.add(deliveries(WELCOME, "a"), 0.0)
    answer(of, BAD_KEY)

    assert taken(of, 10.0).channel is WELCOME
