"""Reads the dead-letter topics of the embedded Kafka, as anybody could."""

from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from processor.demo.poison import WantedLetter

BATCH = 500
TIMEOUT = 10.0
"""Seconds for the embedded Kafka, which answers at once."""


class LetterBox:
    """All letters from the beginning on; a consumer without a group's offsets.

    Args:
        bootstrap: Kafka's address.
        topics: the dead-letter topics.
    """

    def __init__(self, bootstrap: str, topics: list[str]) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "demo-letter-box", "enable.auto.commit": False, "log_level": 4}
        )
        known = self._consumer.list_topics(timeout=TIMEOUT).topics
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic in topics
                for partition in known[topic].partitions
            ]
        )

    def read(self) -> Iterator[WantedLetter]:
        """Give the letters that have come since; never waits."""
        for message in self._consumer.consume(BATCH, 0):
            if (error := message.error()) is not None:
                raise KafkaException(error)
            headers = _texts(message.headers() or [])
            yield WantedLetter(
                headers["dlq.destination"],
                headers.get("dlq.route", ""),
                headers["dlq.error.class"],
                message.value() or b"",
            )

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()


def _texts(headers: Any) -> Mapping[str, str]:
    """The service's own headers, which are all texts."""
    return {name: value.decode() for name, value in headers if name.startswith("dlq.")}
