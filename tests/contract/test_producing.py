"""What the undertaker believes of producers, said of the simulated Kafka and of a real one alike."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from processor.settings.kafka_properties import producer_config
from tests.contract.ground import Ground
from tests.contract.test_asking import code_of


class Reports:
    """A producer as the service has it, and what it reported."""

    def __init__(self, ground: Ground, **config: object) -> None:
        kafka = {"bootstrap.servers": "kafka:9092"}
        more = {name.replace("_", "."): value for name, value in config.items()}
        self.codes: list[int | None] = []
        self._ground = ground
        self.producer = ground.producer(producer_config(kafka, "test") | more)

    def produce(self, topic: str, value: bytes) -> None:
        """Produce."""
        self.producer.produce(
            topic, key=b"k", value=value, headers=[("dlq.stage", b"map")], on_delivery=self._delivered
        )

    def until(self, count: int) -> list[int | None]:
        """Poll until so many reports came."""

        def came() -> bool:
            self.producer.poll(0.1)
            return len(self.codes) >= count

        self._ground.until(came)
        return self.codes

    def _delivered(self, error: KafkaError | None, _: Any) -> None:
        self.codes.append(error.code() if error else None)


def test_reports_come_in_poll(ground: Ground) -> None:
    """One for each message, without an error when the broker has it."""
    topic = ground.topic()
    reports = Reports(ground)
    for number in range(3):
        reports.produce(topic, str(number).encode())

    assert reports.codes == []
    assert reports.until(3) == [None] * 3
    assert reports.producer.flush(1) == 0


def test_what_is_too_large(ground: Ground) -> None:
    """Beyond the client's own limit it is refused at once, beyond the topic's by the broker."""
    topic = ground.topic()
    ground.limit(topic, 5000)
    reports = Reports(ground)

    with pytest.raises(KafkaException) as raised:
        reports.produce(topic, b"x" * 2_000_000)
    assert code_of(raised) == KafkaError.MSG_SIZE_TOO_LARGE
    reports.produce(topic, b"x" * 20_000)

    assert reports.until(1) == [KafkaError.MSG_SIZE_TOO_LARGE]


def test_a_missing_topic_is_a_time_out(ground: Ground) -> None:
    """Nothing else says that a dead-letter topic is not there."""
    reports = Reports(ground, message_timeout_ms=1500)
    reports.produce("no-such-topic", b"x")

    assert reports.until(1) == [KafkaError._MSG_TIMED_OUT]


def test_nobody_takes_it(ground: Ground) -> None:
    """The message waits in the client until its time is over; purged, it comes back at once."""
    topic = ground.topic()
    nowhere = ground.unreachable()
    reports = Reports(nowhere, message_timeout_ms=30_000)
    reports.produce(topic, b"x")
    reports.producer.poll(0.5)
    assert reports.codes == []

    reports.producer.purge()

    assert reports.until(1) == [KafkaError._PURGE_QUEUE]
