"""Kafka without a broker to install: librdkafka's mock cluster, in this process, on real TCP.

It forgets the oldest messages of a partition silently past about 5 MB: whoever produces must not run ahead.
"""

from confluent_kafka import Producer

TIMEOUT = 10.0
"""Seconds for the mock cluster, which answers at once."""


class EmbeddedKafka:
    """A mock cluster for as long as this object lives; it also produces.

    Attributes:
        bootstrap: the address for clients.
    """

    def __init__(self, topics: list[str]) -> None:
        """Start it, with these topics (4 partitions each)."""
        self.producer = Producer(
            {"test.mock.num.brokers": 1, "log_level": 4, "partitioner": "murmur2_random", "linger.ms": 5}
        )
        brokers = self.producer.list_topics(timeout=TIMEOUT).brokers
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers.values())
        for topic in topics:  # the mock cluster makes a topic when somebody asks for it
            self.producer.list_topics(topic, timeout=TIMEOUT)
