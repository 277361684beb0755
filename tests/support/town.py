"""The service in this process, over an embedded Kafka, stub vendors and a stub registry."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.app import build_service
from processor.clock import SystemClock
from processor.demo.clicks import STEP, Shop
from processor.demo.embedded import EmbeddedKafka
from processor.demo.expected import Judgement, expected_deliveries, judge
from processor.demo.registry import running_registry
from processor.demo.rules import Accepted
from processor.demo.shop import Encoder, register
from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions, Vendors, running_vendors
from processor.errors import FatalError
from processor.plan import load_plans
from processor.running import RunningPipeline
from processor.service import Service
from tests.support.service import write_config
from tests.support.waiting import eventually

TOPIC = "shop.clickstream"
PARTITIONS = 4
CLICKS = 200
WITHIN = 60.0
"""Seconds for what a busy machine has to do."""


@dataclass
class Run:
    """A service that runs Retail Rocket's pipeline.

    Attributes:
        stop: begins its end.
        ended: what became of it; None = well.
    """

    service: Service
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended: FatalError | None = None

    @property
    def state(self) -> dict[str, Any]:
        """What `/status` answers for the pipeline."""
        found: dict[str, Any] = self.service.status()["pipelines"]["rocket"]
        return found

    @property
    def in_flight(self) -> int:
        """Requests that wait for their answer."""
        return self.pipeline.sender.in_flight

    @property
    def pipeline(self) -> RunningPipeline:
        """The one that runs."""
        (pipeline,) = self.service.pipelines
        return pipeline

    def close(self) -> None:
        """Close what a process takes along when it ends."""
        registry: Any = self.pipeline.schemas._registry
        registry.__exit__(None, None, None)

    async def run(self) -> None:
        """Run until its end."""
        try:
            await self.service.run(self.stop)
        except FatalError as error:
            self.ended = error


@dataclass
class Town:
    """What surrounds a service.

    Attributes:
        expected: deliveries that the clicks ask for.
    """

    folder: Path
    vendors: Vendors
    registry: str
    kafka: EmbeddedKafka
    encoder: Encoder
    group: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")
    expected: list[Accepted] = field(default_factory=list)

    def lose_kafka(self) -> None:
        """Kafka goes away and does not come back."""
        del self.kafka.producer

    async def click(self, partition: int | None = None) -> None:
        """Clicks with one delivery each, all on one partition where that is given."""
        place: dict[str, Any] = {} if partition is None else {"partition": partition}
        start = int(time.time() * 1000) - CLICKS * STEP
        for click in Shop(1, start, "ProductViewed").clicks(CLICKS):
            self.kafka.producer.produce(TOPIC, self.encoder.encode(click), click.key, **place)
            self.expected += [one.delivery for one in expected_deliveries(click) if one.destination == "rocket"]
        await asyncio.to_thread(self.kafka.producer.flush, WITHIN)

    @asynccontextmanager
    async def service(self, changes: Mapping[str, Any] | None = None, **destination: Any) -> AsyncIterator[Run]:
        """A service with these keys; it is over when the block is, well or not."""
        rocket = {"rate": "none", "concurrency": 8, "batch": None, **destination}
        keys = {"group_prefix": self.group, "destinations": {"rocket": rocket}, "ops": {"host": "127.0.0.1", "port": 0}}
        env = {
            "KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "SCHEMA_REGISTRY_URL": self.registry,
            "ROCKET_URL": self.vendors.rocket_url,
        }
        ready = load_plans([write_config(self.folder, {**keys, **(changes or {})})], env)
        run = Run(build_service(ready, [plan for plan in ready.plans if plan.name == "rocket"], SystemClock()))
        task = asyncio.create_task(run.run())
        try:
            await eventually(lambda: run.service.ready, WITHIN)
            yield run
        finally:
            run.stop.set()
            await task
            run.close()

    async def committed(self) -> int:
        """Records below the group's committed offsets."""
        return await asyncio.to_thread(self._committed)

    def _committed(self) -> int:
        with Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": f"{self.group}.rocket"}) as consumer:
            found = consumer.committed([TopicPartition(TOPIC, number) for number in range(PARTITIONS)], timeout=WITHIN)
        return sum(max(partition.offset, 0) for partition in found)

    async def next_one(self) -> Judgement:
        """Another service takes up all that is left; gives what the vendor's books say then."""
        self.vendors.rocket.faults = Faults()
        async with self.service() as run:
            await eventually(self.all_accepted, WITHIN)
            run.stop.set()
        assert run.ended is None
        assert await self.committed() == len(self.expected)
        return judge(self.expected, self.vendors.account.rocket.accepted)

    def all_accepted(self) -> bool:
        """Whether the vendor has everything."""
        return set(self.expected) <= set(self.vendors.account.rocket.accepted)


@asynccontextmanager
async def running_town(folder: Path, partition: int | None = None) -> AsyncIterator[Town]:
    """Vendors, a registry and a Kafka with clicks in it, for as long as the block runs."""
    async with running_vendors(VendorOptions(latency=0.0)) as vendors, running_registry() as registry:
        kafka = EmbeddedKafka([TOPIC, "clickstream.rocket.dlq"])
        town = Town(folder, vendors, registry.url, kafka, await asyncio.to_thread(_encoder, registry.url))
        await town.click(partition)
        yield town


def _encoder(url: str) -> Encoder:
    with SchemaRegistryClient({"url": url}) as client:
        return Encoder(register(client))
