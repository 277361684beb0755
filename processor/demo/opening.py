"""Puts the demo together: every part of it, started before it and ended behind it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.app import build_service
from processor.clock import SystemClock
from processor.demo.embedded import EmbeddedKafka
from processor.demo.facts import Tell
from processor.demo.judging import Judge
from processor.demo.letter_box import LetterBox
from processor.demo.options import VENDORS, DemoOptions
from processor.demo.registry import running_registry
from processor.demo.run import Demo
from processor.demo.runs import Runs
from processor.demo.shop import Encoder, register
from processor.demo.traffic import TOPIC, Traffic
from processor.demo.troubles import Troubles
from processor.demo.vendors import running_vendors
from processor.errors import FatalError
from processor.plan import load_plans
from processor.service import Service

PREFERRED_PORT = 8080
LETTER_TOPICS = [f"clickstream.{name}.dlq" for name in VENDORS]


@contextlib.asynccontextmanager
async def running_demo(options: DemoOptions, folder: Path, tell: Tell) -> AsyncIterator[Demo]:
    """Run all parts for as long as the block runs.

    Args:
        options: what the user asked for.
        folder: for the vendors' keys.
        tell: is told what happens.

    Raises:
        FatalError: the service could not be started.
    """
    async with running_vendors() as vendors, running_registry() as registry:
        kafka = EmbeddedKafka([TOPIC, *LETTER_TOPICS])
        troubles = Troubles(vendors, folder)
        env = {
            "KAFKA_BOOTSTRAP": kafka.bootstrap,
            "SCHEMA_REGISTRY_URL": registry.url,
            "VOYADO_URL": vendors.voyado_url,
            "ROCKET_URL": vendors.rocket_url,
            "CLICKSTREAM_TOPIC": TOPIC,
            "DEMO_HOST": options.host,
            "DEMO_PORT": str(PREFERRED_PORT),
        }
        with SchemaRegistryClient({"url": registry.url}) as client:
            encoder = Encoder(await asyncio.to_thread(register, client))
        judge = Judge(VENDORS)
        runs = await _started(troubles.overlay, env)
        with contextlib.closing(LetterBox(kafka.bootstrap, LETTER_TOPICS)) as letters:
            try:
                yield Demo(
                    addresses={
                        "Kafka (embedded)": kafka.bootstrap,
                        "Voyado stub": vendors.voyado_url,
                        "Retail Rocket stub": vendors.rocket_url,
                        "status": f"http://localhost:{runs.service.port}/status",
                    },
                    vendors=vendors,
                    troubles=troubles,
                    runs=runs,
                    traffic=Traffic(kafka.producer, encoder, judge, options),
                    judge=judge,
                    letters=letters,
                    tell=tell,
                )
            finally:
                await runs.abandon()


def canonical_file() -> Path:
    """The demo's configuration: beside this module in a wheel, in `examples/` in a checkout."""
    packed = Path(__file__).with_name("canonical.yaml")
    return packed if packed.is_file() else Path(__file__).parents[2] / "examples" / "canonical.yaml"


async def _started(overlay: Path, env: dict[str, str]) -> Runs:
    """Start the service, on another port where somebody has the one that people expect."""
    runs = Runs(lambda: _service(overlay, env))
    try:
        await runs.start()
    except FatalError:
        env["DEMO_PORT"] = str(_free_port(env["DEMO_HOST"]))  # the same for all runs
        runs = Runs(lambda: _service(overlay, env))
        await runs.start()
    return runs


def _service(overlay: Path, env: Mapping[str, str]) -> Service:
    """Read the files as they are now, as each start does."""
    ready = load_plans([canonical_file(), overlay], env)
    return build_service(ready, ready.plans, SystemClock())


def _free_port(host: str) -> int:
    """Any port; 0 where the host is none of ours, which the service then says."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
    return 0
