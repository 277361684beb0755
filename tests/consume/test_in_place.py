"""What happens to partitions while a member has them, on a real Kafka."""

from uuid import uuid4

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewPartitions

from processor.consume.backpressure import Limits
from processor.settings.kafka_properties import consumer_config
from tests.consume.clusters import Cluster, Join
from tests.consume.test_restarts import REAL, WITHIN, create_anew, never, written
from tests.support.broker import PARTITIONS, admin_client
from tests.support.waiting import eventually_sync

KAFKA_SOON = {"topic_metadata_refresh_interval_ms": "1000"}
"""Five minutes by default until a client sees that a topic has changed."""


@REAL
def test_records_that_expire_under_a_paused_member(cluster: Cluster, join: Join) -> None:
    """They are counted and named when it reads on, and what was read before is delivered all the same."""
    topic = cluster.filled(each=1000)
    member = join(topic, settles=never, limits=Limits(40, 10**9))
    eventually_sync(lambda: len(member.thread.snapshot.paused) == PARTITIONS, WITHIN)
    (key, stood), *_ = [(key, view.next) for key, view in member.thread.snapshot.partitions.items() if view.next]
    admin = admin_client(cluster.broker.bootstrap)
    deleted = admin.delete_records([TopicPartition(*key, 900)])
    assert [each.result(10).low_watermark for each in deleted.values()] == [900]

    member.notes.settles = lambda _: True
    member.notes.settle(list(member.notes.records))
    eventually_sync(lambda: list(member.committed().values()) == [1000] * PARTITIONS, WITHIN)

    assert member.notes.offsets()[key] == [*range(stood), *range(900, 1000)]
    assert member.thread.counts.expired == {topic: 900 - stood}
    (line,) = member.lines("offset_expired")
    assert (line["partition"], line["offset"], line["lost"]) == (key[1], stood, 900 - stood)
    assert member.notes.ended_ == []


@REAL
@pytest.mark.parametrize("each", [5, 30])
def test_a_topic_created_anew_under_a_member(cluster: Cluster, join: Join, each: int) -> None:
    """Shorter or longer than it was: named, counted, and read from its first record."""
    topic = cluster.filled(each=20)
    member = join(topic)
    eventually_sync(lambda: list(member.committed().values()) == [20] * PARTITIONS, WITHIN)

    create_anew(cluster, topic, each)
    new = {(topic, number): list(range(each)) for number in range(PARTITIONS)}
    eventually_sync(lambda: {key: read[20:][-each:] for key, read in member.notes.offsets().items()} == new, 2 * WITHIN)
    eventually_sync(lambda: list(member.committed().values()) == [each] * PARTITIONS, WITHIN)

    assert len(member.lines("topic_recreated")) == PARTITIONS
    assert member.thread.counts.expired == {topic: PARTITIONS}


@REAL
def test_partitions_added_under_a_member(cluster: Cluster, join: Join) -> None:
    """They begin at their first record, also where that was written before the member saw them."""
    topic = cluster.topics(1)
    member = join(topic, **KAFKA_SOON)
    eventually_sync(lambda: member.assigned == {(topic, 0)}, WITHIN)

    admin = admin_client(cluster.broker.bootstrap)
    admin.create_partitions([NewPartitions(topic, PARTITIONS)])[topic].result(10)
    cluster.fill(topic, range(20))
    eventually_sync(lambda: list(member.committed().values()) == [20] * PARTITIONS, 2 * WITHIN)

    assert member.notes.offsets() == {(topic, number): list(range(20)) for number in range(PARTITIONS)}
    assert member.thread.counts.expired == {}


@REAL
def test_offsets_cannot_be_reset_under_a_member(cluster: Cluster, join: Join) -> None:
    """The broker refuses that while the group has members, to its own tool and to any client."""
    topic, group = cluster.filled(each=20), uuid4().hex
    member = join(topic, group)
    eventually_sync(lambda: list(member.committed().values()) == [20] * PARTITIONS, WITHIN)

    admin, reset = admin_client(cluster.broker.bootstrap), [TopicPartition(topic, 0, 0)]
    altered = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, reset)])[group].result(10)
    tool = Consumer(consumer_config(cluster.properties, group, "tool"))
    with pytest.raises(KafkaException) as refused:
        tool.commit(offsets=reset, asynchronous=False)
    tool.close()

    refusals = {altered.topic_partitions[0].error.code(), refused.value.args[0].code()}
    assert refusals <= {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.ILLEGAL_GENERATION}
    assert written(cluster, group, topic)[0] == 20
