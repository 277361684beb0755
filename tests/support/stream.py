"""A stream on its way to Retail Rocket whose records need schemas from a registry, partition by partition."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient

from tests.decode.registries import binary, framed, record_type
from tests.support.path import WholePath
from tests.support.reading import read
from tests.support.service import ServiceProcess
from tests.support.waiting import eventually_sync

PARTITIONS = range(4)
EVENT = "com.acme.Seen"
FIELDS = ("session", "product", "time")
FIRST = record_type("Seen", **dict.fromkeys(FIELDS, "string"))
SECOND = record_type("Seen", **dict.fromkeys((*FIELDS, "shop"), "string"))
"""What producers write after a change: the same event with one more field."""
VALUE = {"time": "2026-11-22T10:31:07Z", "shop": "north"}
WITHIN = 40.0
"""Seconds for what may have to wait for the longest pause between two questions to a registry."""


@dataclass
class Stream:
    """One visitor per partition, who looks at products 1000, 1001, … one after another.

    Attributes:
        registry_url: where schemas are registered.
        first, second: ids of the two versions of the event's schema.
        sent: products that must be delivered, by partition.
    """

    path: WholePath
    registry_url: str
    first: int = 0
    second: int = 0
    sent: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.first, self.second = self.register("seen", FIRST), self.register("seen", SECOND)

    def register(self, subject: str, schema: object, kind: str = "AVRO", **references: str) -> int:
        """Register a schema; references are subjects by the name that the schema has for them."""
        parts = [SchemaReference(name, referred, 1) for name, referred in references.items()]
        with SchemaRegistryClient({"url": self.registry_url}) as client:
            schema_id: int = client.register_schema(subject, Schema(json.dumps(schema), kind, parts))
            return schema_id

    def send(self, schema_id: int, count: int, *partitions: int) -> None:
        """Good records: as many on each of these partitions."""
        schema = SECOND if schema_id == self.second else FIRST
        for partition in partitions:
            for _ in range(count):
                product = str(1000 + len(self.sent[partition]))
                self.sent[partition].append(product)
                value = {**VALUE, "session": f"visitor{partition}", "product": product}
                self.path.producer.produce(
                    self.path.topic, framed(schema_id, binary(schema, value)), partition=partition
                )
        assert self.path.producer.flush(10) == 0

    def send_bytes(self, values: Sequence[bytes], count: int, *partitions: int) -> None:
        """Records that nobody can deliver: each so many times on each of these partitions."""
        for partition in partitions:
            for value in [*values] * count:
                self.path.producer.produce(self.path.topic, value, partition=partition)
        assert self.path.producer.flush(10) == 0

    def service(
        self, registry: Mapping[str, Any], *destinations: str, hold_above: float = 0.5, **changes: Any
    ) -> ServiceProcess:
        """The service with these keys of `registry`, for Retail Rocket and more destinations."""
        seen = {"sessionExternalId": "session", "timestamp": "time", "productId": "product"}
        route = {"event": EVENT, "topics": self.path.topic, "to": "rocket.view", "map": seen}
        changes = {"routes": {"seen": route}, **self.path.overlay(batch=None), "registry": registry, **changes}
        changes["destinations"]["rocket"]["dead_letter"]["hold_above"] = hold_above
        arguments = [word for name in ("rocket", *destinations) for word in ("--destination", name)]
        return self.path.service(changes, *arguments)

    @property
    def delivered(self) -> dict[int, list[str]]:
        """Products by partition, in the order in which the vendor got them."""
        found: dict[int, list[str]] = {partition: [] for partition in self.sent}
        for one in self.path.accepted("rocket"):
            found[int(one.lane.removeprefix("visitor"))].append(one.item)
        return found

    @property
    def committed(self) -> dict[int, int]:
        """Offsets by partition."""
        return self.path.committed("rocket")

    def settled(self, *partitions: int) -> None:
        """Wait until the ends of these partitions are committed, of all where none is named."""
        ends = self.path.ends()
        wanted = {partition: ends[partition] for partition in partitions or PARTITIONS}
        eventually_sync(lambda: wanted.items() <= self.committed.items(), WITHIN)

    def letters(self) -> list[dict[str, str]]:
        """The headers of all dead letters."""
        topic = self.path.letters["rocket"]
        asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in PARTITIONS}
        count = sum(future.result().offset for future in self.path.admin.list_offsets(asked).values())
        messages = read(self.path.broker.bootstrap, topic, count) if count else []
        headers: list[Any] = [message.headers() or [] for message in messages]
        return [{name: value.decode() for name, value in each} for each in headers]


def waiting_for(service: ServiceProcess) -> dict[str, str]:
    """What a service says it waits for."""
    said: dict[str, str] = service.status()["rocket"]["waiting_for"]
    return said


def partitions_waiting(service: ServiceProcess) -> dict[int, str]:
    """Which partitions wait by themselves, and for what."""
    said = service.status()["rocket"]["partitions"]
    return {each["partition"]: each["waiting_for"] for each in said if each["waiting_for"]}


def await_trouble(service: ServiceProcess, words: str) -> str:
    """Wait until a service says this of the registry; gives all that it says."""
    service.ready()
    return eventually_sync(lambda: (said := waiting_for(service).get("registry", "")) * (words in said), within=20)


def lines(service: ServiceProcess, event: str) -> list[dict[str, Any]]:
    """What a service logged under this name."""
    written = [json.loads(line) for line in service.log.splitlines()]
    return [line for line in written if line["event"] == event]
