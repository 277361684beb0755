"""The metrics that are read on a scrape."""

import pytest

from processor.consume.ports import Snapshot
from processor.metrics import LAST_COMMIT, RATE_LIMIT, RECORDS
from processor.offsets import PartitionView
from tests.report_bench import BEGIN, Bench


@pytest.fixture
def bench() -> Bench:
    """A healthy pipeline without limits."""
    return Bench()


def test_samples_of_a_busy_pipeline() -> None:
    """What is limited, committed and behind is read when somebody asks."""
    bench = Bench(rate=50.0)
    bench.unsettled(5)
    bench.ends.ends[("clicks", 3)] = 20
    bench.kafka.counts.read["clicks"] = 10
    bench.kafka.counts.last_commit = BEGIN

    found = {declaration.name: values for declaration, values in bench.samples().items()}

    assert found[RATE_LIMIT.name] == [(("shop",), 50.0)]
    assert found[LAST_COMMIT.name] == [(("shop",), BEGIN)]
    assert (("shop", "clicks", "3"), 15) in found["lag_records"]
    assert (("shop", "clicks", "settled"), 6) in found["records_total"]
    assert found["oldest_unsettled_timestamp_seconds"] == [(("shop",), 1_700_000_000.0)]


def test_samples_of_an_idle_pipeline(bench: Bench) -> None:
    """What nobody knows is not said: no limit, no commit, no lag, nothing that is old."""
    bench.unsettled(5, records=0)
    view = PartitionView(5, 5, 5, 0, 0, 0, None)
    bench.kafka.snapshot = Snapshot(0.0, assigned=True, partitions={("clicks", 3): view})

    names = {declaration.name for declaration in bench.samples()}

    assert not names & {RATE_LIMIT.name, LAST_COMMIT.name, "lag_records", "oldest_unsettled_timestamp_seconds"}


def test_records_that_expired_are_counted(bench: Bench) -> None:
    """Also of a topic of which nothing was read yet; they are no part of what was read."""
    bench.kafka.counts.expired["clicks"] = 3
    assert bench.samples()[RECORDS] == [(("shop", "clicks", "expired"), 3)]
    bench.kafka.counts.read["clicks"] = 10

    assert dict(bench.samples()[RECORDS]) == {
        ("shop", "clicks", "read"): 10,
        ("shop", "clicks", "abandoned"): 0,
        ("shop", "clicks", "settled"): 10,
        ("shop", "clicks", "expired"): 3,
    }
