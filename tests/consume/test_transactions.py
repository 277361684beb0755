from collections.abc import Sequence
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from processor.settings.kafka_properties import consumer_config
from tests.consume.clusters import Cluster, Join
from tests.support.reading import patiently
from tests.support.waiting import eventually_sync

pytestmark = pytest.mark.parametrize("cluster", ["run's broker, classic", "run's broker, consumer"], indirect=True)
WITHIN = 20.0


def transactions(cluster: Cluster, topic: str, *outcomes: tuple[int, bool]) -> None:
    """Write to partition 0: so many records in each transaction, committed or aborted; a marker ends each."""
    producer = Producer({"bootstrap.servers": cluster.broker.bootstrap, "transactional.id": uuid4().hex})
    producer.init_transactions(WITHIN)
    for records, commits in outcomes:
        producer.begin_transaction()
        for _ in range(records):
            producer.produce(topic, b"x", partition=0)
        producer.flush(WITHIN)
        (producer.commit_transaction if commits else producer.abort_transaction)(WITHIN)


def begin_at_earliest(cluster: Cluster, group: str, topic: str) -> None:
    """Give a new group its start, as every group of the service gets it before it reads."""
    with Consumer(consumer_config(cluster.properties, group, "test")) as consumer:
        start = [TopicPartition(topic, 0, 0)]
        patiently(lambda: consumer.commit(offsets=start, asynchronous=False))


def skip_mock(cluster: Cluster) -> None:
    """Leave out what only a real broker has."""
    if cluster.broker.kind == "embedded":
        pytest.skip("the mock cluster writes no transaction markers")


@pytest.mark.parametrize(
    ("outcomes", "offsets", "end"),
    [
        ([(2, True)], [0, 1], 3),
        ([(2, True), (3, False), (1, True)], [0, 1, 7], 9),
        ([(3, False)], [], 4),
    ],
    ids=["a marker at the end", "an aborted one between", "nothing but an aborted one"],
)
def test_a_quiet_partition_is_committed_up_to_its_end(
    cluster: Cluster, join: Join, outcomes: Sequence[tuple[int, bool]], offsets: list[int], end: int
) -> None:
    """Aborted records never come, and markers leave no lag behind once nothing is open."""
    skip_mock(cluster)
    topic = cluster.topics()
    transactions(cluster, topic, *outcomes)
    group = uuid4().hex
    begin_at_earliest(cluster, group, topic)

    member = join(topic, group)
    eventually_sync(lambda: member.committed().get((topic, 0)) == end, WITHIN)

    assert member.notes.offsets().get((topic, 0), []) == offsets


def test_markers_behind_an_open_record_wait(cluster: Cluster, join: Join) -> None:
    """While a record is unsettled nothing behind it is committed; afterwards all is (invariant 1)."""
    skip_mock(cluster)
    topic = cluster.topics()
    transactions(cluster, topic, (2, True), (2, False))
    member = join(topic, settles=lambda record: record.offset == 0)
    eventually_sync(lambda: member.committed().get((topic, 0)) == 1, WITHIN)

    member.notes.settle(member.notes.records[1:])
    eventually_sync(lambda: member.committed().get((topic, 0)) == 6, WITHIN)
