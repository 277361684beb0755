"""A worker of a run that Kafka refuses something: what it says, what it does not send, and what is of no matter."""

import pytest

from processor.clock import ManualClock
from processor.errors import FatalError
from processor.holds import Reason
from processor.replay.replaying import REST
from processor.replay.spans import Spans
from processor.report import Hold
from tests.replay.worker_bench import ALL, KEY, OTHER, Bench


async def test_what_kafka_waits_for() -> None:
    """The client's own words; where the user lacks something that alone, for it says what to do."""
    bench = Bench({}, {"delivered": ALL})
    bench.trouble = "JoinGroup failed"
    await bench.work()
    assert bench.shown[0].held == "JoinGroup failed"

    bench = Bench({}, {"delivered": ALL})
    bench.trouble, bench.lacking = "JoinGroup failed", ["lacks Read on the groups", "lacks Read on the topic"]
    await bench.work()
    assert bench.shown[0].held == "lacks Read on the groups; lacks Read on the topic"
    assert bench.rested == []


@pytest.mark.parametrize(
    ("reason", "told"), [(Reason.DEAD_LETTER_TOPIC, "lacks Write"), (Reason.OUTAGE, "outage: words")]
)
async def test_when_kafka_is_asked_what_its_user_lacks(reason: Reason, told: str) -> None:
    """Where the dead-letter topic refuses; for a vendor's trouble nobody asks it."""
    bench = Bench({"delivered": ALL})
    bench.holds, bench.lacking = [Hold("", reason, "words", 0.0)], ["lacks Write"]

    await bench.work()

    assert bench.shown[0].held == told


async def test_nothing_is_sent_that_could_not_be_written_down() -> None:
    """While the audit topic takes nothing, what was sent would be sent again by a run that is resumed."""
    bench = Bench({}, {"delivered": ALL})
    bench.unwritten = "not allowed"

    await bench.work()

    assert bench.shown[0].held == "not allowed"
    assert bench.rested[0] == ManualClock().now() + REST


async def test_the_journal_knows_what_is_left() -> None:
    """What another worker has done is not done again where its partitions come here."""
    bench = Bench({"delivered": {KEY: Spans((0, 4))}}, {"delivered": ALL})

    await bench.work()

    assert bench.left == [{KEY: Spans((4, 10)), OTHER: Spans((5, 7))}, {}]


async def test_an_end_that_left_something_undone() -> None:
    """Where all has its outcome, a refused last commit is of no matter; where something is left, it is told."""
    bench = Bench({"delivered": ALL})
    bench.failure, bench.fails_late = FatalError("the last commit was not acknowledged"), True
    assert await bench.work() == ""

    bench = Bench({})
    bench.failure, bench.fails_late = FatalError("the last commit was not acknowledged"), True
    bench.stop.set()
    with pytest.raises(FatalError, match="the last commit"):
        await bench.work()
