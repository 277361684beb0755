from processor.offsets import PartitionView
from processor.ops.health import PROGRESS_LIMIT, ProgressWatch
from processor.records import Key

A, B = ("clicks", 0), ("clicks", 1)
LONG = PROGRESS_LIMIT
"""Seconds after which standing still is too long."""


def holding(frontier: int | None, records: int) -> PartitionView:
    """A partition with so many unsettled records from `frontier` on."""
    return PartitionView(0, frontier, 99, records, 10 * records, 0, None)


def watched(*looks: tuple[float, dict[Key, PartitionView]], excused: bool = False) -> list[list[Key]]:
    """What a watch says at each look."""
    watch = ProgressWatch()
    return [watch.stuck(view, excused=excused, now=now) for now, view in looks]


def test_a_partition_with_work_and_no_progress_is_stuck() -> None:
    """Not at once, but when it has stood still for the whole limit."""
    view = {A: holding(5, 1)}

    assert watched((0, view), (LONG - 1, view), (LONG, view)) == [[], [], [A]]


def test_only_the_one_that_stands_still_is_named() -> None:
    """Others that move are not."""
    looks = [(now, {A: holding(5, 1), B: holding(int(now), 1)}) for now in (0.0, LONG / 2, LONG)]

    assert watched(*looks)[-1] == [A]


def test_a_frontier_that_moves_is_progress() -> None:
    """A partition that always holds as much, but further on, moves."""
    assert watched((0, {A: holding(5, 9)}), (LONG - 1, {A: holding(6, 9)}), (LONG, {A: holding(6, 9)}))[-1] == []


def test_records_that_settle_behind_the_frontier_are_progress() -> None:
    """One record that waits while others behind it settle is no standstill."""
    assert watched((0, {A: holding(5, 9)}), (LONG - 1, {A: holding(5, 8)}), (LONG, {A: holding(5, 8)}))[-1] == []


def test_a_partition_without_work_is_never_stuck() -> None:
    """A quiet topic is healthy, also one from which nothing ever came."""
    view = {A: holding(5, 0), B: holding(None, 0)}

    assert watched((0, view), (10 * LONG, view)) == [[], []]


def test_a_stated_reason_excuses() -> None:
    """An outage of hours restarts nobody."""
    view = {A: holding(5, 1)}

    assert watched((0, view), (10 * LONG, view), excused=True) == [[], []]


def test_the_clock_starts_when_the_reason_ends() -> None:
    """After an outage a partition has the whole limit to move again."""
    watch, view = ProgressWatch(), {A: holding(5, 1)}
    watch.stuck(view, excused=True, now=0)
    watch.stuck(view, excused=True, now=10 * LONG)

    assert watch.stuck(view, excused=False, now=11 * LONG - 1) == []
    assert watch.stuck(view, excused=False, now=11 * LONG) == [A]


def test_a_partition_that_left_and_came_back_starts_anew() -> None:
    """What another member did with it meanwhile is not this one's standstill."""
    view = {A: holding(5, 1)}

    assert watched((0, view), (LONG - 1, {}), (LONG, view), (2 * LONG - 1, view), (2 * LONG, view)) == [
        [],
        [],
        [],
        [],
        [A],
    ]


def test_a_stuck_partition_that_moves_is_healthy_again() -> None:
    """The judgement is of now."""
    still, moved = {A: holding(5, 1)}, {A: holding(6, 1)}

    assert watched((0, still), (LONG, still), (LONG + 1, moved)) == [[], [A], []]
