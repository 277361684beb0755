"""What is in Kafka, for tests that look at it from outside."""

from uuid import uuid4

from confluent_kafka import Consumer, Message, TopicPartition

from tests.support.waiting import eventually_sync

TIMEOUT = 10.0
"""Seconds for one question."""


def read(bootstrap: str, topic: str, count: int, *, within: float = 20.0) -> list[Message]:
    """Read a topic from its beginning until this many messages came.

    Args:
        bootstrap: the broker.
        topic: its name; all partitions are read.
        count: messages at least.
        within: seconds after which too few messages are an error.
    """
    config = {"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "enable.auto.commit": False, "log_level": 0}
    with Consumer(config) as consumer:
        partitions = consumer.list_topics(topic, timeout=TIMEOUT).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        messages: list[Message] = []

        def enough() -> bool:
            messages.extend(consumer.consume(count, 0.1))
            return len(messages) >= count

        eventually_sync(enough, within=within)
    return messages


def committed(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    """A group's offsets of a topic, by partition; what it does not have is absent.

    Asked with a consumer: the admin client ends the whole process where the group's coordinator is not ready yet
    (librdkafka issue 5040).
    """
    with Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0}) as consumer:
        numbers = consumer.list_topics(topic, timeout=TIMEOUT).topics[topic].partitions
        offsets = consumer.committed([TopicPartition(topic, number) for number in numbers], timeout=TIMEOUT)
    return {at.partition: at.offset for at in offsets if at.offset >= 0}
