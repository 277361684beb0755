from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processor.records import Assignment, Record, Span
from processor.settle.settler import Settler, spans_of
from tests.support.records import record

AT = Assignment("clicks", 0, 1)
Run = Callable[[], None]


class Turns:
    """An event loop whose next turn comes when the test says so, and what was posted."""

    def __init__(self) -> None:
        self.posted: list[list[Span]] = []
        self.soon: list[Run] = []
        self.settler = Settler(self.posted.append, self.soon.append)

    def turn(self) -> None:
        """Run what was put off."""
        due, self.soon[:] = list(self.soon), []
        for run in due:
            run()


def test_a_record_without_deliveries_is_settled_at_once() -> None:
    """What nobody wants is settled by saying so."""
    turns = Turns()

    turns.settler.open(record(4, at=AT), 0)
    turns.turn()

    assert turns.posted == [[Span(AT, 4, 5, 1, 3)]]


def test_a_record_is_settled_by_its_last_delivery() -> None:
    """One order line that is still on its way keeps the whole record open."""
    turns = Turns()
    order = record(4, at=AT)
    turns.settler.open(order, 2)

    turns.settler.close(order)
    turns.turn()
    assert turns.posted == []

    turns.settler.close(order)
    turns.turn()
    assert turns.posted == [[Span(AT, 4, 5, 1, 3)]]


def test_one_turn_posts_once() -> None:
    """All that settles within one turn goes to the Kafka thread together, partition by partition."""
    turns = Turns()
    other = Assignment("clicks", 1, 2)

    for one in (record(1, at=AT), record(7, at=other), record(0, at=AT)):
        turns.settler.open(one, 0)

    assert len(turns.soon) == 1
    turns.turn()
    assert turns.posted == [[Span(AT, 0, 2, 2, 6), Span(other, 7, 8, 1, 3)]]


def test_a_later_turn_posts_again() -> None:
    """What settles after a flush is posted by the next one."""
    turns = Turns()
    turns.settler.open(record(0, at=AT), 0)
    turns.turn()

    turns.settler.open(record(1, at=AT), 0)
    turns.turn()

    assert turns.posted == [[Span(AT, 0, 1, 1, 3)], [Span(AT, 1, 2, 1, 3)]]


def test_a_revocation_does_not_wait_for_the_turn() -> None:
    """What is settled can be posted at once, and the put-off turn then has nothing to post."""
    turns = Turns()
    turns.settler.open(record(0, at=AT), 0)

    turns.settler.flush()
    turns.turn()

    assert turns.posted == [[Span(AT, 0, 1, 1, 3)]]


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Records of one partition, in any order, with values of any size."""
    offsets = draw(st.lists(st.integers(0, 60), unique=True))
    return [record(offset, at=AT, value=draw(st.none() | st.binary(max_size=9))) for offset in offsets]


@given(records())
def test_spans_are_the_records(settled: list[Record]) -> None:
    """Spans hold each record once, nothing else, and do not touch each other."""
    spans = list(spans_of(AT, settled))

    assert [offset for span in spans for offset in range(span.start, span.end)] == sorted(r.offset for r in settled)
    assert all(before.end < after.start for before, after in pairwise(spans))
    assert all(span.records == span.end - span.start for span in spans)
    assert sum(span.size for span in spans) == sum(one.size for one in settled)
    assert all(span.assignment is AT for span in spans)
