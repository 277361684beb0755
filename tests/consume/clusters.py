"""Where a Kafka thread is tried out: a broker, real or embedded, and a group protocol."""

from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import Producer

from tests.consume.members import Member
from tests.support.broker import PARTITIONS, Broker
from tests.support.topics import TopicFactory

Join = Callable[..., Member]
"""Starts a member of a group."""


@dataclass(frozen=True)
class Cluster:
    """A broker, and the protocol that its groups use.

    Attributes:
        protocol: `classic` (cooperative-sticky) or `consumer` (KIP-848).
    """

    broker: Broker
    protocol: str
    topics: TopicFactory

    @property
    def properties(self) -> dict[str, str]:
        """As the file's `kafka:` would have them."""
        own = {"bootstrap.servers": self.broker.bootstrap, "group.protocol": self.protocol, "log_level": "0"}
        return own if self.protocol == "consumer" else own | {"heartbeat.interval.ms": "200"}

    def filled(self, each: int) -> str:
        """A topic with so many records in each partition; a record's value is its offset."""
        topic = self.topics()
        self.fill(topic, range(each))
        return topic

    def fill(self, topic: str, offsets: range) -> None:
        """Put more records into each partition."""
        producer = Producer({"bootstrap.servers": self.broker.bootstrap, "linger.ms": 5, "log_level": 0})
        for offset in offsets:
            for partition in range(PARTITIONS):
                producer.produce(topic, str(offset).encode(), partition=partition)
        assert producer.flush(20) == 0
