"""Where a member goes on after another one, on a real Kafka: settled spans, and committed offsets in trouble."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.cimpl import NewTopic

from processor.consume.backpressure import Limits
from processor.records import Record
from processor.settings.kafka_properties import consumer_config
from processor.settle.metadata import Settled, decode
from tests.consume.clusters import Cluster, Join
from tests.consume.members import AMPLE
from tests.support.broker import PARTITIONS, Broker, KafkaProcess, admin_client
from tests.support.reading import committed, patiently
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

WITHIN = 40.0
"""Seconds for a rebalance, on a busy machine."""
ANY_BROKER = pytest.mark.parametrize("cluster", ["run's broker, classic", "embedded, consumer"], indirect=True)
REAL = pytest.mark.parametrize("cluster", ["run's broker, classic", "run's broker, consumer"], indirect=True)


def real(cluster: Cluster) -> None:
    """Leave out what the mock cluster cannot do."""
    if cluster.broker.kind == "embedded":
        pytest.skip("the mock cluster has no topic ids and deletes no records")


def odd(record: Record) -> bool:
    """Settle every other record."""
    return record.offset % 2 == 1


def never(_: Record) -> bool:
    """Settle nothing."""
    return False


def write(cluster: Cluster, group: str, topic: str, offset: int, metadata: str = "") -> None:
    """Commit for partition 0 as another tool does, while the group has no members."""
    with Consumer(consumer_config(cluster.properties, group, "test")) as consumer:
        at = TopicPartition(topic, 0, offset, metadata)
        patiently(lambda: consumer.commit(offsets=[at], asynchronous=False))


def written(cluster: Cluster, group: str, topic: str) -> tuple[int, str]:
    """What the coordinator has of partition 0."""
    with Consumer(consumer_config(cluster.properties, group, "test")) as consumer:
        (at,) = patiently(lambda: consumer.committed([TopicPartition(topic, 0)], timeout=10))
    return at.offset, at.metadata or ""


@ANY_BROKER
def test_only_the_gaps_are_given_again(cluster: Cluster, join: Join) -> None:
    """A member that settled every other record leaves the others alone to the next one."""
    topic, group = cluster.filled(each=200), uuid4().hex
    first = join(topic, group, settles=odd)
    eventually_sync(lambda: len(first.notes.records) == 200 * PARTITIONS, WITHIN)
    first.stop()

    second = join(topic, group, settles=never)
    eventually_sync(lambda: second.thread.counts.read[topic] == 200 * PARTITIONS, WITHIN)

    assert second.notes.offsets() == {(topic, number): list(range(0, 200, 2)) for number in range(PARTITIONS)}
    assert len(second.lines("settled_ahead")) == PARTITIONS


@REAL
def test_another_tool_s_commit_counts(cluster: Cluster, join: Join) -> None:
    """Its offset is where reading begins, and no text beside it keeps a record from being given again."""
    topic, group = cluster.filled(each=20), uuid4().hex
    first = join(topic, group, settles=lambda record: record.offset != 10)
    eventually_sync(lambda: len(first.notes.records) == 20 * PARTITIONS, WITHIN)
    first.stop()
    offset, ours = written(cluster, group, topic)
    write(cluster, group, topic, 5, ours)

    second = join(topic, group, settles=never)
    eventually_sync(lambda: (topic, 0) in second.notes.offsets(), WITHIN)
    eventually_sync(lambda: len(second.notes.offsets()[topic, 0]) == 15, WITHIN)
    second.stop()
    write(cluster, group, topic, 7, "written by hand")
    third = join(topic, group, settles=never)
    eventually_sync(lambda: (topic, 0) in third.notes.offsets(), WITHIN)

    assert offset == 10
    assert third.notes.offsets()[topic, 0][0] == 7
    (moved,), (foreign,) = second.lines("commit_metadata_ignored"), third.lines("commit_metadata_ignored")
    assert (moved["reason"], foreign["reason"]) == ("it belongs to offset 10", "it is not ours")


@ANY_BROKER
def test_max_ahead_pauses_one_partition(cluster: Cluster, join: Join) -> None:
    """The partition with the gap waits, named, the others go on to their ends; it goes on when the gap closes."""
    topic, each = cluster.filled(each=3000), 3000
    stuck = (topic, 0)
    member = join(
        topic,
        settles=lambda record: (record.assignment.key, record.offset) != (stuck, 5),
        limits=Limits(AMPLE.max_records, AMPLE.max_bytes, max_ahead=1000),
    )
    ends = {(topic, number): each for number in range(1, PARTITIONS)}
    eventually_sync(lambda: member.committed() == {stuck: 5, **ends}, WITHIN)
    eventually_sync(lambda: member.thread.snapshot.paused == {stuck}, WITHIN)
    position = member.thread.snapshot.partitions[stuck].next
    standing = dict(member.thread.snapshot.standing)

    member.notes.settle([record for record in member.notes.records if record.assignment.key == stuck][5:6])
    eventually_sync(lambda: member.committed() == {stuck: each, **ends}, WITHIN)

    assert position is not None
    assert 1000 <= position - 5 <= 1600  # and one poll
    assert standing[stuck].endswith("(max_ahead: 1000) are settled behind offset 5, which is not")
    assert member.notes.offsets()[stuck] == list(range(each))
    assert (len(member.lines("partition_waits")), len(member.lines("partition_goes_on"))) == (1, 1)


@ANY_BROKER
def test_full_metadata_pauses_the_partition(cluster: Cluster, join: Join) -> None:
    """Before the spans are more than a commit can name; so the next member is given the gaps alone."""
    each = 16_000
    topic, group = cluster.filled(each), uuid4().hex
    member = join(topic, group, settles=odd)
    eventually_sync(lambda: len(member.thread.snapshot.standing) == PARTITIONS, WITHIN)
    reasons = set(member.thread.snapshot.standing.values())
    member.stop()
    spans = decode(written(cluster, group, topic)[1])

    heir = join(topic, group)
    eventually_sync(lambda: list(heir.committed().values()) == [each] * PARTITIONS, WITHIN)

    assert all("of what a commit can name) are settled behind offset 0" in reason for reason in reasons)
    assert isinstance(spans, Settled)
    assert 6_000 < len(spans.ahead) < 8_700
    seen = {key: max(offset for offset in offsets if offset % 2) for key, offsets in member.notes.offsets().items()}
    assert heir.notes.offsets() == {
        key: [offset for offset in range(each) if offset % 2 == 0 or offset > last] for key, last in seen.items()
    }


def create_anew(cluster: Cluster, topic: str, each: int) -> None:
    """Delete a topic and make another one of that name, with so many records in each partition."""
    admin = admin_client(cluster.broker.bootstrap)
    admin.delete_topics([topic])[topic].result(10)
    eventually_sync(lambda: topic not in admin.list_topics(timeout=10).topics, WITHIN)
    admin.create_topics([NewTopic(topic, PARTITIONS)])[topic].result(10)
    cluster.fill(topic, range(each))


@REAL
def test_a_topic_created_anew_is_read_from_its_beginning(cluster: Cluster, join: Join) -> None:
    """Its offsets are not the old topic's, which a broker forgets together with the topic."""
    real(cluster)
    topic, group = cluster.filled(each=20), uuid4().hex
    first = join(topic, group)
    eventually_sync(lambda: list(first.committed().values()) == [20] * PARTITIONS, WITHIN)
    first.stop()
    create_anew(cluster, topic, 30)

    second = join(topic, group)
    eventually_sync(lambda: list(second.committed().values()) == [30] * PARTITIONS, WITHIN)

    assert second.notes.offsets() == {(topic, number): list(range(30)) for number in range(PARTITIONS)}


@REAL
def test_the_id_of_another_topic(cluster: Cluster, join: Join) -> None:
    """Where the metadata is of another topic of that name, its spans and its offset count for nothing."""
    real(cluster)
    topic, group = cluster.filled(each=20), uuid4().hex
    first = join(topic, group)
    eventually_sync(lambda: list(first.committed().values()) == [20] * PARTITIONS, WITHIN)
    first.stop()
    offset, ours = written(cluster, group, topic)
    memory = decode(ours)
    assert isinstance(memory, Settled)
    assert memory.topic_id is not None
    write(cluster, group, topic, offset, ours.replace(memory.topic_id, "A" * 21 + "B"))

    second = join(topic, group)
    eventually_sync(lambda: second.committed().get((topic, 0)) == 20, WITHIN)

    assert second.notes.offsets() == {(topic, 0): list(range(20))}
    (line,) = second.lines("topic_recreated")
    assert (line["topic"], line["partition"], line["offset"]) == (topic, 0, 20)
    assert second.thread.counts.expired == {topic: 1}


@REAL
def test_expired_records_are_counted(cluster: Cluster, join: Join) -> None:
    """What was not settled and is deleted is named with its number, and reading goes on behind it."""
    real(cluster)
    topic, group = cluster.filled(each=50), uuid4().hex
    first = join(topic, group, settles=lambda record: record.offset < 10 or 20 <= record.offset < 25)
    eventually_sync(lambda: len(first.notes.records) == 50 * PARTITIONS, WITHIN)
    first.stop()
    admin = admin_client(cluster.broker.bootstrap)
    deleted = admin.delete_records([TopicPartition(topic, 0, 30)])
    assert [each.result(10).low_watermark for each in deleted.values()] == [30]

    second = join(topic, group, settles=never)
    eventually_sync(lambda: (topic, 0) in second.notes.offsets(), WITHIN)

    assert second.notes.offsets()[topic, 0] == list(range(30, 50))
    assert second.thread.counts.expired == {topic: 15}  # 10 to 19, 25 to 29
    assert second.lines("offset_expired")[0]["lost"] == 15


@REAL
def test_an_offset_beyond_the_end_holds(cluster: Cluster, join: Join) -> None:
    """That partition is not read from anywhere, others are; a person resets the offset, and it goes on there."""
    topic, group = cluster.filled(each=20), uuid4().hex
    write(cluster, group, topic, 1000)
    first = join(topic, group)
    others = {(topic, number): 20 for number in range(1, PARTITIONS)}
    eventually_sync(lambda: first.committed() == {(topic, 0): 1000, **others}, WITHIN)
    cluster.fill(topic, range(20, 40))
    eventually_sync(lambda: first.committed() == {(topic, 0): 1000, **dict.fromkeys(others, 40)}, WITHIN)
    standing = first.thread.snapshot.standing
    first.stop()

    kept = committed(cluster.broker.bootstrap, group, topic)[0]
    write(cluster, group, topic, 15)
    second = join(topic, group)
    eventually_sync(lambda: second.committed().get((topic, 0)) == 40, WITHIN)

    assert standing == {(topic, 0): "its committed offset 1000 is beyond the end of the partition"}
    assert (topic, 0) not in first.notes.offsets()
    assert kept == 1000
    assert second.notes.offsets()[topic, 0] == list(range(15, 40))


@pytest.fixture
def small() -> Iterator[Broker]:
    """A broker that takes less metadata than others."""
    kafka = KafkaProcess()
    with kafka._config.open("a") as config:
        config.write("offset.metadata.max.bytes=100\n")
    with kafka:
        yield Broker(kafka.bootstrap, "maven", "Apache Kafka with little room for metadata")


def test_a_broker_that_takes_no_metadata(small: Broker, join_at: Join) -> None:
    """Everything is committed all the same; it is said once what that costs and what to set."""
    cluster = Cluster(small, "classic", TopicFactory(small))
    topic, group = cluster.filled(each=3000), uuid4().hex
    member = join_at(cluster, topic, group, settles=odd)
    eventually_sync(lambda: member.lines("commit_metadata_refused"), WITHIN)
    member.notes.settles = lambda _: True
    member.notes.settle([record for record in list(member.notes.records) if not odd(record)])
    eventually_sync(lambda: list(member.committed().values()) == [3000] * PARTITIONS, WITHIN)

    assert committed(small.bootstrap, group, topic) == dict.fromkeys(range(PARTITIONS), 3000)
    assert written(cluster, group, topic) == (3000, "")
    assert len(member.lines("commit_metadata_refused")) == 1
