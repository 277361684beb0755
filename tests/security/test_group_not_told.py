"""A member whose Kafka user may not see what others of its group read, on a real Kafka (KIP-848)."""

from uuid import uuid4

from confluent_kafka import Consumer
from confluent_kafka.admin import AclOperation, AdminClient, ResourceType

from processor.clock import SystemClock
from processor.consume.roll import Roll
from processor.kafka_admin import SharedAdmin
from processor.settings.kafka_properties import consumer_config
from tests.consume.members import start_member
from tests.support.guarded import Entry, GuardedKafka
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

TO_WORK: tuple[Entry, ...] = (
    (ResourceType.TOPIC, "test.*", AclOperation.READ),
    (ResourceType.GROUP, "test*", AclOperation.READ),
)
"""What a member needs: names of tests' topics and groups begin so."""


def test_a_standby_that_is_not_told_whether_it_has_joined(guarded: GuardedKafka) -> None:
    """All partitions are another one's, who reads more: why nobody knows is said, with the right that is lacking."""
    topics = TopicFactory(guarded.broker)
    shared, hidden, group = topics(1), topics(1, name=f"hidden.{uuid4().hex}"), f"test.{uuid4().hex}"
    guarded.let(*TO_WORK)
    whole = {"bootstrap.servers": guarded.bootstrap, "group.id": group, "group.protocol": "consumer", "log_level": 0}
    first = Consumer(whole)
    first.subscribe([shared, hidden])
    eventually_sync(lambda: first.poll(0.1) or len(first.assignment()) == 2, within=30)

    config = consumer_config({**guarded.login, "group.protocol": "consumer"}, group, "test")
    clock = SystemClock()
    standby = start_member(
        lambda callbacks: Consumer({**config, **callbacks}),
        [shared],
        roll=Roll(SharedAdmin(lambda: AdminClient({**guarded.login}), clock), group, clock),
        tells_loss=False,
    )
    try:
        said = eventually_sync(lambda: standby.thread.snapshot.trouble, within=30)
        assert "; another member of the consumer group reads topics" in said
        assert "--operation Describe --topic TOPIC" in said
        assert not standby.thread.snapshot.assigned
        assert len(standby.lines("kafka_trouble")) == 1

        first.close()
        eventually_sync(lambda: standby.assigned == {(shared, 0)}, within=60)
        assert standby.thread.snapshot.trouble is None
    finally:
        standby.stop()
        guarded.forbid(*TO_WORK)
        topics.close()
