"""What is in Kafka, for tests that look at it from outside."""

from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.support.waiting import eventually_sync

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds for one question."""
NO_COORDINATOR_YET = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)


def patiently(ask: Callable[[], T]) -> T:
    """Ask a group's coordinator again until it is one: the first group of a fresh broker has to wait for it.

    Raises:
        KafkaException: it answered, and refused.
    """
    answers: list[T] = []

    def answered() -> bool:
        try:
            answers.append(ask())
        except KafkaException as error:
            if error.args[0].code() not in NO_COORDINATOR_YET:
                raise
        return bool(answers)

    eventually_sync(answered, within=2 * TIMEOUT)
    return answers[0]


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
        asked = [TopicPartition(topic, number) for number in numbers]
        offsets = patiently(lambda: consumer.committed(asked, timeout=TIMEOUT))
    return {at.partition: at.offset for at in offsets if at.offset >= 0}
