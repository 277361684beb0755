"""What a worker of a run does about letters that Kafka has deleted meanwhile."""

from dataclasses import replace
from typing import Any

from processor.replay.spans import Spans
from tests.replay.worker_bench import ALL, KEY, OTHER, Bench, view


async def test_what_kafka_has_deleted_meanwhile() -> None:
    """It gets an outcome of its own, as far as it has none, in every partition of this worker."""
    before = {"delivered": {KEY: Spans((0, 2))}}
    bench = Bench(before, before, {"delivered": ALL})
    bench.views = {KEY: view(None), OTHER: view(0), ("dlq", 9): view(0)}
    bench.watermarks = {"dlq": {0: (6, 10), 1: (6, 7), 9: (50, 60)}}

    await bench.work()

    assert bench.gone == [(KEY, Spans((2, 6))), (OTHER, Spans((5, 6)))]


async def test_what_was_read_before_kafka_deleted_it() -> None:
    """It is on its way, however long it waits for the vendor: only what was not read yet will not come."""
    bench = Bench({}, {}, {"delivered": ALL})
    bench.views = {KEY: replace(view(2), next=6)}
    bench.watermarks = {"dlq": {0: (8, 10)}}

    await bench.work({KEY: Spans((1, 10))})

    assert bench.gone == [(KEY, Spans((1, 2))), (KEY, Spans((1, 2), (6, 8)))]


async def test_what_was_passed_without_coming() -> None:
    """What lies below the frontier and has no outcome will not come: compaction or a transaction took it."""
    bench = Bench({"delivered": {KEY: Spans((0, 3))}}, {"delivered": ALL})
    bench.views = {KEY: view(5)}

    await bench.work()

    assert bench.gone == [(KEY, Spans((3, 5)))]


async def test_partitions_of_other_workers() -> None:
    """What becomes of theirs they tell themselves."""
    bench = Bench({}, {}, {"delivered": ALL})
    bench.views = {OTHER: view(5)}
    bench.watermarks = {"dlq": {0: (9, 10), 1: (0, 7)}}

    await bench.work()

    assert bench.gone == []


async def test_a_topic_that_is_gone() -> None:
    """Nobody knows what it held: nothing is told to be deleted."""
    bench = Bench({}, {}, {"delivered": ALL})
    bench.views = {KEY: view(None)}
    bench.watermarks = {"dlq": None}

    await bench.work()

    assert (bench.asked, bench.gone) == (2, [])


async def test_kafka_is_asked_only_where_nothing_moves() -> None:
    """While letters come, what was deleted before them is passed; a partition with nothing behind it stands still."""
    bench = Bench({}, {}, {}, {}, {"delivered": ALL})
    bench.views = {KEY: view(0)}
    bench.watermarks = {"dlq": {0: (10, 10)}}
    read, moves = bench.read, iter((2, 4, 4, 4))
    asked = []

    def moving() -> Any:
        asked.append(bench.asked)
        bench.views[KEY] = view(next(moves, 4))
        return read()

    bench.read = moving  # type: ignore[method-assign]

    await bench.work({KEY: Spans((0, 10))})

    assert asked == [0, 0, 0, 1, 2]
    assert bench.gone == [(KEY, Spans((0, 2))), (KEY, Spans((0, 4))), (KEY, Spans((0, 10)))]


async def test_the_frontier_is_looked_at_before_the_marks() -> None:
    """What is settled between the two looks has its marks then; the other way round it would be told to be gone."""
    bench = Bench({}, {"delivered": ALL})
    bench.views = {KEY: view(0)}
    read = bench.read

    def settles_meanwhile() -> Any:
        bench.views[KEY] = view(10)
        return read()

    bench.read = settles_meanwhile  # type: ignore[method-assign]

    await bench.work({KEY: Spans((0, 10))})

    assert bench.gone == []
