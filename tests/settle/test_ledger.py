from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from processor.offsets import Bookmark, PartitionLog, PartitionView, Start
from processor.records import Assignment, Key, Span
from processor.settle.ledger import Ledger
from processor.settle.metadata import LIMIT, Settled, decode
from processor.settle.partition import MAX_STAMPS, PartitionLedger
from processor.settle.settler import spans_of
from tests.support.records import SECOND, record

Step = Callable[[PartitionLedger], object]
KEY = ("clicks", 0)
SIZE = record().size


def received(*offsets: int) -> Step:
    """One poll brought these."""
    return lambda ledger: ledger.receive([record(offset, at=ledger.assignment) for offset in offsets])


def settled(*offsets: int) -> Step:
    """The event loop posted these, in as few spans as their offsets allow."""

    def settle(ledger: PartitionLedger) -> None:
        for span in spans_of(ledger.assignment, [record(offset, at=ledger.assignment) for offset in offsets]):
            ledger.settle(span)

    return settle


def skipped_to(position: int) -> Step:
    """The consumer's position went here without a record."""
    return lambda ledger: ledger.skip_to(position)


def partition(committed: int | None, *ahead: tuple[int, int]) -> PartitionLedger:
    """The ledger of a partition that goes on at the group's offset, with spans that are settled already."""
    return PartitionLedger(Assignment(*KEY, 1), Start(committed, committed, ahead))


@dataclass(frozen=True)
class Case:
    """Steps, and where they must end.

    Attributes:
        committed: the group's offset at the assignment.
        ahead: settled spans beyond the frontier.
        inherited: those of them that were known at the assignment.
        quiet: nothing may be committed, for nothing happened.
    """

    committed: int | None
    steps: Sequence[Step]
    frontier: int | None
    next: int | None
    unsettled: int = 0
    ahead: int = 0
    inherited: Sequence[tuple[int, int]] = ()
    quiet: bool = False


CASES = {
    "assigned without an offset": Case(None, [], None, None, quiet=True),
    "assigned with an offset": Case(7, [], 7, 7, quiet=True),
    "first record without an offset": Case(None, [received(5)], 5, 6, unsettled=1),
    "records wait": Case(5, [received(5, 6, 7)], 5, 8, unsettled=3, quiet=True),
    "all settled": Case(5, [received(5, 6, 7), settled(5, 6, 7)], 8, 8),
    "settled from the front": Case(5, [received(5, 6, 7), settled(5)], 6, 8, unsettled=2),
    "settled in the middle": Case(5, [received(5, 6, 7), settled(6)], 5, 8, unsettled=2, ahead=1),
    "settled backwards": Case(
        5, [received(5, 6, 7), settled(7), settled(6), settled(5)], 8, 8
    ),
    "settled everywhere but in front": Case(
        0, [received(*range(9)), settled(2, 4, 6), settled(3), settled(8)], 0, 9, unsettled=4, ahead=3
    ),
    "the front closes the first gap only": Case(
        0, [received(*range(6)), settled(1, 2, 4), settled(0)], 3, 6, unsettled=2, ahead=1
    ),
    "spans join on both sides": Case(
        0, [received(*range(6)), settled(1), settled(3), settled(2)], 0, 6, unsettled=3, ahead=1
    ),
    "compacted before the first record": Case(5, [received(9)], 9, 10, unsettled=1),
    "compacted inside a poll": Case(0, [received(0, 4), settled(0)], 4, 5, unsettled=1),
    "compacted between polls": Case(0, [received(0), received(4)], 0, 5, unsettled=2, ahead=1),
    "a gap behind an unsettled record": Case(
        0, [received(0, 1), settled(1), received(5), settled(5)], 0, 6, unsettled=1, ahead=1
    ),
    "the gap counts once the record before it is settled": Case(
        0, [received(0, 1), settled(1), received(5), settled(0)], 5, 6, unsettled=1
    ),
    "expired offsets": Case(3, [received(500, 501), settled(500)], 501, 502, unsettled=1),
    "transaction markers at the end": Case(0, [received(0), settled(0), skipped_to(2)], 2, 2),
    "markers behind an unsettled record": Case(0, [received(0), skipped_to(2)], 0, 2, unsettled=1, ahead=1),
    "nothing but markers": Case(0, [skipped_to(3)], 3, 3),
    "a position that is known already": Case(5, [received(5), settled(5), skipped_to(6)], 6, 6),
    "a position that is behind": Case(5, [received(5), settled(5), skipped_to(2)], 6, 6),
    "a position before anything is known": Case(None, [skipped_to(3)], None, None, quiet=True),
    "assigned with settled spans": Case(5, [], 5, 5, ahead=2, inherited=[(6, 8), (9, 11)], quiet=True),
    "read again up to a settled span": Case(
        5, [received(5, 6, 7)], 5, 8, unsettled=1, ahead=1, inherited=[(6, 8)], quiet=True
    ),
    "the frontier leaps beyond what was read": Case(
        5, [received(5), settled(5)], 8, 6, inherited=[(6, 8)]
    ),
    "what the frontier leapt over is read": Case(
        5, [received(5), settled(5), received(6), received(7, 8)], 8, 9, unsettled=1, inherited=[(6, 8)]
    ),
    "a poll of settled records only": Case(
        5, [received(5), received(6, 7)], 5, 8, unsettled=1, ahead=1, inherited=[(6, 8)], quiet=True
    ),
    "a poll that begins and ends within spans": Case(
        4, [received(4, 5), received(6, 7, 8, 9)], 4, 10, unsettled=2, ahead=2, inherited=[(5, 7), (8, 12)], quiet=True
    ),
    "compacted within a settled span": Case(
        5, [received(5), received(6, 9, 10)], 5, 11, unsettled=2, ahead=1, inherited=[(6, 10)]
    ),
    "compacted over the edges of a settled span": Case(
        5, [received(5), received(12)], 5, 13, unsettled=2, ahead=1, inherited=[(7, 10)]
    ),
    "a gap between spans closes": Case(
        5, [received(5, 6, 7, 8), settled(7)], 5, 9, unsettled=1, ahead=1, inherited=[(6, 7), (8, 12)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_partition_s_history(case: Case) -> None:
    """Where a history of receiving and settling leaves frontier, next and what may be committed (invariants 1, 2)."""
    ledger = partition(case.committed, *case.inherited)

    for step in case.steps:
        step(ledger)

    view = ledger.view()
    assert (view.frontier, view.next, view.records, view.ahead) == (
        case.frontier,
        case.next,
        case.unsettled,
        case.ahead,
    )
    assert view.size == case.unsettled * SIZE
    held = ledger.to_commit(LIMIT)
    assert (held is None) == case.quiet
    assert held is None or (held.offset, decode(held.metadata)) == (
        case.frontier,
        Settled(held.offset, tuple(ledger._ahead)),
    )


def test_the_oldest_unsettled_is_the_start_of_its_poll() -> None:
    """The age that people see is that of the oldest poll with an unsettled record, and none without one."""
    ledger = partition(0)
    for start in (0, 2, 4):
        ledger.receive([record(start, timestamp=SECOND + start), record(start + 1, timestamp=SECOND + start + 1)])
    oldest = [ledger.view().oldest]

    for offsets in ((0,), (1,), (4, 5), (2, 3)):
        settled(*offsets)(ledger)
        oldest.append(ledger.view().oldest)

    assert oldest == [SECOND, SECOND, SECOND + 2, SECOND + 2, None]


def test_a_ledger_shows_itself() -> None:
    """Its repr tells partition and offsets, for the person at the debugger."""
    ledger = partition(5)
    received(5, 6)(ledger)

    assert repr(ledger) == "<PartitionLedger clicks[0] committed 5 frontier 5 next 7 unsettled 2>"


def begun(committed: int | None = 0, *, epoch: int = 1, partition: int = 0) -> tuple[Ledger, Assignment]:
    """A ledger with one assignment."""
    ledger = Ledger(1.0)
    return ledger, begin(ledger, committed, epoch=epoch, partition=partition)


def begin(ledger: Ledger, committed: int | None = 0, *, epoch: int = 1, partition: int = 0) -> Assignment:
    """One more assignment."""
    assignment = Assignment("clicks", partition, epoch)
    ledger.begin(assignment, Start(committed, committed))
    return assignment


def commit(ledger: Ledger, *keys: Key, now: float = 0.0) -> dict[Key, int]:
    """Send a commit of these partitions, and give its offsets."""
    return {key: held.offset for key, held in ledger.commits_of(keys, now).items()}


def receive(ledger: Ledger, assignment: Assignment, *offsets: int) -> None:
    """One poll brought these for an assignment."""
    ledger.receive(assignment.key, [record(offset, at=assignment) for offset in offsets])


def span(assignment: Assignment, *offsets: int) -> Span:
    """The span of these consecutive records."""
    (only,) = spans_of(assignment, [record(offset, at=assignment) for offset in offsets])
    return only


def test_only_what_the_coordinator_lacks_is_committed() -> None:
    """A commit holds the partitions that moved, and of the partitions that were asked for."""
    ledger, moved = begun()
    stood, other = begin(ledger, partition=1), begin(ledger, partition=2)
    for assignment in (moved, stood, other):
        receive(ledger, assignment, 0, 1)
    ledger.settle([span(moved, 0, 1), span(other, 0)])

    assert commit(ledger, moved.key, stood.key, ("clicks", 9)) == {moved.key: 2}


def test_one_commit_in_flight() -> None:
    """While a commit waits for its answer none is due; afterwards the interval decides (invariant 3)."""
    ledger, assignment = begun()
    receive(ledger, assignment, 0, 1)
    ledger.settle([span(assignment, 0)])
    due = [ledger.commit_due(0.0)]

    sent = commit(ledger, assignment.key)
    due.append(ledger.commit_due(100.0))
    in_flight = ledger.commit_in_flight
    ledger.commit_answered(sent)
    due += [ledger.commit_due(0.5), ledger.commit_due(1.0)]

    assert due == [True, False, False, True]
    assert (in_flight, ledger.commit_in_flight) == (True, False)


def test_nothing_to_commit_is_no_commit() -> None:
    """Where nothing moved, nothing counts as sent: the next one is not put off."""
    ledger, assignment = begun()

    assert commit(ledger, assignment.key) == {}
    assert ledger.commit_due(0.0)


def test_what_was_taken_is_not_committed_again() -> None:
    """An acknowledged offset is the coordinator's; the same one is not sent twice."""
    ledger, assignment = begun()
    receive(ledger, assignment, 0)
    ledger.settle([span(assignment, 0)])

    ledger.commit_answered(commit(ledger, assignment.key))

    assert ledger.view()[assignment.key].committed == 1
    assert commit(ledger, assignment.key, now=9.0) == {}


def test_what_was_refused_is_committed_again() -> None:
    """A commit that the coordinator did not take is sent again, with what was settled since."""
    ledger, assignment = begun()
    receive(ledger, assignment, 0, 1)
    ledger.settle([span(assignment, 0)])
    commit(ledger, assignment.key)

    ledger.commit_answered({})
    ledger.settle([span(assignment, 1)])

    assert commit(ledger, assignment.key, now=9.0) == {assignment.key: 2}


def test_the_answer_for_a_partition_that_left_changes_nothing() -> None:
    """A commit that is answered after its assignment ended is nobody's (invariant 5)."""
    ledger, assignment = begun()
    ledger.end(assignment.key)

    ledger.commit_answered({assignment.key: 4})

    assert ledger.view() == {}


def test_a_consumer_that_is_gone_owes_no_answer() -> None:
    """After a consumer was closed its unanswered commit does not keep the next one's back."""
    ledger, assignment = begun()
    receive(ledger, assignment, 0)
    ledger.settle([span(assignment, 0)])
    commit(ledger, assignment.key)

    ledger.forget_commit()

    assert ledger.commit_due(1.0)


def test_a_late_result_of_a_partition_that_left_falls_off() -> None:
    """Spans of an ended assignment change nothing, whether the partition is away or back (invariant 5)."""
    ledger, before = begun()
    receive(ledger, before, 0, 1)
    assert ledger.end(before.key) is before
    ledger.settle([span(before, 0)])
    again = begin(ledger, 0, epoch=2)
    receive(ledger, again, 0, 1)

    ledger.settle([span(before, 0, 1)])

    assert not before.live
    assert ledger.live(again.key) is again
    assert ledger.view()[again.key] == PartitionView(0, 0, 2, 2, 2 * SIZE, 0, SECOND)


def test_a_partition_is_ended_once() -> None:
    """Ending what is not there is no error: revocation and loss may both name it."""
    ledger, assignment = begun()

    assert ledger.end(assignment.key) is assignment
    assert ledger.end(assignment.key) is None
    assert ledger.live(assignment.key) is None


def test_a_new_assignment_may_begin_lower() -> None:
    """Where the group's offsets were reset, the new assignment commits from where it reads (invariant 3)."""
    ledger, before = begun(100)
    receive(ledger, before, 100)
    ledger.end(before.key)
    again = begin(ledger, None, epoch=2)
    receive(ledger, again, 40, 41)
    ledger.settle([span(again, 40)])

    assert ledger.expected(again.key) == 42
    assert commit(ledger, again.key) == {again.key: 41}


def test_markers_are_skipped_by_partition() -> None:
    """The consumer's position of one partition says nothing about another one."""
    ledger, assignment = begun()
    other = begin(ledger, 0, partition=1)

    ledger.skip_to(assignment.key, 3)

    assert (ledger.expected(assignment.key), ledger.expected(other.key)) == (3, 0)
    assert commit(ledger, assignment.key, other.key) == {assignment.key: 3}


def test_a_stuck_record_costs_no_memory_per_poll() -> None:
    """However many polls settle behind it, the ledger keeps a bounded number of stamps, and the oldest is its own."""
    ledger = partition(0)
    received(0)(ledger)
    for offset in range(1, 3 * MAX_STAMPS):
        received(offset)(ledger)
        settled(offset)(ledger)

    stuck = ledger.view()
    settled(0)(ledger)

    assert len(ledger._stamps) == 0
    assert stuck.records == 1
    assert stuck.ahead == 1
    assert stuck.oldest == SECOND
    assert ledger.view().oldest is None


def test_stamps_are_bounded_while_a_record_is_stuck() -> None:
    """The stamps themselves stop growing."""
    ledger = partition(0)
    for offset in range(2 * MAX_STAMPS):
        received(offset)(ledger)

    assert len(ledger._stamps) == MAX_STAMPS


def test_spans_are_committed_without_a_step_of_the_frontier() -> None:
    """What settles behind a gap is written with the next commit, at the same offset, and once."""
    ledger, assignment = begun(0)
    receive(ledger, assignment, 0, 1, 2)
    ledger.settle([span(assignment, 1)])

    (sent,) = ledger.commits_of([assignment.key], now=0.0).values()
    ledger.commit_answered({assignment.key: sent.offset})

    assert (sent.offset, decode(sent.metadata)) == (0, Settled(0, ((1, 2),)))
    assert commit(ledger, assignment.key, now=9.0) == {}


def test_metadata_that_is_refused_is_left_out() -> None:
    """From then on every commit goes without, the refused one first; it is told as news once."""
    ledger, assignment = begun(0)
    idle = begin(ledger, 7, partition=1)
    receive(ledger, assignment, 0, 1, 2)
    ledger.settle([span(assignment, 1)])
    ledger.commits_of([assignment.key], now=0.0)
    ledger.commit_answered({})

    news = [ledger.drop_metadata(), ledger.drop_metadata()]

    assert news == [True, False]
    assert ledger.commits_of([assignment.key, idle.key], now=9.0) == {assignment.key: Bookmark(0, "")}
    assert ledger.view()[assignment.key].metadata_fill == 0


def test_the_metadata_s_fill() -> None:
    """It is measured when it is written, and follows the number of spans until then."""
    ledger, assignment = begun(0)
    receive(ledger, assignment, *range(4001))
    ledger.settle([span(assignment, offset) for offset in range(1, 2001, 2)])
    fill = [ledger.view()[KEY].metadata_fill]

    (sent,) = ledger.commits_of([KEY], now=0.0).values()
    fill.append(ledger.view()[KEY].metadata_fill)
    ledger.settle([span(assignment, offset) for offset in range(2001, 4001, 2)])
    fill.append(ledger.view()[KEY].metadata_fill)
    ledger.settle([span(assignment, offset) for offset in range(0, 4001, 2)])
    fill.append(ledger.view()[KEY].metadata_fill)

    measured = len(sent.metadata) / LIMIT
    assert fill == [0.0, pytest.approx(measured), pytest.approx(2 * measured), 0.0]


def test_inherited_spans_fill_nothing_until_they_were_read() -> None:
    """A partition is not to be paused for gaps that only reading it can close."""
    ledger = partition(0, *((offset, offset + 1) for offset in range(1, 2001, 2)))
    received(0)(ledger)
    ledger.settle(Span(ledger.assignment, 0, 0, 0, 0))
    ledger.to_commit(LIMIT)
    before = ledger.view().metadata_fill

    received(*range(1, 2000))(ledger)

    assert before == 0
    assert ledger.view().metadata_fill > 0
    assert ledger.view().records == 1000


def test_how_far_ahead() -> None:
    """Offsets beyond the first gap that hold nothing open; never less than none where the frontier leapt."""
    ledger = partition(5, (6, 20))
    ahead = [ledger.view().settled_ahead]
    for step in (received(5), received(6, 7), settled(5), received(25), received(26, 27), settled(26)):
        step(ledger)
        ahead.append(ledger.view().settled_ahead)

    assert ahead == [0, 0, 2, 0, 0, 0, 1]


def test_a_new_topic_s_start_is_committed_with_its_first_record() -> None:
    """Where it goes on from elsewhere than the group's offset, that is written, with the topic's id; but not unread."""
    ledger, assignment = Ledger(1.0), Assignment(*KEY, 1)
    topic_id = "A" * 21 + "B"
    ledger.begin(assignment, Start(None, 3, (), lambda: topic_id))
    assert not ledger.commits_of([KEY], now=0.0)

    ledger.receive(KEY, [record(3, at=assignment)])
    (sent,) = ledger.commits_of([KEY], now=0.0).values()

    assert (sent.offset, decode(sent.metadata)) == (3, Settled(3, (), topic_id))


def test_the_answer_to_an_earlier_assignment_s_commit() -> None:
    """A partition that left and came back before the answer does not take it for its own (invariant 5)."""
    ledger, before = begun(0)
    receive(ledger, before, 0, 1)
    ledger.settle([span(before, 0)])
    sent = commit(ledger, KEY)
    ledger.end(KEY)
    begin(ledger, 0, epoch=2)

    ledger.commit_answered(sent)

    assert ledger.view()[KEY].committed == 0


def test_a_ledger_knows_where_to_go_on() -> None:
    """What a commit left is what the next assignment begins with."""
    ledger, assignment = begun(0)
    receive(ledger, assignment, 0, 1, 2)
    ledger.settle([span(assignment, 1)])
    (sent,) = ledger.commits_of([KEY], now=0.0).values()

    start = ledger.resume(sent, PartitionLog())

    assert (start.committed, start.offset, start.ahead) == (0, 0, ((1, 2),))
    assert not ledger.remembers_topic(sent)
