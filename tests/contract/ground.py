"""Where a statement about Kafka is tried: the simulated one, or a real one. A test cannot tell which it is."""

from collections.abc import Callable
from typing import Any, Protocol

import pytest

from processor.settings.kafka_properties import consumer_config

BOTH = pytest.mark.parametrize(
    "ground", ["simulated, classic", "simulated, consumer", "real, classic", "real, consumer"], indirect=True
)
"""For what may differ between the two group protocols."""
WITHIN = 40.0
"""Seconds for what must come; a heartbeat of the newer protocol takes 5."""


class Ground(Protocol):
    """A Kafka, and what a test does to it.

    Attributes:
        protocol: of the groups.
    """

    protocol: str

    def topic(self, partitions: int = 1) -> str:
        """A new topic; gives its name."""

    def fill(self, topic: str, count: int, partition: int = 0) -> None:
        """Write so many records; a value is its offset, as long as nothing else was written."""

    def transaction(self, topic: str, count: int, *, commits: bool) -> None:
        """Write so many records to partition 0, and a marker behind them."""

    def hang(self, topic: str, count: int) -> None:
        """Write so many records to partition 0 in a transaction that does not end."""

    def expire(self, topic: str, before: int) -> None:
        """What is below this offset of partition 0 is deleted."""

    def create_anew(self, topic: str) -> None:
        """Delete a topic and create it again, with one partition."""

    def add_partitions(self, topic: str, partitions: int) -> None:
        """A topic has so many now."""

    def limit(self, topic: str, size: int) -> None:
        """A topic takes no message beyond so many bytes."""

    def consumer(self, config: dict[str, Any]) -> Any:
        """`confluent_kafka.Consumer`."""

    def producer(self, config: dict[str, Any]) -> Any:
        """`confluent_kafka.Producer`."""

    def admin(self) -> Any:
        """`confluent_kafka.admin.AdminClient`."""

    def result(self, future: Any) -> Any:
        """Wait for an admin client's answer."""

    def until(self, condition: Callable[[], object], within: float = WITHIN) -> None:
        """Look until it is true."""

    def unreachable(self) -> "Ground":
        """The same, with no broker that can be reached."""


def config_of(ground: Ground, group: str, **more: object) -> dict[str, Any]:
    """A consumer's configuration as the service has it; names with `_` for `.`."""
    kafka = {"bootstrap.servers": "kafka:9092", "group.protocol": ground.protocol, "log_level": "0"}
    if ground.protocol == "classic":
        kafka |= {"session.timeout.ms": "6000", "heartbeat.interval.ms": "200"}
    return consumer_config(kafka, group, "test") | {name.replace("_", "."): value for name, value in more.items()}
