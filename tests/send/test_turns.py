from processor.send.turns import Turns
from tests.send.parts import assignment, channel, deliveries, one

VIEW = channel("view")


def popped(turns: Turns) -> list[int]:
    """The offsets of all heads, in turns."""
    return [turns.pop().record.offset for _ in range(len(turns))]


def turns_of(*partitions: int) -> Turns:
    """Partition n has so many heads, with offsets from 100 times n."""
    turns = Turns()
    for number, count in enumerate(partitions):
        for delivery in deliveries(VIEW, *[None] * count, of=assignment(number), first=100 * number):
            turns.add(delivery, 0.0)
    return turns


def test_partitions_come_in_turns() -> None:
    """A busy partition does not starve a quiet one; within one the oldest comes first."""
    assert popped(turns_of(4, 1, 2)) == [0, 100, 200, 1, 201, 2, 3]


def test_who_comes_back_with_work_waits_for_its_turn() -> None:
    """A partition that had nothing left comes behind those that wait."""
    turns = turns_of(1, 2)
    assert turns.pop().record.offset == 0
    [again] = deliveries(VIEW, None, first=7)
    turns.add(again, 1.0)

    assert popped(turns) == [100, 7, 101]


def test_what_was_out_already_is_first_of_its_partition() -> None:
    """It is older than all that wait there, but other partitions keep their turns."""
    turns = turns_of(1, 1)
    again = turns.pop()
    [younger] = deliveries(VIEW, None, of=again.record.assignment, first=1)
    turns.add(younger, 1.0)
    turns.add(again, 1.0, first=True)

    assert popped(turns) == [100, 0, 1]


def test_a_look_takes_nothing() -> None:
    """Who is seen is who comes next."""
    turns = turns_of(1, 1)

    assert turns.peek() is turns.peek()
    assert turns.peek() is turns.pop()
    assert len(turns) == 1


def test_the_oldest_says_how_long_a_batch_has_waited() -> None:
    """Over all partitions, whichever has its turn."""
    turns = Turns()
    for since in (3.0, 1.0, 2.0):
        turns.add(one(VIEW), since)

    assert turns.oldest() == 1.0


def test_bodies_are_counted() -> None:
    """The size follows every way in and out."""
    turns = Turns()
    owner = assignment()
    first, second, third = deliveries(VIEW, None, None, None, of=owner, size=10)
    for delivery in (first, second, third):
        turns.add(delivery, 0.0)
    assert turns.size == 30

    turns.pop()
    assert turns.size == 20
    turns.remove(third)
    assert turns.size == 10
    turns.drop(frozenset({owner}))
    assert (turns.size, len(turns)) == (0, 0)


def test_one_is_removed_from_anywhere() -> None:
    """A probe leaves the queue wherever it stands; a partition without heads has no turn any more."""
    turns = turns_of(3, 1, 1)
    middle, alone = (delivery for delivery in list(turns) if delivery.record.offset in {1, 100})
    turns.remove(middle)
    turns.remove(alone)

    assert popped(turns) == [0, 200, 2]


def test_partitions_that_left_are_forgotten() -> None:
    """What was dropped is returned; others keep their turns."""
    turns = turns_of(2, 1, 2)
    leaving = frozenset(
        {delivery.record.assignment for delivery in turns if delivery.record.offset < 200} | {assignment(9)}
    )

    assert sorted(delivery.record.offset for delivery in turns.drop(leaving)) == [0, 1, 100]
    assert popped(turns) == [200, 201]
