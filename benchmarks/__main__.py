"""CPU-µs per event, wanted (in batches of 1,000 and single) and unwanted, and memory over a long backlog.

The wanted event is the canonical product view, mapped to Voyado as in `examples/canonical.yaml`.

CPU time is the service's own (user and system, all its threads), from the first settled event to the last; wall
clocks are not quoted, because they measure the machine. Broker, registry and stub vendors are other processes.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient

from benchmarks.baselines import decode_cpu, fastavro_cpu, request_cpu
from benchmarks.mapping import known, mapping_cpu
from processor.demo.clicks import Shop
from processor.demo.shop import Encoder, register
from tests.support.broker import running_broker
from tests.support.registry import running_registry
from tests.support.service import ServiceProcess, write_config
from tests.support.topics import TopicFactory

DISTINCT = 50_000
"""Events that are encoded; longer backlogs repeat them."""
LOOK = 0.5
"""Seconds between two looks at the service: a look costs it some 10 ms, which count."""
PATIENCE = 900.0
"""Seconds for one run."""

MODES: dict[str, dict[str, Any]] = {
    "batch of 1,000": {"batch": {"max_events": 1000, "max_bytes": "4MiB", "max_wait": "1s"}, "concurrency": 8},
    "single": {"batch": None, "concurrency": 64},
    "unwanted": {},
}
UNWANTED = "GroupViewed"
"""No route leads from it to Voyado."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the service: CPU seconds, settled records, resident bytes."""

    cpu: float
    settled: int
    rss: int


@dataclass(frozen=True, slots=True)
class Stage:
    """The other processes.

    Attributes:
        values: encoded product views of known contacts, with their keys.
        unwanted: encoded events of another type, likewise.
    """

    bootstrap: str
    registry: str
    topics: TopicFactory
    values: list[tuple[bytes, bytes]]
    unwanted: list[tuple[bytes, bytes]]
    vendor: str
    folder: Path

    def fill(self, values: Sequence[tuple[bytes, bytes]], events: int) -> str:
        """A topic with so many events in it."""
        topic = self.topics()
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 50, "compression.type": "lz4"})
        for number in range(events):
            key, value = values[number % len(values)]
            while True:
                try:
                    producer.produce(topic, value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
        left = producer.flush(60)
        assert left == 0, f"{left} events were not taken"
        return topic

    @contextmanager
    def service(self, topic: str, destination: dict[str, Any]) -> Iterator[ServiceProcess]:
        """The service with Voyado's pipeline only, without Voyado's limits."""
        changes = {
            "group_prefix": f"bench-{uuid4().hex[:8]}",
            "destinations": {"voyado": {"rate": "none", **destination}},
        }
        file = write_config(self.folder, changes)
        env = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "SCHEMA_REGISTRY_URL": self.registry,
            "VOYADO_URL": self.vendor,
            "CLICKSTREAM_TOPIC": topic,
        }
        with ServiceProcess(self.folder, file, env, "--destination", "voyado") as service:
            yield service
            service.terminate()


def sample(service: ServiceProcess) -> Sample | None:
    """Look at the service; None while it does not answer."""
    status, text = service.get("/metrics")
    if status != 200:
        return None

    def number(pattern: str) -> float:
        return sum(float(found) for found in re.findall(rf"^{pattern} (\S+)$", text, re.MULTILINE))

    return Sample(
        cpu=number("process_cpu_seconds_total"),
        settled=int(number(r'clickstream_records_total\{.*result="settled".*\}')),
        rss=int(number("process_resident_memory_bytes")),
    )


def watch(service: ServiceProcess, events: int) -> list[Sample]:
    """Look until all events are settled; the first sample is the last one before any was."""
    samples: list[Sample] = []
    deadline = time.monotonic() + PATIENCE
    while not samples or samples[-1].settled < events:
        assert time.monotonic() < deadline, f"not done after {PATIENCE:g} s: {samples[-1:]}"
        assert service.process.poll() is None, service.log
        seen = sample(service)
        if seen is not None:
            samples = [seen] if seen.settled == 0 else [*samples, seen]
        time.sleep(LOOK)
    return samples


def cpu_per_event(samples: list[Sample]) -> float:
    """Microseconds."""
    first, last = samples[0], samples[-1]
    return (last.cpu - first.cpu) / (last.settled - first.settled) * 1e6


@contextmanager
def vendors() -> Iterator[str]:
    """Stub vendors that count and parse nothing, as a process of their own; gives Voyado's URL."""
    command = [sys.executable, "-m", "processor.demo.vendors", "--voyado-port", "0", "--rocket-port", "0"]
    with subprocess.Popen([*command, "--latency", "0", "--count-only"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


@contextmanager
def stage() -> Iterator[Stage]:
    """All other processes, for as long as the block runs."""
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker())
        registry = stack.enter_context(running_registry())
        client = stack.enter_context(SchemaRegistryClient({"url": registry.url}))
        encoder = Encoder(register(client))
        print(f"{broker.describe}\n{registry.describe}", flush=True)
        topics = TopicFactory(broker)
        stack.callback(topics.close)
        yield Stage(
            broker.bootstrap,
            registry.url,
            topics,
            [(click.key, encoder.encode(click)) for click in known(DISTINCT)],
            [(click.key, encoder.encode(click)) for click in Shop(1, 0, UNWANTED).clicks(DISTINCT)],
            stack.enter_context(vendors()),
            Path(stack.enter_context(tempfile.TemporaryDirectory())),
        )


def measure_cpu(others: Stage, mode: str, values: Sequence[tuple[bytes, bytes]], events: int, runs: int) -> None:
    """Print CPU per event, the median of some runs."""
    topic = others.fill(values, events)
    figures = []
    for _ in range(runs):
        with others.service(topic, MODES[mode]) as service:
            figures.append(cpu_per_event(watch(service, events)))
    spread = ", ".join(f"{figure:.1f}" for figure in sorted(figures))
    print(
        f"{mode:15} {statistics.median(figures):6.1f} CPU-µs per event   ({events:,} events; runs: {spread})",
        flush=True,
    )


def measure_memory(others: Stage, events: int) -> None:
    """Print resident memory over a long backlog."""
    topic = others.fill(others.values, events)
    with others.service(topic, MODES["batch of 1,000"]) as service:
        samples = watch(service, events)
    marks = [samples[min(len(samples) - 1, len(samples) * part // 10)] for part in range(1, 11)]
    line = " ".join(f"{mark.rss / 2**20:.0f}" for mark in marks)
    print(f"memory          RSS in MiB at each tenth of {events:,} events: {line}", flush=True)


def main() -> None:
    """Run everything, or what is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each; the median is quoted")
    parser.add_argument("--batch-events", type=int, default=200_000)
    parser.add_argument("--single-events", type=int, default=30_000)
    parser.add_argument("--unwanted-events", type=int, default=1_000_000)
    parser.add_argument("--memory-events", type=int, default=1_000_000, help="0 leaves it out")
    options = parser.parse_args()
    with stage() as others:
        values = [value for _, value in others.values]
        print(f"fastavro alone  {fastavro_cpu(values):6.1f} CPU-µs per event")
        print(f"our decoding    {decode_cpu(values):6.1f} CPU-µs per event, everything checked")
        print(f"route and map   {mapping_cpu(values)}")
        print(f"aiohttp alone   {request_cpu(others.vendor):6.1f} CPU-µs per request", flush=True)
        measure_cpu(others, "batch of 1,000", others.values, options.batch_events, options.runs)
        measure_cpu(others, "single", others.values, options.single_events, options.runs)
        measure_cpu(others, "unwanted", others.unwanted, options.unwanted_events, options.runs)
        if options.memory_events:
            measure_memory(others, options.memory_events)


if __name__ == "__main__":
    main()
