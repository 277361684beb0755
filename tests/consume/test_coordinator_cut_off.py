"""Members whose group coordinator is away at the worst moment: while partitions come. On a real Kafka, with a relay."""

from collections.abc import Iterator
from threading import Event
from uuid import uuid4

import pytest

from processor.clock import SystemClock
from processor.consume import arrivals
from processor.consume.lease import SWIFT
from processor.records import Key, Record
from tests.chaos.commits import commits_of
from tests.consume.clusters import Cluster, Join
from tests.consume.members import Member
from tests.consume.test_restarts import WITHIN, never, odd
from tests.support.broker import PARTITIONS
from tests.support.kafka_relay import GROUP_HEARTBEAT, OFFSET_FETCH, RelayedKafka, running_relayed_kafka
from tests.support.options import UnavailableError
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

Place = tuple[Key, int]
"""A partition and an offset."""
EACH = 200
HEARTBEAT = "group.consumer.heartbeat.interval.ms=500", "group.consumer.min.heartbeat.interval.ms=100"


@pytest.fixture(scope="module")
def kafka() -> Iterator[RelayedKafka]:
    """Its KIP-848 members are heard of twice a second; other tests' groups do not meet ours."""
    try:
        with running_relayed_kafka(*HEARTBEAT) as kafka:
            yield kafka
    except UnavailableError as error:
        pytest.skip(f"no Kafka that may be relayed: {error}")


@pytest.fixture(autouse=True)
def _let_go(kafka: RelayedKafka) -> Iterator[None]:
    """Nothing is kept or refused for the next test."""
    yield
    kafka.relay.kept.clear()
    kafka.relay.then.clear()
    kafka.relay.refused.clear()


@pytest.fixture(params=["classic", "consumer"])
def cluster(request: pytest.FixtureRequest, kafka: RelayedKafka) -> Cluster:
    """Reached through the relay."""
    return Cluster(kafka.relayed, request.param, TopicFactory(kafka.broker))


def test_offsets_that_are_told_late(
    cluster: Cluster, join_at: Join, kafka: RelayedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitions are held for as long as the coordinator does not say them; then the gaps alone are given again."""
    monkeypatch.setattr(arrivals, "COMMITTED_TIMEOUT", 0.5)
    topic, group = cluster.filled(EACH), uuid4().hex
    first = join_at(cluster, topic, group, settles=odd)
    eventually_sync(lambda: len(first.notes.records) == EACH * PARTITIONS, WITHIN)
    first.stop()

    kafka.relay.kept.add(OFFSET_FETCH)
    second = join_at(cluster, topic, group)
    eventually_sync(lambda: len(second.thread.snapshot.held) == PARTITIONS, WITHIN)
    eventually_sync(lambda: second.thread.snapshot.paused == second.assigned, WITHIN)
    kafka.relay.kept.clear()
    eventually_sync(lambda: list(second.committed().values()) == [EACH] * PARTITIONS, WITHIN)

    assert second.thread.snapshot.held == {}
    assert second.notes.offsets() == {(topic, number): list(range(0, EACH, 2)) for number in range(PARTITIONS)}


def test_a_client_that_cannot_ask_for_offsets(cluster: Cluster, join_at: Join, kafka: RelayedKafka) -> None:
    """The thread was told them, and the client need not ask: it would drop its question when partitions come or go."""
    topic, group = cluster.filled(EACH), uuid4().hex
    first = join_at(cluster, topic, group)
    eventually_sync(lambda: list(first.committed().values()) == [EACH] * PARTITIONS, WITHIN)
    first.stop()

    kafka.relay.then[OFFSET_FETCH] = OFFSET_FETCH
    second = join_at(cluster, topic, group)
    eventually_sync(lambda: len(second.assigned) == PARTITIONS, WITHIN)
    cluster.fill(topic, range(EACH, 2 * EACH))
    eventually_sync(lambda: list(second.committed().values()) == [2 * EACH] * PARTITIONS, WITHIN)

    assert second.notes.offsets() == {key: list(range(EACH, 2 * EACH)) for key in second.assigned}


class Callback:
    """An assignment's callback that a test keeps from ending."""

    def __init__(self) -> None:
        self.kept, self.begun, self.go = Event(), Event(), Event()

    def __call__(self) -> None:
        """Wait for the test, where it keeps the callback."""
        if self.kept.is_set():
            self.begun.set()
            assert self.go.wait(WITHIN)


def new(member: Member) -> list[Record]:
    """The new records that it has of its partitions."""
    owned = member.assigned
    return [each for each in list(member.notes.records) if each.offset >= EACH and each.assignment.key in owned]


def place(record: Record) -> Place:
    """Where it lies."""
    return record.assignment.key, record.offset


def test_a_heartbeat_that_fails_while_partitions_come(kafka: RelayedKafka, join_at: Join) -> None:
    """The coordinator gives them to another member at once: we send and commit nothing before it has answered us.

    The client repeats the heartbeat with what it acknowledged last. That the coordinator wants them for another one
    it hears with the answer to its next one; for as long as that does not come, two members read them.
    """
    topics = TopicFactory(kafka.broker)
    here, there = (Cluster(broker, "consumer", topics) for broker in (kafka.relayed, kafka.broker))
    topic, group = there.filled(EACH), uuid4().hex
    clock, callback, sent, not_sent = SystemClock(), Callback(), set[Place](), set[Place]()

    def sends(record: Record) -> bool:
        holds = first.thread.lease.holds(clock.now())
        (sent if holds else not_sent).add(place(record))
        return holds

    first = join_at(here, topic, group, slow=callback)
    eventually_sync(lambda: len(first.assigned) == PARTITIONS, WITHIN)
    leaves = join_at(there, topic, group)
    eventually_sync(lambda: len(first.assigned) == len(leaves.assigned) == PARTITIONS // 2, WITHIN)
    eventually_sync(lambda: all(at == EACH for each in (first, leaves) for at in each.committed().values()), WITHIN)

    # Its partitions come back to the first one, whose heartbeat fails; another member comes meanwhile.
    callback.kept.set()
    leaves.stop()
    assert callback.begun.wait(WITHIN)
    begun = clock.now()
    comes = join_at(there, topic, group, settles=never)
    hung_up = kafka.relay.ended[GROUP_HEARTBEAT]
    kafka.relay.refused.add(GROUP_HEARTBEAT)
    eventually_sync(lambda: kafka.relay.ended[GROUP_HEARTBEAT] > hung_up)
    kafka.relay.refused.clear()
    taken = eventually_sync(lambda: comes.assigned, WITHIN)
    eventually_sync(lambda: clock.now() > begun + SWIFT)

    # The coordinator is away again, the callback ends, and the client begins to read.
    first.notes.settles = sends
    kafka.relay.refused.add(GROUP_HEARTBEAT)
    callback.go.set()
    there.fill(topic, range(EACH, 2 * EACH))
    eventually_sync(lambda: any(key in taken for key, _ in sent | not_sent), WITHIN)
    kafka.relay.refused.clear()
    eventually_sync(lambda: len(first.assigned) == PARTITIONS // 2 and not first.assigned & comes.assigned, WITHIN)

    assert {key for key, _ in sent} <= first.assigned
    for member in (first, comes):
        eventually_sync(lambda member=member: len(new(member)) == EACH * PARTITIONS // 2, WITHIN)  # type: ignore[misc]
        member.notes.settle([each for each in new(member) if place(each) not in sent])
    eventually_sync(lambda: all(at == 2 * EACH for each in (first, comes) for at in each.committed().values()), WITHIN)
    for number in range(PARTITIONS):
        commits = commits_of(kafka.broker.bootstrap, group, topic)
        offsets = [commit.offset for commit in commits if commit.partition == number]
        assert offsets == sorted(offsets)
