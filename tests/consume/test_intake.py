from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from processor.consume.intake import SLICE, Intake, Stall
from processor.records import Assignment, Record
from tests.support.records import record

WAITS = Stall(12, since=0.0)
A, B, C = (Assignment("clicks", number, number + 1) for number in range(3))


def records(at: Assignment, *offsets: int) -> list[Record]:
    """Records of one partition."""
    return [record(offset, at=at) for offset in offsets]


def taken(intake: Intake) -> list[tuple[Assignment, list[int]]]:
    """Take until nothing may be worked on: whose turn it was, and which offsets."""
    turns = []
    while slice_ := intake.take():
        turns.append((slice_[0].assignment, [one.offset for one in slice_]))
    return turns


def test_nothing_waits_at_first() -> None:
    """An empty intake gives nothing."""
    assert Intake().take() == []


def test_a_slice_is_of_one_partition() -> None:
    """What one poll brought of several partitions is worked on partition by partition."""
    intake = Intake()

    intake.put([*records(A, 0, 1), *records(B, 5)])

    assert taken(intake) == [(A, [0, 1]), (B, [5])]


def test_partitions_take_turns() -> None:
    """A busy partition waits for the quiet one after each slice."""
    intake = Intake()
    intake.put(records(A, *range(2 * SLICE + 1)))
    intake.put(records(B, 0))

    turns = taken(intake)

    assert [(at, len(offsets)) for at, offsets in turns] == [(A, SLICE), (B, 1), (A, SLICE), (A, 1)]


def test_what_comes_later_waits_behind() -> None:
    """A partition that is waiting keeps its place and its order when more of it comes."""
    intake = Intake()
    intake.put(records(A, 0))
    intake.put(records(B, 0))
    intake.put(records(A, 1, 2))

    assert taken(intake) == [(A, [0, 1, 2]), (B, [0])]


def test_a_stalled_partition_stands_still_alone() -> None:
    """What waits for its schema, and all behind it, keeps its order; others go on."""
    intake = Intake()
    intake.put([*records(A, *range(SLICE + 2)), *records(B, 0)])
    first = intake.take()

    intake.stall(A, first[90:], WAITS)
    intake.put(records(A, SLICE + 2))

    assert taken(intake) == [(B, [0])]
    assert intake.stalled == {A: WAITS}
    intake.resume(A)
    assert intake.stalled == {}
    rest = [offset for at, offsets in taken(intake) for offset in offsets]
    assert rest == list(range(90, SLICE + 3))


def test_a_partition_whose_last_slice_stalls_comes_back() -> None:
    """Also where nothing else of it waits."""
    intake = Intake()
    intake.put(records(A, 0, 1))
    intake.stall(A, intake.take(), WAITS)
    assert intake.take() == []

    intake.resume(A)

    assert taken(intake) == [(A, [0, 1])]


def test_a_partition_may_stall_again() -> None:
    """One unknown schema may follow another."""
    intake = Intake()
    intake.put(records(A, 0, 1, 2))
    intake.stall(A, intake.take(), WAITS)
    intake.resume(A)
    again = intake.take()
    intake.stall(A, again[1:], WAITS)
    intake.resume(A)

    assert taken(intake) == [(A, [1, 2])]


def test_an_ended_assignment_is_forgotten() -> None:
    """Nothing of it is given out any more, whether it waits or is stalled, and a late resume changes nothing."""
    intake = Intake()
    intake.put([*records(A, 0), *records(B, 0), *records(C, 0)])
    intake.stall(B, [], WAITS)

    intake.drop([A, B])
    intake.resume(B)

    assert intake.stalled == {}
    assert taken(intake) == [(C, [0])]


def test_the_next_assignment_of_a_partition_is_another_one() -> None:
    """What waits of the old one is gone, what comes of the new one is served."""
    intake = Intake()
    again = Assignment("clicks", 0, 9)
    intake.put(records(A, 7))
    intake.drop([A])
    intake.put(records(again, 3))

    assert taken(intake) == [(again, [3])]


def test_dropping_what_is_not_there() -> None:
    """An assignment that brought nothing may end, too."""
    intake = Intake()

    intake.drop([A])

    assert intake.take() == []


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "take", "stall", "resume", "drop"]), st.sampled_from([A, B, C])),
    max_size=60,
)


@given(ACTIONS, st.integers(1, 2 * SLICE))
def test_order_holds_whatever_happens(actions: list[tuple[str, Assignment]], burst: int) -> None:
    """However partitions stall, resume and leave, each one's records come once and in order."""
    intake, model = Intake(), {at: deque[int]() for at in (A, B, C)}
    after = dict.fromkeys((A, B, C), 0)
    for action, at in actions:
        if action == "put":
            offsets = range(after[at], after[at] + burst)
            after[at] += burst
            model[at].extend(offsets)
            intake.put(records(at, *offsets))
        elif action == "resume":
            intake.resume(at)
        elif action == "drop":
            model[at].clear()
            intake.drop([at])
        elif slice_ := intake.take():
            whose = slice_[0].assignment
            assert [one.offset for one in slice_] == [model[whose].popleft() for _ in slice_]
            if action == "stall":
                model[whose].extendleft(reversed([one.offset for one in slice_]))
                intake.stall(whose, slice_, WAITS)
    for at in (A, B, C):
        intake.resume(at)
    rest = [(at, offset) for at, offsets in taken(intake) for offset in offsets]
    assert {at: [offset for whose, offset in rest if whose is at] for at in model} == {
        at: list(offsets) for at, offsets in model.items()
    }
