"""Memory while a vendor is away and a long backlog waits: what the service holds, and that it does not grow.

    python -m benchmarks.held [--records N] [--seconds S]

One service process, Retail Rocket's pipeline, between a topic of four partitions on a real Kafka and a stub vendor that
answers 503. Resident memory is the process's own, as the kernel counts it: first with an empty topic, then from the
moment that it has fetched what it may hold. Exit code 1 where it passes idle plus 2 x `in_memory.max_bytes`, or grows.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from processor.demo.clicks import STEP, Click, Shop
from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions
from tests.support.broker import running_broker
from tests.support.path import WholePath, running_path
from tests.support.registry import running_registry
from tests.support.service import ServiceProcess
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

MIB = 2**20
DISTINCT = 50_000
"""Clicks that are encoded; a longer backlog repeats them."""
IDLE = 10.0
"""Seconds that the service runs on an empty topic first."""
LOOK = 0.5
"""Seconds between two looks at its memory."""
PATIENCE = 300.0
"""Seconds for it to fetch what it may hold."""
GROWTH = 0.05
"""Part of the memory by which the last quarter of the time may differ from the first, to be called flat."""
MAX_BYTES = 128 * MIB
"""`in_memory.max_bytes` as it is by default; `max_records` is 20,000."""
PADDED = 8192
"""Bytes by which records are made larger, so that the bytes are what is full, and not the number."""
PADDED_SHARE = 10
"""Of so many records one is enough where they are large: Kafka's disk has to hold them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run; memory in bytes.

    Attributes:
        record: bytes of key and value, on average.
        held: unsettled records at the end, and their bytes.
        lag: records that wait in Kafka.
        looks: resident memory while the vendor was away and nothing more was fetched.
    """

    record: int
    held: int
    held_bytes: int
    lag: int
    idle: int
    looks: Sequence[int]

    @property
    def most(self) -> int:
        """What is allowed."""
        return self.idle + 2 * MAX_BYTES

    @property
    def quarters(self) -> list[float]:
        """The median of each quarter of the time."""
        size = max(len(self.looks) // 4, 1)
        return [statistics.median(self.looks[at : at + size]) for at in range(0, 4 * size, size)]

    @property
    def flat(self) -> bool:
        """Whether it does not grow."""
        return self.quarters[3] <= self.quarters[0] * (1 + GROWTH)

    @property
    def held_true(self) -> bool:
        """Whether all was as it should be."""
        return max(self.looks) < self.most and self.flat

    def __str__(self) -> str:
        quarters = ", ".join(f"{quarter / MIB:.0f}" for quarter in self.quarters)
        verdict = "yes" if self.held_true else "**no**"
        held = f"{self.held:,} ({self.held_bytes / MIB:.1f} MiB)"
        idle, most, allowed = (f"{each / MIB:.0f}" for each in (self.idle, max(self.looks), self.most))
        return f"| {self.record:,} | {self.lag:,} | {held} | {idle} | {most} | {quarters} | {allowed} | {verdict} |"


def fill(path: WholePath, records: int, padding: int) -> None:
    """A backlog of product views, all of which Retail Rocket wants; their page's address is padded."""
    distinct = min(records, DISTINCT)
    start = int(time.time() * 1000) - distinct * STEP
    clicks = [
        (click.key, path.encoder.encode(padded(click, padding)))
        for click in Shop(1, start, "ProductViewed").clicks(distinct)
    ]
    for number in range(records):
        key, value = clicks[number % distinct]
        while True:
            try:
                path.producer.produce(path.topic, value, key)
                break
            except BufferError:
                path.producer.poll(0.1)
    left = path.producer.flush(120)
    assert left == 0, f"{left} records were not taken"


def padded(click: Click, padding: int) -> Click:
    """The same click with a longer address of its page."""
    page = click.value["page"]
    return click._replace(value={**click.value, "page": {**page, "url": page["url"] + "x" * padding}})


def looks(service: ServiceProcess, seconds: float) -> list[int]:
    """The process's resident memory over so much time, in bytes."""
    process, until, seen = psutil.Process(service.process.pid), time.monotonic() + seconds, []
    while time.monotonic() < until:
        seen.append(process.memory_info().rss)
        time.sleep(LOOK)
    return seen


def measure(path: WholePath, records: int, padding: int, seconds: float) -> Row:
    """One run on an empty topic, with a vendor that is away."""
    path.vendors.rocket.faults = Faults(status=503)
    with path.service(path.overlay(), "--destination", "rocket") as service:
        service.ready(60)
        idle = looks(service, IDLE)[-1]
        fill(path, records, padding)

        def status() -> list[dict[str, Any]]:
            partitions: list[dict[str, Any]] = service.status()["rocket"]["partitions"]
            return partitions

        eventually_sync(lambda: all(each["paused"] for each in status()), PATIENCE)
        seen = looks(service, seconds)
        partitions = status()
        service.kill()
    held, held_bytes = (sum(each[name] for each in partitions) for name in ("unsettled", "unsettled_bytes"))
    return Row(
        record=held_bytes // held,
        held=held,
        held_bytes=held_bytes,
        lag=sum(each["lag"] for each in partitions),
        idle=idle,
        looks=seen,
    )


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown; memory in MiB."""
    columns = (
        "bytes a record",
        "records waiting",
        "held of them",
        "RSS idle",
        "RSS at most",
        "its median by quarter of the time",
        "idle + 2 max_bytes",
        "held",
    )
    head = [f"| {' | '.join(columns)} |", "| --- " * len(columns) + "|"]
    return "\n".join([*head, *map(str, rows)])


def main() -> int:
    """Run with records as they are, and with large ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.held", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=120.0, help="for which the memory is looked at")
    options = parser.parse_args()
    rows = []
    with ExitStack() as stack:
        broker, registry = stack.enter_context(running_broker()), stack.enter_context(running_registry())
        topics = TopicFactory(broker)
        stack.callback(topics.close)
        for records, padding in ((options.records, 0), (options.records // PADDED_SHARE, PADDED)):
            with (
                tempfile.TemporaryDirectory() as folder,
                running_path(Path(folder), broker, registry, topics, VendorOptions(latency=0.0)) as path,
            ):
                rows.append(measure(path, records, padding, options.seconds))
                print(rows[-1], file=sys.stderr, flush=True)
        print(f"{broker.describe.partition(' at ')[0]}, {options.seconds:g} s each\n\n{table(rows)}")
    return not all(row.held_true for row in rows)


if __name__ == "__main__":
    sys.exit(main())
