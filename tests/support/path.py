"""What a test of the whole path needs: a topic with clicks, stub vendors, a configuration, and what must come out."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.demo.clicks import STEP, Click, Shop
from processor.demo.expected import Judgement, expected_deliveries, judge
from processor.demo.rules import Accepted
from processor.demo.shop import Encoder, produce, register
from processor.demo.vendors import VendorOptions, Vendors, running_vendors
from tests.support.background import in_background
from tests.support.broker import Broker, admin_client
from tests.support.registry import Registry
from tests.support.service import ServiceProcess, write_config
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

DESTINATIONS = ("voyado", "rocket")
FAST: Mapping[str, Any] = {"rate": "none", "concurrency": "64", "retry": {"delays": ["1s"]}}
"""A destination without its vendor's limits."""

PRODUCER: Mapping[str, Any] = {
    "partitioner": "murmur2_random",
    "linger.ms": 20,
    "enable.idempotence": True,  # what is written while a broker is lost keeps its order, and comes once
    "socket.timeout.ms": 10_000,
}


@dataclass
class WholePath:
    """One topic on its way to both vendors.

    Attributes:
        prefix: group prefix, so that tests on one broker never meet.
        expected: deliveries that the clicks so far ask for, by destination.
    """

    folder: Path
    broker: Broker
    registry: Registry
    vendors: Vendors
    topic: str
    letters: Mapping[str, str]
    producer: Producer
    admin: AdminClient
    encoder: Encoder
    prefix: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")
    _lookers: dict[str, Consumer] = field(default_factory=dict)
    expected: dict[str, list[Accepted]] = field(default_factory=lambda: {name: [] for name in DESTINATIONS})

    def click(self, count: int, seed: int = 1) -> list[Click]:
        """Produce clicks and remember what they ask for."""
        clicks = list(Shop(seed, int(time.time() * 1000) - count * STEP).clicks(count))
        failures = produce(self.producer, self.topic, clicks, self.encoder, None)
        assert failures.count == 0, failures.last
        for click in clicks:
            for expected in expected_deliveries(click):
                self.expected[expected.destination].append(expected.delivery)
        return clicks

    def service(self, changes: Mapping[str, Any], *arguments: str) -> ServiceProcess:
        """The service with the canonical file, some keys changed."""
        file = write_config(self.folder, {"group_prefix": self.prefix, **changes})
        return ServiceProcess(self.folder, file, self.env, *arguments)

    @property
    def env(self) -> dict[str, str]:
        """What the canonical file takes from the environment."""
        return {
            "KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "SCHEMA_REGISTRY_URL": self.registry.url,
            "VOYADO_URL": self.vendors.voyado_url,
            "ROCKET_URL": self.vendors.rocket_url,
            "CLICKSTREAM_TOPIC": self.topic,
        }

    def overlay(self, **destination: Any) -> dict[str, Any]:
        """Keys for both destinations, without the vendors' limits."""
        return {
            "destinations": {
                name: {**FAST, "dead_letter": {"topic": self.letters[name]}, **destination} for name in DESTINATIONS
            }
        }

    def ends(self) -> dict[int, int]:
        """The topic's end offsets."""
        partitions = self.admin.list_topics(self.topic, timeout=10).topics[self.topic].partitions
        asked = {TopicPartition(self.topic, number): OffsetSpec.latest() for number in partitions}
        return {p.partition: f.result().offset for p, f in self.admin.list_offsets(asked).items()}

    def committed(self, destination: str) -> dict[int, int]:
        """The offsets that a pipeline's group has committed; none, and printed why, while nobody says."""
        group = f"{self.prefix}.{destination}"
        if destination not in self._lookers:
            # Not the admin client: its call for a group's offsets ends the process (librdkafka issue 5040).
            self._lookers[destination] = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": group})
        partitions = [TopicPartition(self.topic, number) for number in self.ends()]
        try:
            return {p.partition: p.offset for p in self._lookers[destination].committed(partitions, timeout=10)}
        except KafkaException as exception:
            print(exception)  # noqa: T201 - stands beside a failure
            return {}

    def all_committed(self) -> bool:
        """Whether both groups have committed the ends."""
        ends = self.ends()
        return all(self.committed(name) == ends for name in DESTINATIONS)

    def settled_of(self, destination: str, within: float) -> None:
        """Wait until one group has committed everything."""
        ends = self.ends()
        eventually_sync(lambda: self.committed(destination) == ends, within)

    def settled(self, within: float) -> None:
        """Wait until both groups have committed everything."""
        eventually_sync(self.all_committed, within)

    def accepted(self, destination: str) -> list[Accepted]:
        """A vendor's books, in the order of arrival."""
        accounts = {"voyado": self.vendors.account.voyado, "rocket": self.vendors.account.rocket}
        return accounts[destination].accepted

    def judgements(self) -> dict[str, Judgement]:
        """What the vendors' books say."""
        return {name: judge(self.expected[name], self.accepted(name)) for name in DESTINATIONS}


@contextmanager
def running_path(
    folder: Path, broker: Broker, registry: Registry, topic: TopicFactory, options: VendorOptions
) -> Iterator[WholePath]:
    """A topic, stub vendors and dead-letter topics for as long as the block runs."""
    with (
        in_background(running_vendors(options)) as vendors,
        SchemaRegistryClient({"url": registry.url}) as client,
    ):
        yield WholePath(
            folder=folder,
            broker=broker,
            registry=registry,
            vendors=vendors,
            topic=topic(),
            letters={name: topic() for name in DESTINATIONS},
            producer=Producer({"bootstrap.servers": broker.bootstrap, **PRODUCER}),
            admin=admin_client(broker.bootstrap),
            encoder=Encoder(register(client)),
        )
