"""The metrics of one pipeline that are read on a scrape; what is counted as it happens is the scorekeeper's."""

from collections.abc import Iterator

from processor.metrics import (
    COMMITS,
    HOLD,
    HOLD_SINCE,
    IN_FLIGHT,
    LAG,
    LAST_COMMIT,
    OLDEST_UNSETTLED,
    RATE_LIMIT,
    RATE_USED,
    REBALANCES,
    RECORDS,
    UNSETTLED_BYTES,
    UNSETTLED_RECORDS,
    Declaration,
    Sample,
)
from processor.report import holds
from processor.running import RunningPipeline


def samples(running: RunningPipeline) -> Iterator[tuple[Declaration, Sample]]:
    """Metrics that are read when somebody scrapes."""
    name, counts = running.plan.name, running.kafka.counts
    yield from _record_samples(running)
    yield IN_FLIGHT, ((name,), running.sender.in_flight)
    pace = running.scheduler.pace
    if pace.limit is not None:
        yield RATE_LIMIT, ((name,), pace.limit)
    yield RATE_USED, ((name,), pace.used(running.clock.now()))
    for hold in holds(running):
        yield HOLD, ((name, hold.method, hold.reason.value), 1)
        yield HOLD_SINCE, ((name, hold.method, hold.reason.value), hold.since)
    yield COMMITS, ((name, "ok"), counts.commits_ok)
    yield COMMITS, ((name, "failed"), counts.commits_failed)
    if counts.last_commit is not None:
        yield LAST_COMMIT, ((name,), counts.last_commit)
    yield REBALANCES, ((name,), counts.rebalances)


def _record_samples(running: RunningPipeline) -> Iterator[tuple[Declaration, Sample]]:
    name, counts, view = running.plan.name, running.kafka.counts, running.kafka.snapshot.partitions
    for key, partition in view.items():
        lag = running.ends.lag(key, partition.frontier)
        if lag is not None:
            yield LAG, ((name, key[0], str(key[1])), lag)
    read, abandoned = dict(counts.read), dict(counts.abandoned)
    for topic, total in read.items():
        gone = abandoned.get(topic, 0)
        held = sum(partition.records for key, partition in view.items() if key[0] == topic)
        yield RECORDS, ((name, topic, "read"), total)
        yield RECORDS, ((name, topic, "abandoned"), gone)
        yield RECORDS, ((name, topic, "settled"), total - gone - held)
    for topic, total in dict(counts.expired).items():
        yield RECORDS, ((name, topic, "expired"), total)
    yield UNSETTLED_RECORDS, ((name,), sum(partition.records for partition in view.values()))
    yield UNSETTLED_BYTES, ((name,), sum(partition.size for partition in view.values()))
    oldest = [partition.oldest for partition in view.values() if partition.oldest is not None]
    if oldest:
        yield OLDEST_UNSETTLED, ((name,), min(oldest) / 1000)
