"""What lies in a dead-letter topic."""

from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition

from tests.support.broker import Broker
from tests.support.waiting import eventually_sync


def letters(broker: Broker, topic: str, count: int) -> list[tuple[bytes | None, bytes | None, dict[str, str]]]:
    """Key, value and headers of all letters, once there are so many."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": uuid4().hex})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(4)])
    found: list[tuple[bytes | None, bytes | None, dict[str, str]]] = []

    def enough() -> bool:
        for message in consumer.consume(100, 0.2):
            headers: Any = message.headers() or []
            found.append((message.key(), message.value(), {name: value.decode() for name, value in headers}))
        return len(found) >= count

    try:
        eventually_sync(enough, within=20)
    finally:
        consumer.close()
    return found
