"""The books convict what breaks the promise, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import pytest

from tests.chaos.arena import MAX_ATTEMPTS
from tests.chaos.books import Books, Letter
from tests.chaos.commits import Commit
from tests.chaos.faults import Fault, Place
from tests.reliability.vendor import Call, Sent

LANE = "a"
WRITTEN = [(number, Place(0, number - 1, appended=100 + number)) for number in (1, 2, 3)]
"""Three events of one visitor at offsets 0, 1 and 2."""


def call(number: int, at: float, agent: str = "one", *, status: int = 200, read: bool = True) -> Call:
    """One request with one event, answered at once."""
    return Call(at, at, "/carts", "", [Sent(LANE, number, 0)], agent, status, answered=at if read else None)


def books(
    calls: Sequence[Call],
    commits: Sequence[Commit] = (),
    faults: Sequence[Fault] = (),
    letters: Sequence[Letter] = (),
) -> Books:
    """What was written down of three events."""
    return Books(WRITTEN, calls, letters, commits, faults)


GOOD = [call(1, 201), call(2, 202), call(3, 203)]


def clean(seen: Books) -> bool:
    """Whether nothing is held against a run."""
    wrong = (seen.lost, seen.ahead, seen.back, seen.after_commit, seen.out_of_order, seen.stale)
    return not any(wrong) and not seen.repeats.unexplained


def test_a_run_without_trouble_is_clean() -> None:
    """Each event once, in order, committed after it."""
    assert clean(books(GOOD, [Commit(202.5, 0, 2, ()), Commit(204, 0, 3, ())]))


def test_an_event_that_never_came_out_is_lost() -> None:
    """Neither taken nor buried; a refused one is neither."""
    refused = call(3, 203, status=400)

    assert books([*GOOD[:2], refused]).lost == {3}
    assert not books([*GOOD[:2], refused], letters=[Letter(3, "invalid", 204)]).lost


@pytest.mark.parametrize(
    "commit", [Commit(202.5, 0, 3, ()), Commit(202.5, 0, 2, ((2, 3),)), Commit(202.5, 0, 2, ((2, 9),))]
)
def test_a_commit_ahead_is_found(commit: Commit) -> None:
    """By its offset, or by what it names beside it (invariant 1)."""
    assert books(GOOD, [commit]).ahead


def test_a_gap_in_the_log_is_nobody_s_record() -> None:
    """What is beyond its end is, and an event that was written twice cannot be judged."""
    written = [(1, Place(0, 0, 101)), (2, Place(0, 5, 102)), (3, Place(0, 6, 103)), (3, Place(0, 7, 104))]
    whole, beyond = Commit(203, 0, 8, ()), Commit(203, 0, 9, ())

    assert not Books(written, GOOD[:2], [], [whole], []).ahead
    assert Books(written, GOOD[:2], [], [beyond], []).ahead == [(0, 8)]
    assert Books(written, GOOD[:2], [], [whole], []).twice == 1


def test_a_letter_settles_its_record_when_it_is_written() -> None:
    """A commit before that is ahead (invariant 8)."""
    letters = [Letter(3, "invalid", 203)]

    assert books(GOOD[:2], [Commit(202.5, 0, 3, ())], letters=letters).ahead == [(0, 2)]
    assert not books(GOOD[:2], [Commit(203.5, 0, 3, ())], letters=letters).ahead


def test_what_is_never_committed_is_found() -> None:
    """The last commit of each partition must be its end."""
    assert books(GOOD, [Commit(202.5, 0, 2, ())]).uncommitted == [0]
    assert books(GOOD).uncommitted == [0]
    assert not books(GOOD, [Commit(202.5, 0, 2, ()), Commit(204, 0, 3, ())]).uncommitted


def test_a_commit_that_goes_back_is_found() -> None:
    """Below an earlier one of its partition (invariant 3)."""
    back = Commit(205, 0, 1, ())

    assert books(GOOD, [Commit(204, 0, 3, ()), Commit(204.5, 1, 0, ()), back]).back == [back]


def test_what_is_sent_after_its_commit_is_found() -> None:
    """Also where only the metadata named it, and where it was refused."""
    killed = [Fault("killed", 203.5, 203.5, "one")]
    named = [Commit(203.4, 0, 1, ((2, 3),))]

    assert books([*GOOD, call(3, 204, "two", status=500)], named, killed).after_commit == [3]
    assert not books([*GOOD, call(2, 204, "two"), call(3, 205, "two")], named[:0], killed).after_commit


def test_order_is_that_of_first_acceptances() -> None:
    """A newer event before an older one of its lane is found, repeats are no disorder."""
    assert books([GOOD[0], call(3, 202), call(2, 203)]).out_of_order
    assert not books([*GOOD, call(1, 204), call(2, 205), call(3, 206)]).out_of_order


def test_the_last_acceptance_must_be_the_newest() -> None:
    """A repeat of an older record, and nothing behind it."""
    assert books([*GOOD, call(2, 204)]).stale == [LANE]
    assert not books([*GOOD, call(2, 204), call(3, 205)]).stale


@pytest.mark.parametrize(
    ("again", "faults", "expected"),
    [
        (call(3, 205, "two"), [], "unexplained"),
        (call(3, 205, "two"), [Fault("killed", 204, 204, "one")], "after"),
        (call(3, 205, "two"), [Fault("killed", 204, 204, "three")], "unexplained"),
        (call(3, 205, "two"), [Fault("killed", 202, 202, "one")], "unexplained"),
        (call(3, 205, "one"), [Fault("frozen", 204, inf, "one")], "after"),
        (call(3, 205, "one"), [Fault("broker", 204, 208)], "after"),
        (call(3, 205, "one"), [Fault("vendor", 204, 208)], "unexplained"),
        (call(3, 205, "two"), [Fault("lost", 204, 204, "one")], "after"),
        (call(3, 205, "two"), [Fault("lost", 202, 202, "one")], "unexplained"),
        (call(3, 205, "one"), [Fault("late", 204, 204, "one")], "after"),
        (call(3, 205, "two"), [Fault("late", 204, 204, "one")], "unexplained"),
    ],
)
def test_a_repeat_has_a_cause(again: Call, faults: Sequence[Fault], expected: str) -> None:
    """Only a fault that lies between, of the replica that had it before, explains it."""
    repeats = books([*GOOD, again], faults=faults).repeats

    assert (dict(repeats.after), repeats.unexplained) == (({0: 1}, []) if expected == "after" else ({}, [3]))


def test_a_lost_answer_explains_a_repeat() -> None:
    """Who sent it cannot know."""
    seen = books([call(1, 201, read=False), call(1, 202), call(2, 203), call(3, 204)])

    assert clean(seen)
    assert seen.repeats.unread == 1


def test_what_was_being_written_at_the_stop_is_nobody_s_fault() -> None:
    """It comes at once when the process goes on, and its client hangs up; what comes otherwise counts."""
    faults = [Fault("frozen", 200.5, 210, "one")]
    late = replace(call(2, 210.1, read=False), left=True)
    calls = [call(1, 200), call(2, 203, "two"), call(3, 204, "two")]
    commits = [Commit(205, 0, 3, ())]

    assert clean(books([*calls, late], commits, faults))
    assert books([*calls, late], commits, faults).half_way == 1
    assert books([*calls, call(2, 210.1)], commits, faults).after_commit
    assert books([*calls, replace(late, wall=212)], commits, faults).after_commit


def test_what_was_buried_has_lost_its_place() -> None:
    """It may be accepted behind a later one where its process died before the commit; without a letter it may not."""
    calls = [call(2, 202), call(1, 203), call(2, 204), call(3, 205)]

    assert not books(calls, letters=[Letter(1, "exhausted", 201)]).out_of_order
    assert books(calls).out_of_order


def test_what_may_be_repeated_is_recent() -> None:
    """What was in flight, and what was taken within one commit interval, of the replica that was killed."""
    calls = [call(1, 195), call(2, 202.9), call(3, 203), call(3, 203.1, "two")]

    assert books(calls).may_repeat(Fault("killed", 203.5, 203.5, "one")) == 2


def test_more_may_be_repeated_where_the_group_took_no_commits() -> None:
    """It waits for the session of another one that was gone before; not where that is over, or was later."""
    last = Fault("killed", 203.5, 203.5, "one")
    calls = [call(1, 195), call(2, 196.5), call(3, 203)]

    for others, allowed in (([193], 1), ([196], 2), ([204], 1), ([190, 196], 3)):
        faults = [*(Fault("killed", other, other, "two") for other in others), last]
        assert replace(books(calls, faults=faults), rest=7).may_repeat(last) == allowed
        assert books(calls, faults=faults).may_repeat(last) == 1


def test_only_bad_luck_excuses_a_dead_letter() -> None:
    """Refused as often as the file allows, alone, and not for its pace or its key."""
    unlucky = [call(1, 201 + each, status=500) for each in range(MAX_ATTEMPTS)]
    throttled = [call(2, 211 + each, status=429) for each in range(MAX_ATTEMPTS)]

    assert books([*unlucky, *throttled]).unlucky([1, 2]) == [1]


def test_what_a_replica_had_flows_again_when_another_one_sends_it() -> None:
    """Its own requests do not count, unless it goes on."""
    fault = Fault("frozen", 202.5, 206, "one", frozenset({0}))

    assert books([*GOOD, call(3, 205, "two")]).flows_after(fault) == pytest.approx(2.5)
    assert books([*GOOD, call(3, 207)]).flows_after(fault) == pytest.approx(4.5)


def test_waits_count_from_the_broker_s_return() -> None:
    """While it was away nobody could be served; what was taken before it went waited as ever."""
    faults = [Fault("broker", 150, 202.5)]

    assert {number: wait for wait, number in books(GOOD, faults=faults).waits()} == pytest.approx({1: 0, 2: 0, 3: 0.5})


def test_waits_count_anew_when_the_next_replica_is_gone() -> None:
    """Each that had the partition; what happened to others does not count."""
    faults = [
        Fault("killed", at, at, "one", frozenset({partition})) for at, partition in ((150, 0), (160, 7), (190, 0))
    ]

    assert {number: wait for wait, number in books(GOOD, faults=faults).waits()} == pytest.approx({1: 49, 2: 48, 3: 47})
