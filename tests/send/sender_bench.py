"""A running sender, and a vendor that answers when the test wants it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from processor.clock import SystemClock
from processor.records import Delivery, Request
from processor.send.pace import Pace
from processor.send.replies import Reply
from processor.send.scheduler import BatchLimits, Result, Scheduler
from processor.send.sender import Sender
from tests.send.parts import steady


@dataclass(slots=True)
class Vendor:
    """Holds every request until the test answers it.

    Attributes:
        asked: requests that wait for their reply, in order of arrival.
        most: the most that ever waited at once.
    """

    asked: dict[Request, asyncio.Future[Reply]] = field(default_factory=dict)
    most: int = 0

    async def send(self, request: Request) -> Reply:
        """The reply, when the test gives it."""
        self.asked[request] = asyncio.get_running_loop().create_future()
        self.most = max(self.most, len(self.asked))
        try:
            return await self.asked[request]
        finally:
            del self.asked[request]

    async def close(self) -> None:
        """Nothing is open."""

    def answer(self, reply: Reply, count: int = 1) -> None:
        """Answer the requests that wait longest."""
        for future in [future for future in self.asked.values() if not future.done()][:count]:
            future.set_result(reply)


@dataclass(slots=True)
class Bench:
    """A running sender and what it reported."""

    vendor: Vendor
    sender: Sender
    settled: list[tuple[Request, Reply, Result, float]]
    expired: list[Delivery]

    @property
    def accepted(self) -> list[int]:
        """Offsets of accepted deliveries, in the order of their acceptance."""
        return [delivery.record.offset for _, _, result, _ in self.settled for delivery in result.accepted]


@asynccontextmanager
async def running(
    workers: int = 4, *, batch: BatchLimits | None = None, rate: float | None = None, delay: float = 60.0
) -> AsyncIterator[Bench]:
    """Run a sender for as long as the block runs."""
    clock = SystemClock()
    scheduler = Scheduler(batch, (delay,), Pace(rate, clock.now()), steady(0.0))
    vendor = Vendor()
    bench = Bench(vendor, Sender(scheduler, vendor, workers, clock), [], [])
    task = asyncio.create_task(bench.sender.run(lambda *report: bench.settled.append(report), bench.expired.extend))
    try:
        yield bench
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def waiting(bench: Bench, count: int) -> Callable[[], bool]:
    """Whether so many requests wait for the vendor."""
    return lambda: len(bench.vendor.asked) == count


async def settle_down() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(50):
        await asyncio.sleep(0)
