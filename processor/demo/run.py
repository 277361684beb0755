"""The demo: the whole service in one process, with an embedded Kafka, stub vendors and a shop that clicks.

Nothing of the service is different here: it reads `canonical.yaml` as a user's file and talks to all parts over TCP.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.app import build_service
from processor.clock import SystemClock
from processor.demo.accounting import DestinationAccount, account_of, final_account
from processor.demo.clicks import STEP, Click, Shop
from processor.demo.embedded import EmbeddedKafka
from processor.demo.expected import Expected, expected_deliveries, judge
from processor.demo.registry import running_registry
from processor.demo.shop import Encoder, register
from processor.demo.vendors import Vendors, running_vendors
from processor.errors import FatalError
from processor.plan import Ready, load_plans
from processor.service import Service

TOPIC = "shop.clickstream"
AHEAD = 8_000
"""Events that the shop may be ahead of the slowest pipeline: 2 MB; the embedded Kafka keeps 5 MB a partition."""
SLICE = 200
"""Clicks between two turns of the event loop."""
SETTLE_TIMEOUT = 60.0
"""Seconds that the last events may take to settle."""
PREFERRED_PORT = 8080


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user asked for.

    Attributes:
        events: clicks in all; None = until stopped.
        seconds: of clicking; None = until stopped.
        seed: makes the clicks.
    """

    events: int | None = None
    seconds: float | None = None
    seed: int = 1


@dataclass(slots=True)
class Demo:
    """A running demo.

    Attributes:
        produced: events that went into Kafka.
    """

    service: Service
    vendors: Vendors
    kafka: EmbeddedKafka
    produced: int = 0
    expected: list[Expected] = field(default_factory=list)

    def accounts(self) -> dict[str, DestinationAccount]:
        """The service's books, by destination."""
        return {p.plan.name: account_of(p, self.service.metrics) for p in self.service.pipelines}

    def account(self) -> dict[str, Any]:
        """The demo's last line."""
        books = {"voyado": self.vendors.account.voyado, "rocket": self.vendors.account.rocket}
        wanted = {name: [e.delivery for e in self.expected if e.destination == name] for name in books}
        judgements = {name: judge(wanted[name], book.accepted) for name, book in books.items()}
        return final_account(self.accounts(), judgements, self.produced)

    async def click(self, options: DemoOptions, encoder: Encoder, stop: asyncio.Event) -> None:
        """Produce clicks until one of the limits is reached, then wait until everything is settled.

        Raises:
            FatalError: it does not settle.
        """
        clicks = self._limited(options, stop)
        while chunk := [click for _, click in zip(range(SLICE), clicks, strict=False)]:
            for click in chunk:
                self.kafka.producer.produce(TOPIC, encoder.encode(click), click.key)
                self.expected += expected_deliveries(click)
            self.produced += len(chunk)
            self.kafka.producer.poll(0)
            await asyncio.sleep(0)
            await _until(lambda: self.produced - self._read() < AHEAD)
        self.kafka.producer.flush(SETTLE_TIMEOUT)
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT):
                await _until(lambda: self._read() == self.produced and not self._unsettled())
        except TimeoutError:
            raise FatalError(f"{self._unsettled()} events are not settled after {SETTLE_TIMEOUT:g} s") from None

    def _limited(self, options: DemoOptions, stop: asyncio.Event) -> Iterator[Click]:
        until = time.monotonic() + options.seconds if options.seconds else float("inf")
        shop = Shop(options.seed, int(time.time() * 1000) - (options.events or 0) * STEP)
        while not stop.is_set() and time.monotonic() < until and self.produced != options.events:
            left = SLICE if options.events is None else min(SLICE, options.events - self.produced)
            yield from shop.clicks(left)

    def _read(self) -> int:
        """Events that the slowest pipeline has read."""
        return min((sum(p.kafka.counts.read.values()) for p in self.service.pipelines), default=0)

    def _unsettled(self) -> int:
        return sum(view.records for p in self.service.pipelines for view in p.kafka.snapshot.partitions.values())


@contextlib.asynccontextmanager
async def running_demo(ready: Callable[[dict[str, str]], Ready]) -> AsyncIterator[tuple[Demo, Encoder]]:
    """Run all parts for as long as the block runs.

    Args:
        ready: compiles the configuration for an environment.
    """
    async with running_vendors() as vendors, running_registry() as registry:
        kafka = EmbeddedKafka([TOPIC, "clickstream.voyado.dlq", "clickstream.rocket.dlq"])
        client = SchemaRegistryClient({"url": registry.url})
        encoder = Encoder(await asyncio.to_thread(register, client))
        configuration = ready(
            {
                "KAFKA_BOOTSTRAP": kafka.bootstrap,
                "SCHEMA_REGISTRY_URL": registry.url,
                "VOYADO_URL": vendors.voyado_url,
                "ROCKET_URL": vendors.rocket_url,
                "CLICKSTREAM_TOPIC": TOPIC,
            }
        )
        settings = configuration.settings
        settings = settings.model_copy(
            update={"ops": settings.ops.model_copy(update={"host": "127.0.0.1", "port": _port()})}
        )
        service = build_service(replace(configuration, settings=settings), configuration.plans, SystemClock())
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        try:
            await _until(lambda: running.done() or service.ready)
            yield Demo(service, vendors, kafka), encoder
        finally:
            stop.set()
            await running


def canonical_file() -> Path:
    """The demo's configuration: beside this module in a wheel, in `examples/` in a checkout."""
    packed = Path(__file__).with_name("canonical.yaml")
    return packed if packed.is_file() else Path(__file__).parents[2] / "examples" / "canonical.yaml"


def load_canonical(env: dict[str, str]) -> Ready:
    """Compile the demo's configuration."""
    return load_plans([canonical_file()], env)


def _port() -> int:
    """The port that people expect, or any where it is taken."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", PREFERRED_PORT))
        except OSError:
            return 0
    return PREFERRED_PORT


async def _until(condition: Callable[[], object]) -> None:
    """Wait for a condition of other threads; there is nothing to be woken by."""
    while not condition():  # noqa: ASYNC110 - snapshots of the Kafka thread have no event
        await asyncio.sleep(0.02)
