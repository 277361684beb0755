"""What goes out while a gate probes."""

import pytest

from processor.holds import State
from processor.send.gate import PROBES, SUSPECTS_BUDGET
from processor.send.replies import Reply
from processor.send.scheduler import Scheduler
from tests.send.parts import (
    ACCEPTED,
    BROKEN,
    FORBIDDEN,
    LIMITS,
    LOST,
    MISSING,
    NO_CONNECTION,
    PATIENT,
    REFUSED,
    TOO_FAST,
    all_taken,
    another,
    answer,
    assignment,
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


def offset(of: Scheduler, reply: Reply, now: float) -> int:
    """Whom the next request carries; it is answered so."""
    request = taken(of, now)
    reply_to(of, request, reply, now)
    return request.deliveries[0].record.offset


def test_a_path_begins_with_one_request() -> None:
    """Until it is accepted nothing else goes out; then everything does."""
    of = scheduler()
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    first = taken(of)
    assert step(of, 1e6) is None

    reply_to(of, first, ACCEPTED)

    assert len(all_taken(of)) == 3


def test_a_probe_is_a_batch_of_one() -> None:
    """It does not wait for company, either."""
    of = scheduler(LIMITS)
    of.add(deliveries(VIEWS, *"aabbcc"), 0.0)

    assert [len(taken(of).deliveries), step(of, 1e6)] == [1, None]


def test_paths_probe_by_themselves() -> None:
    """One method that is down does not stop its sister."""
    of = scheduler()
    of.add([*deliveries(VIEW, *"abc"), *deliveries(ORDER, *"de", first=10)], 0.0)
    view, order = all_taken(of)
    reply_to(of, view, BROKEN)
    reply_to(of, order, ACCEPTED)

    assert [request.channel for request in all_taken(of)] == [ORDER]
    assert (gate_of(of, VIEW).state, gate_of(of, ORDER).state) == (State.HOLDING, State.ACCEPTING)


def test_the_first_probe_waits_for_what_is_in_flight() -> None:
    """Only when nothing of the path is out any more, one is asked."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    first, second, late = all_taken(of)[:3]
    fourth = next(iter(request for request in of.outlets[0].out if request not in {first, second, late}))
    reply_to(of, first, BROKEN)
    reply_to(of, second, BROKEN)
    reply_to(of, late, BROKEN)
    assert step(of, 1.0) == 10.0
    reply_to(of, fourth, BROKEN, 2.0)

    assert len(all_taken(of, 2.0)) == 1


def test_of_the_answers_that_still_come_refusals_blame_nobody() -> None:
    """What was sent before the gate closed is no strike, no invalid payload and no step of the probing."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    first, second, *late = all_taken(of)
    reply_to(of, first, MISSING)
    reply_to(of, second, MISSING)
    for request in late:
        assert fates(reply_to(of, request, REFUSED)) == {}
    histories = [of._waiting.histories[request.deliveries[0]] for request in late]

    assert [history.invalid for history in histories] == [0, 0]
    assert gate_of(of, VIEW).state is State.PROBING


def test_who_was_refused_while_the_gate_closed_was_not_probed_yet() -> None:
    """All of them are asked in this probing before the gate holds."""
    of = opened(VIEW, retry=PATIENT)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    for request in all_taken(of):
        reply_to(of, request, MISSING)

    assert [offset(of, MISSING, 0.0) for _ in "abcd"] == [0, 1, 2, 3]
    assert gate_of(of, VIEW).state is State.HOLDING


def test_a_refusal_from_before_the_trouble_does_not_count_after_it() -> None:
    """The gate was another one when that request was sent."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abcd"), 0.0)
    first, second, third, late = all_taken(of)
    for request, reply in ((first, BROKEN), (second, BROKEN), (third, ACCEPTED), (late, BROKEN)):
        reply_to(of, request, reply)

    assert gate_of(of, VIEW).state is State.ACCEPTING
    assert len(of.outlets[0].comparison) == 0


def test_of_the_answers_that_still_come_an_acceptance_opens_the_gate() -> None:
    """It shows that the path works, whenever it was sent."""
    of = opened(VIEW)
    of.add(deliveries(VIEW, *"abc"), 0.0)
    first, second, late = all_taken(of)
    reply_to(of, first, BROKEN)
    reply_to(of, second, BROKEN)
    reply_to(of, late, ACCEPTED)

    assert gate_of(of, VIEW).state is State.ACCEPTING


def test_the_head_refused_least_often_is_probed_first() -> None:
    """Among equals the oldest, and where there is only one, that one again; nobody's own delay counts."""
    of = opened(VIEW, retry=PATIENT)
    of.add(deliveries(VIEW, "a"), 0.0)
    for now in (0.0, 10.0):
        answer(of, MISSING, now)
    another(of, VIEW, MISSING, 11.0)
    of.add(deliveries(VIEW, "b", first=5), 11.0)

    assert [offset(of, MISSING, 11.0) for _ in "abc"] == [5, 1000, 0]


def test_where_there_is_only_one_head_it_is_probed_again() -> None:
    """Once per hold."""
    of = scheduler(retry=PATIENT)
    of.add(deliveries(VIEW, "a"), 0.0)

    found = played(of, lambda _: BROKEN, 0.0, 200.0)

    assert [now for now, _, _ in found] == [0.0, 10.0, 40.0, 100.0, 160.0]


@pytest.mark.parametrize("reply", [BROKEN, LOST, NO_CONNECTION])
def test_no_answer_and_5xx_hold_at_once(reply: Reply) -> None:
    """The same would happen to any other head."""
    of = scheduler()
    of.add(deliveries(VIEW, *"abc"), 0.0)
    answer(of, reply)

    assert gate_of(of, VIEW).state is State.HOLDING
    assert step(of, 0.0) == step(of, 9.9) == 10.0


def test_after_an_answered_4xx_up_to_ten_heads_are_probed() -> None:
    """A few poison records must not pass for an outage; then the gate holds."""
    of = scheduler(retry=PATIENT)
    of.add(deliveries(VIEW, *map(str, range(50))), 0.0)

    assert [offset(of, FORBIDDEN, 0.0) for _ in range(PROBES)] == list(range(PROBES))
    assert gate_of(of, VIEW).state is State.HOLDING


def test_ten_poison_records_do_not_stop_a_path_for_ever() -> None:
    """The next probing asks others."""
    of = scheduler(retry=PATIENT)
    found = deliveries(VIEW, *map(str, range(25)))
    poison = set(found[:20])
    of.add(found, 0.0)

    results = played(of, lambda request: FORBIDDEN if request.deliveries[0] in poison else ACCEPTED, 0.0, 100.0)

    assert [each for _, _, result in results for each in result.accepted] == found[20:]


def test_when_all_heads_were_refused_the_gate_holds() -> None:
    """There is nobody else to ask, be it less than ten."""
    of = scheduler(retry=PATIENT)
    of.add(deliveries(VIEW, *"abc"), 0.0)
    for _ in "abc":
        answer(of, FORBIDDEN)

    assert step(of, 0.0) == 10.0
    assert gate_of(of, VIEW).state is State.HOLDING


def test_a_throttled_probe_is_repeated() -> None:
    """After `not_before`, the same one, and it is no step towards holding."""
    of = scheduler()
    of.add(deliveries(VIEW, *"ab"), 0.0)
    answer(of, TOO_FAST)
    assert gate_of(of, VIEW).state is State.PROBING
    assert step(of, 0.0) == 1.0

    assert offset(of, ACCEPTED, 1.0) == 0


# Suspects in probing.


def suspects(*lanes: str) -> Scheduler:
    """These were each refused between acceptances at 0; then two others closed the gate and left."""
    of = opened(VIEW, retry=PATIENT)
    of.add(deliveries(VIEW, *lanes), 0.0)
    for request in all_taken(of):
        reply_to(of, request, BROKEN)
        another(of, VIEW, ACCEPTED, 0.0)
    leaving = assignment(7)
    of.add(deliveries(VIEW, None, None, of=leaving, first=500), 0.0)
    for request in all_taken(of):
        reply_to(of, request, BROKEN)
    leaving.live = False
    of.drop(frozenset({leaving}))
    assert gate_of(of, VIEW).state is State.PROBING
    return of


def test_where_only_suspects_wait_they_are_sent_after_their_delays() -> None:
    """One at a time; these refusals count, and the gate never holds for them."""
    of = suspects("a", "b")
    assert step(of, 0.0) == 10.0
    first = taken(of, 10.0)
    assert step(of, 11.0) is None
    reply_to(of, first, BROKEN, 12.0)
    reply_to(of, taken(of, 12.0), BROKEN, 13.0)
    assert gate_of(of, VIEW).state is State.PROBING
    assert step(of, 13.0) == 42.0

    assert fates(answer(of, BROKEN, 42.0)).keys() == {"buried"}
    assert fates(answer(of, BROKEN, 43.0)).keys() == {"buried"}


def test_others_are_probed_before_suspects() -> None:
    """Among those refused equally often, a suspect comes last, and not before its delay is over."""
    of = suspects("a", "b")
    of.add(deliveries(VIEW, "c", first=9), 0.0)

    assert offset(of, MISSING, 0.0) == 9
    assert isinstance(step(of, 0.0), float)
    assert gate_of(of, VIEW).state is State.HOLDING


def test_a_suspect_that_is_accepted_opens_the_gate() -> None:
    """Whoever is accepted shows that the path works."""
    of = suspects("a")
    answer(of, ACCEPTED, 10.0)

    assert gate_of(of, VIEW).state is State.ACCEPTING


def test_beyond_their_budget_suspects_are_probed_like_all() -> None:
    """Their refusals are the path's, which holds at once, whatever their delays say."""
    of = suspects("a", "b")
    for _ in range(SUSPECTS_BUDGET):
        gate_of(of, VIEW).blame_suspect()

    assert fates(answer(of, BROKEN, 0.0)) == {}
    assert gate_of(of, VIEW).state is State.HOLDING
