"""A running sender, and a vendor that answers when the test wants it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from processor.clock import SystemClock
from processor.holds import Change
from processor.records import Channel, Delivery, Request
from processor.send.blame import RetryPolicy
from processor.send.judge import Result
from processor.send.outlet import BatchLimits
from processor.send.pace import Pace
from processor.send.replies import Reply, ReplyClass, classify
from processor.send.scheduler import Scheduler
from processor.send.sender import MaySend, Sender
from tests.send.parts import ACCEPTED, channel, deliveries, steady

VIEW = channel("view")
VIEWS = channel("views", batched=True)


@dataclass(slots=True)
class Vendor:
    """Holds every request until the test answers it.

    Attributes:
        asked: requests that wait for their reply, in order of arrival.
        most: the most that ever waited at once.
        received: how many were ever asked.
        renewals: how many had been asked when the secrets were read again.
    """

    asked: dict[Request, asyncio.Future[Reply]] = field(default_factory=dict)
    most: int = 0
    received: int = 0
    renewals: list[int] = field(default_factory=list)

    async def send(self, request: Request) -> Reply:
        """The reply, when the test gives it."""
        self.asked[request] = asyncio.get_running_loop().create_future()
        self.most = max(self.most, len(self.asked))
        self.received += 1
        try:
            return await self.asked[request]
        finally:
            del self.asked[request]

    async def renew(self) -> None:
        """Note when."""
        self.renewals.append(self.received)

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
    settled: list[tuple[Request, Reply, ReplyClass, Result, float]] = field(default_factory=list)
    expired: list[Delivery] = field(default_factory=list)
    told: list[Change] = field(default_factory=list)

    @property
    def accepted(self) -> list[int]:
        """Offsets of accepted deliveries, in the order of their acceptance."""
        return [delivery.record.offset for _, _, _, result, _ in self.settled for delivery in result.accepted]


def scheduler(
    batch: BatchLimits | None, rate: float | None, delay: float, clock: SystemClock, opened: Sequence[Channel]
) -> Scheduler:
    """A scheduler that has accepted something on each of these paths."""
    made = Scheduler(batch, RetryPolicy((delay,), 8, None), Pace(rate, clock.now()), classify, steady(0.0))
    for each in opened:
        made.add(deliveries(each, None, first=-1), clock.now())
        request = made.take(clock.now(), clock.wall())
        assert isinstance(request, Request)
        made.answered(request, ACCEPTED, clock.now(), clock.wall())
    return made


@asynccontextmanager
async def running(
    workers: int = 4,
    *,
    batch: BatchLimits | None = None,
    rate: float | None = None,
    delay: float = 60.0,
    opened: Sequence[Channel] = (VIEW,),
    may_send: MaySend = lambda _: True,
) -> AsyncIterator[Bench]:
    """Run a sender for as long as the block runs; the gates of the paths in `opened` are open."""
    clock = SystemClock()
    vendor = Vendor()
    bench = Bench(vendor, Sender(scheduler(batch, rate, delay, clock, opened), vendor, workers, clock, may_send))
    work = bench.sender.run(lambda *report: bench.settled.append(report), bench.expired.extend, bench.told.extend)
    task = asyncio.create_task(work)
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
