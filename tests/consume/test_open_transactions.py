import pytest

from processor.clock import ManualClock
from processor.consume.open_transactions import PATIENCE, SEEN, OpenTransactions
from processor.consume.statistics import Readable
from tests.support.logs import Lines

KEY, OTHER = ("shop", 0), ("shop", 1)
STOPPED = Readable(position=17, stable=17, end=20)


@pytest.fixture
def clock() -> ManualClock:
    """Time passes when the test says so."""
    return ManualClock(start=1000.0)


@pytest.fixture
def lines() -> Lines:
    """What is logged."""
    return Lines()


@pytest.fixture
def watch(clock: ManualClock, lines: Lines) -> OpenTransactions:
    """Nothing was told yet."""
    return OpenTransactions(clock, lines.log)


def test_one_that_stays_open_is_named(watch: OpenTransactions, clock: ManualClock, lines: Lines) -> None:
    """First where people look, later in the log as well, once, with what to do."""
    watch.look({KEY: STOPPED}, {KEY})
    assert watch.waiting == {}

    clock.advance(SEEN)
    watch.look({KEY: STOPPED}, {KEY})
    assert watch.waiting == {
        KEY: "3 offsets from 17 on cannot be read: a transaction that began there has been open for 10 s"
    }
    assert lines.events == []

    for _ in range(3):
        clock.advance(PATIENCE)
        watch.look({KEY: STOPPED}, {KEY})
    (line,) = lines("transaction_open")
    assert (line["topic"], line["partition"], line["offset"]) == ("shop", 0, 17)
    assert "kafka-transactions.sh" in line["fix"]


def test_one_after_another_is_no_stop(watch: OpenTransactions, clock: ManualClock) -> None:
    """Where the first open one is always another one, they end as they should."""
    for offset in range(10):
        watch.look({KEY: Readable(offset, offset, offset + 5)}, {KEY})
        clock.advance(SEEN * 0.9)

    assert watch.waiting == {}


@pytest.mark.parametrize(
    "log",
    [Readable(position=20, stable=20, end=20), Readable(position=16, stable=17, end=20)],
    ids=["nothing is open", "not read so far yet"],
)
def test_what_is_no_stop(watch: OpenTransactions, clock: ManualClock, log: Readable) -> None:
    """A partition that is read to its end, or has something to read, waits for no transaction."""
    for _ in range(3):
        watch.look({KEY: log}, {KEY})
        clock.advance(SEEN)

    assert watch.waiting == {}


def test_its_end_and_the_partitions_end_it(watch: OpenTransactions, clock: ManualClock) -> None:
    """One that was aborted is named no more, nor is a partition that left or is paused: the client tells what was."""
    for _ in range(2):
        watch.look({KEY: STOPPED, OTHER: STOPPED}, {KEY, OTHER})
        clock.advance(SEEN)
    assert watch.waiting.keys() == {KEY, OTHER}

    watch.look({KEY: STOPPED, OTHER: Readable(20, 20, 20)}, {KEY, OTHER})
    assert watch.waiting.keys() == {KEY}
    watch.look({KEY: STOPPED}, {OTHER})
    assert watch.waiting == {}
