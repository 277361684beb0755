"""What a Kafka thread promises on every broker and with both group protocols."""

import threading
from collections.abc import Mapping
from uuid import uuid4

import pytest

from processor.consume.backpressure import Limits
from processor.consume.polls import BATCH
from tests.consume.clusters import Cluster, Join
from tests.support.broker import PARTITIONS
from tests.support.reading import committed
from tests.support.waiting import eventually_sync

WITHIN = 40.0
"""Seconds for a rebalance under KIP-848, whose heartbeats are 5 s apart, on a busy machine."""


def by_partition(value: int) -> dict[int, int]:
    """The same offset for each partition."""
    return dict.fromkeys(range(PARTITIONS), value)


def test_records_arrive_once_in_order_and_are_committed(cluster: Cluster, join: Join) -> None:
    """Each partition's records come in offset order, each once; settled, they are committed up to the end."""
    topic, group = cluster.filled(each=100), uuid4().hex

    member = join(topic, group)
    eventually_sync(lambda: list(member.committed().values()) == [100] * PARTITIONS, WITHIN)

    assert member.notes.offsets() == {(topic, number): list(range(100)) for number in range(PARTITIONS)}
    assert all(record.value == str(record.offset).encode() for record in member.notes.records)
    assert committed(cluster.broker.bootstrap, group, topic) == by_partition(100)
    assert (dict(member.thread.counts.read), dict(member.thread.counts.abandoned)) == ({topic: 400}, {})
    assert member.thread.counts.last_commit is not None


def test_what_is_not_settled_is_read_again(cluster: Cluster, join: Join) -> None:
    """A commit stops below the first unsettled record; the next member is given that one alone (invariant 1)."""
    topic, group = cluster.filled(each=50), uuid4().hex
    first = join(topic, group, settles=lambda record: record.offset != 20)
    eventually_sync(lambda: len(first.notes.records) == 200, WITHIN)

    first.stop()
    assert committed(cluster.broker.bootstrap, group, topic) == by_partition(20)

    second = join(topic, group)
    eventually_sync(lambda: list(second.committed().values()) == [50] * PARTITIONS, WITHIN)
    assert second.notes.offsets() == {(topic, number): [20] for number in range(PARTITIONS)}
    eventually_sync(lambda: second.thread.counts.read[topic] == 30 * PARTITIONS, WITHIN)
    assert [view.records for view in second.thread.snapshot.partitions.values()] == [0] * PARTITIONS


def test_the_end_commits_what_the_drain_settles(cluster: Cluster, join: Join) -> None:
    """What was still in flight when the stop came, and was accepted in time, is committed."""
    topic, group = cluster.filled(each=10), uuid4().hex
    member = join(topic, group, settles=lambda _: False)
    eventually_sync(lambda: len(member.notes.records) == 40, WITHIN)
    member.notes.on_drain = lambda _: member.notes.settle(member.notes.records)

    member.stop()

    assert committed(cluster.broker.bootstrap, group, topic) == by_partition(10)


def test_a_full_member_fetches_no_more(cluster: Cluster, join: Join) -> None:
    """No more than the limit and one poll is unsettled, and all of the backlog comes (invariant 6)."""
    topic = cluster.filled(each=1000)
    limits = Limits(200, 10**9)
    member = join(topic, settles=lambda _: False, limits=limits)
    eventually_sync(lambda: len(member.thread.snapshot.paused) == PARTITIONS, WITHIN)
    held = list(member.notes.records)

    member.notes.settles = lambda _: True
    member.notes.settle(held)
    eventually_sync(lambda: list(member.committed().values()) == [1000] * PARTITIONS, WITHIN)

    assert member.notes.peak <= limits.max_records + BATCH
    assert member.notes.offsets() == {(topic, number): list(range(1000)) for number in range(PARTITIONS)}
    assert member.thread.snapshot.paused == frozenset()


def test_a_callback_that_raises_loses_nothing(cluster: Cluster, join: Join) -> None:
    """The client destroys records where a callback fails; the next one reads them again (invariant 2)."""
    topic, group = cluster.topics(), uuid4().hex
    member = join(topic, group)
    answered, failures = member.ledger.commit_answered, iter([True, True])

    def fail_twice(results: Mapping[tuple[str, int], int]) -> None:
        if next(failures, False):
            raise ZeroDivisionError
        answered(results)

    member.ledger.commit_answered = fail_twice  # type: ignore[method-assign] # what a bug would do
    cluster.fill(topic, range(2000))
    eventually_sync(lambda: list(member.committed().values()) == [2000] * PARTITIONS, WITHIN)

    assert len(member.lines("consumer_failed")) == 2
    offsets = member.notes.offsets()
    assert {key: sorted(set(values)) for key, values in offsets.items()} == {
        (topic, number): list(range(2000)) for number in range(PARTITIONS)
    }
    assert committed(cluster.broker.bootstrap, group, topic) == by_partition(2000)


def test_a_second_member_takes_over_where_the_first_one_was(cluster: Cluster, join: Join) -> None:
    """What moves is drained and committed first, so only what was unsettled then is read twice."""
    topic, group = cluster.filled(each=50), uuid4().hex
    first = join(topic, group, settles=lambda record: record.offset < 20)
    eventually_sync(lambda: len(first.notes.records) == 200, WITHIN)
    first.notes.on_drain = lambda moving: first.notes.settle(
        [record for record in first.notes.records if record.assignment in moving and 20 <= record.offset < 30]
    )

    second = join(topic, group)
    eventually_sync(lambda: len(second.assigned) == len(first.assigned) == 2, WITHIN)
    eventually_sync(lambda: list(second.committed().values()) == [50, 50], WITHIN)

    moved = {assignment.key for assignment in first.notes.ended_}
    assert moved == second.assigned == {assignment.key for assignment in first.notes.drained}
    assert second.notes.offsets() == {key: list(range(30, 50)) for key in moved}
    assert dict(first.thread.counts.abandoned) == {topic: 40}
    stayed = first.assigned
    assert {key: first.committed()[key] for key in stayed} == dict.fromkeys(stayed, 20)


@pytest.mark.parametrize("cluster", ["run's broker, classic", "embedded, consumer"], indirect=True)
def test_partitions_that_come_back_to_a_full_member(cluster: Cluster, join: Join) -> None:
    """They come paused, nothing is committed for them, and they are read once there is room."""
    topic, group = cluster.filled(each=40), uuid4().hex
    full = join(topic, group, settles=lambda _: False, limits=Limits(40, 10**9))
    eventually_sync(lambda: len(full.thread.snapshot.paused) == PARTITIONS, WITHIN)
    guest = join(topic, group, settles=lambda _: False)
    eventually_sync(lambda: len(guest.assigned) == len(full.assigned) == 2, WITHIN)
    before = full.assigned

    guest.stop()
    eventually_sync(lambda: len(full.assigned) == PARTITIONS, WITHIN)
    assert set(committed(cluster.broker.bootstrap, group, topic).values()) <= {0}

    full.notes.settles = lambda _: True
    full.notes.settle([record for record in full.notes.records if record.assignment.live])
    eventually_sync(lambda: list(full.committed().values()) == [40] * PARTITIONS, WITHIN)
    offsets = full.notes.offsets()
    assert {key: offsets[key] for key in before} == {key: list(range(40)) for key in before}
    assert {key: sorted(set(values)) for key, values in offsets.items()} == {
        (topic, number): list(range(40)) for number in range(PARTITIONS)
    }


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_a_member_that_stood_still_commits_nothing_more(cluster: Cluster, join: Join) -> None:
    """What it settles late is not committed; the heir has read all that was open (invariants 1 and 5)."""
    topic, group = cluster.filled(each=10), uuid4().hex
    taken_over = threading.Event()
    shortest = {"session_timeout_ms": "6000", "max_poll_interval_ms": "6000"}  # that a broker allows
    slow = join(topic, group, settles=lambda record: taken_over.wait(30) and record.offset < 3, **shortest)
    eventually_sync(lambda: slow.notes.records, WITHIN)

    heir = join(topic, group)
    eventually_sync(lambda: list(heir.committed().values()) == [10] * PARTITIONS, WITHIN)
    heir.stop()
    taken_over.set()
    eventually_sync(lambda: list(slow.committed().values()) == [10] * PARTITIONS, WITHIN)

    assert slow.lines("partitions_lost")
    assert heir.notes.offsets() == {(topic, number): list(range(10)) for number in range(PARTITIONS)}
    assert slow.thread.counts.commits_ok == 0
    assert committed(cluster.broker.bootstrap, group, topic) == by_partition(10)
