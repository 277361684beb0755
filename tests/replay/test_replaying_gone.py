"""What a worker of a run does about letters that Kafka has deleted meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from processor.errors import FatalError
from processor.replay.spans import Spans
from tests.replay.worker_bench import ALL, KEY, OTHER, RUN, Bench, view


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

    assert bench.gone == [(KEY, Spans((1, 2))), (KEY, Spans((6, 8)))]


async def test_what_was_passed_without_coming() -> None:
    """What lies below the frontier and has no outcome will not come: compaction or a transaction took it."""
    bench = Bench({"delivered": {KEY: Spans((0, 3))}}, {"delivered": ALL})
    bench.views = {KEY: view(5)}

    await bench.work()

    assert bench.gone == [(KEY, Spans((3, 5)))]


async def test_what_was_passed_and_is_there() -> None:
    """It was not meant when the run was there: it stays open, and the run ends and says so; what is deleted is told."""
    before = {"delivered": {KEY: Spans((5, 10)), OTHER: Spans((5, 7))}}
    bench = Bench(before, before | {"gone": {KEY: Spans((2, 4))}})
    bench.views = {KEY: view(10)}
    bench.there = {KEY: Spans((0, 2), (4, 9))}

    words = await bench.work()

    assert bench.gone == [(KEY, Spans((2, 4)))]
    assert words.startswith("3 of its letters are selected only now, and it is past them: they are open")
    assert (bench.looked, bench.stop.is_set()) == (1, True)


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


@pytest.mark.parametrize(("now", "done"), [("two", "made anew"), ("", "deleted")])
async def test_a_topic_that_is_another_one(now: str, done: str) -> None:
    """Nothing of it will come, and what lies there are other letters: the run ends after two looks that say so."""
    bench = Bench({"delivered": {KEY: Spans((0, 4))}})
    bench.record = RUN.model_copy(update={"topic_id": "one"})
    bench.topic_ids = ["one", now, "one", now, now]
    bench.failure, bench.fails_late = FatalError("the last commit was refused"), True

    assert await bench.work() == f"dlq was {done} meanwhile, with all letters"
    assert len(bench.shown) == 5


async def test_what_was_read_of_a_topic_before_it_was_deleted() -> None:
    """It may be all that is left of these letters: it is sent, then the run ends."""
    rest = {"delivered": {KEY: Spans((0, 4)), OTHER: Spans((5, 7))}}
    bench = Bench({"delivered": {OTHER: Spans((5, 7))}}, {"delivered": {OTHER: Spans((5, 7))}}, rest)
    bench.record = RUN.model_copy(update={"topic_id": "one"})
    bench.views, bench.watermarks = {KEY: replace(view(0), next=4)}, {"dlq": None}
    assert (await bench.work()).startswith("dlq was deleted meanwhile")
    assert [each.done for each in bench.shown] == [2, 2, 6]


async def test_a_topic_whose_id_nobody_knows() -> None:
    """Neither does it say anything where the run is about source topics."""
    bench = Bench({}, {}, {"delivered": ALL})
    bench.topic_ids = ["two"]
    assert await bench.work() == ""

    bench = Bench({}, {}, {"delivered": ALL})
    bench.record, bench.topic_ids = RUN.model_copy(update={"kind": "source", "topic_id": "one"}), ["two"]
    assert await bench.work() == ""


async def test_kafka_is_asked_only_where_nothing_moves() -> None:
    """While letters come, what was deleted before them is passed; a partition with nothing behind it stands still."""
    bench = Bench({}, {}, {}, {}, {"delivered": ALL})
    bench.views = {KEY: view(0)}
    bench.watermarks = {"dlq": {0: (10, 10)}}
    read, moves = bench.read, iter((2, 4, 4, 4))
    asked = []

    def moving() -> Any:
        asked.append(bench.asked - bench.looked)  # where letters are missing it is asked about these, too
        bench.views[KEY] = view(next(moves, 4))
        return read()

    bench.read = moving  # type: ignore[method-assign]

    await bench.work({KEY: Spans((0, 10))})

    assert asked == [0, 0, 0, 1, 2]
    assert bench.gone == [(KEY, Spans((0, 2))), (KEY, Spans((2, 4))), (KEY, Spans((4, 10)))]


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
