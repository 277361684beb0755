"""The driver of sending: a fixed pool of workers, no task per delivery.

Workers take turns at one place: the one whose turn it is waits for the next request and, when it has it, lets the
next worker wait. So the number of requests in flight is the number of workers that are away sending.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from processor.clock import Clock
from processor.holds import Change
from processor.records import Assignment, Delivery, Request
from processor.send.judge import Result
from processor.send.replies import Reply, ReplyClass
from processor.send.scheduler import Scheduler


class Http(Protocol):
    """Sends one request; never raises."""

    async def send(self, request: Request) -> Reply:
        """The reply as a fact."""

    async def renew(self) -> None:
        """Read the secrets again that come from files."""

    async def close(self) -> None:
        """Close the connections."""


Settle = Callable[[Request, Reply, ReplyClass, Result, float], None]
"""Told of each reply: the request, the reply and its class, what became of the request, and the seconds it took."""
Expire = Callable[[Sequence[Delivery]], None]
"""Told of deliveries that became too old before they were sent; they are done with."""
MaySend = Callable[[float], bool]
"""Asked before each request, with the clock's `now`, whether anything may go out."""
ASK_AGAIN = 0.1
"""Seconds until it is asked again after a no."""
Tell = Callable[[Sequence[Change]], None]
"""Told of gates that open, close or hold, and of refused keys."""


class Sender:
    """Sends the deliveries of one destination.

    Args:
        workers: requests in flight at most.
        may_send: whether what waits is still ours to send.
    """

    def __init__(
        self, scheduler: Scheduler, http: Http, workers: int, clock: Clock, may_send: MaySend = lambda _: True
    ) -> None:
        self._scheduler = scheduler
        self._http = http
        self._workers = workers
        self._clock = clock
        self._may_send = may_send
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._answered = asyncio.Event()
        self._out: dict[Request, float] = {}

    @property
    def in_flight(self) -> int:
        """Requests that wait for their reply."""
        return len(self._out)

    @property
    def sending(self) -> int:
        """Deliveries in these requests."""
        return sum(len(request.deliveries) for request in self._out)

    def send(self, deliveries: Iterable[Delivery]) -> None:
        """Take deliveries, in offset order within a partition."""
        self._scheduler.add(deliveries, self._clock.now())
        self._changed.set()

    def drop(self, assignments: Iterable[Assignment]) -> list[Delivery]:
        """Forget what waits of assignments that leave; what is in flight ends by itself."""
        dropped = self._scheduler.drop(frozenset(assignments))
        self._changed.set()
        return dropped

    async def ended(self, assignments: Sequence[Assignment]) -> None:
        """Wait until nothing of these is in flight."""
        leaving = set(assignments)
        while any(d.record.assignment in leaving for request in self._out for d in request.deliveries):
            self._answered.clear()
            await self._answered.wait()

    async def run(self, settle: Settle, expire: Expire, tell: Tell) -> None:
        """Send until cancelled; `settle` is called for each reply, and none of the three may raise."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work(settle, expire, tell))

    async def _work(self, settle: Settle, expire: Expire, tell: Tell) -> None:
        while True:
            async with self._turn:
                request = await self._next(expire, tell)
            begun = self._clock.now()
            self._out[request] = begun
            try:
                if request.renew:
                    await self._http.renew()
                reply = await self._http.send(request)
            finally:
                del self._out[request]
            now = self._clock.now()
            result = self._scheduler.answered(request, reply, now, self._clock.wall())
            settle(request, reply, self._scheduler.classify(reply), result, now - begun)
            self._answered.set()
            self._changed.set()

    async def _next(self, expire: Expire, tell: Tell) -> Request:
        while True:
            self._changed.clear()
            now = self._clock.now()
            if not self._may_send(now):
                await self._wait(now + ASK_AGAIN)
                continue
            step = self._scheduler.take(now, self._clock.wall())
            if news := self._scheduler.news():
                tell(news)
            if expired := self._scheduler.expired():
                expire(expired)
            if isinstance(step, Request):
                return step
            await self._wait(step)

    async def _wait(self, until: float | None) -> None:
        """Wait for a change, or for a time at which something is due."""
        if until is None:
            await self._changed.wait()
            return
        alarm = asyncio.get_running_loop().call_later(until - self._clock.now(), self._changed.set)
        try:
            await self._changed.wait()
        finally:
            alarm.cancel()
