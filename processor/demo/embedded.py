"""Kafka without a broker to install: librdkafka's mock cluster, in this process, on real TCP.

It forgets the oldest messages of a partition silently past about 5 MB: whoever produces must not run ahead.
"""

from collections import defaultdict, deque

from confluent_kafka import KafkaError, Message, Producer

TIMEOUT = 10.0
"""Seconds for the mock cluster, which answers at once."""
FRAME = 70
"""Bytes that a record has beside key and value, at most."""


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


class Shelf:
    """What each partition of one topic must not forget yet: it was produced, and not every group has committed it.

    Attributes:
        ends: by partition, the offset behind its last record.
        failed: why a record was not taken; None = all were.
    """

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}
        self.failed: KafkaError | None = None
        self._kept: defaultdict[int, deque[tuple[int, int]]] = defaultdict(deque)
        self._bytes: defaultdict[int, int] = defaultdict(int)

    @property
    def fullest(self) -> int:
        """Bytes that the fullest partition must keep."""
        return max(self._bytes.values(), default=0)

    def put(self, error: KafkaError | None, message: Message) -> None:
        """Enter a record; librdkafka's delivery report."""
        if error is not None:
            self.failed = error
            return
        self.enter(message.partition() or 0, message.offset() or 0, len(message.value() or b""))

    def enter(self, partition: int, offset: int, size: int) -> None:
        """A record is in Kafka; `size` is its value's in bytes."""
        self.ends[partition] = offset + 1
        self._kept[partition].append((offset, size + FRAME))
        self._bytes[partition] += size + FRAME

    def committed(self, partition: int, offset: int) -> None:
        """Nobody reads anything below this offset again."""
        kept = self._kept[partition]
        while kept and kept[0][0] < offset:
            self._bytes[partition] -= kept.popleft()[1]
