"""The simulated machine: one clock, one queue of what happens next, and threads that take turns in one OS thread.

Everything that runs does so because an event of the queue is due: a turn of an event loop, a thread that wakes, an
answer that comes over the network. Threads are greenlets; they give the turn back where they would block. So a run is
a function of its seed.

An event may belong to a host, which is a process: a dead host's events never happen, those of one that stands still
(SIGSTOP) happen when it goes on.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

T = TypeVar("T")

WALL = 1_800_000_000.0
"""Seconds since 1970 when a run begins."""


class SimClock:
    """The machine's clocks; `jump` moves the one that people read."""

    def __init__(self) -> None:
        self.at = 0.0
        self._wall = WALL

    def now(self) -> float:
        """Seconds since the run began."""
        return self.at

    def wall(self) -> float:
        """Seconds since 1970, as far as the machine knows."""
        return self._wall + self.at

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._wall += seconds


@dataclass(eq=False, slots=True)
class Host:
    """A process, as far as the machine knows it.

    Attributes:
        alive: False once it has ended, of itself or killed.
        frozen: it stands still, and so does all that librdkafka does in the background (heartbeats, produced letters).
        parked: what would have happened meanwhile.
    """

    name: str
    alive: bool = True
    frozen: bool = False
    parked: list[Callable[[], None]] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether anything of it happens now."""
        return self.alive and not self.frozen


@dataclass(eq=False, slots=True)
class _Waiter:
    thread: greenlet
    host: Host | None
    ready: Callable[[], bool]
    over: bool = False


class Machine:
    """The queue of what happens next.

    Attributes:
        clock: simulated.
        random: the seed's; all chance of a run comes from here.
        host: whose code runs now; None on the network.
        complaints: exceptions that ended a thread or reached an event loop's handler: there must be none.
    """

    def __init__(self, seed: int) -> None:
        self.clock = SimClock()
        self.random = Random(seed)  # noqa: S311 - it is to be the same again
        self.host: Host | None = None
        self.complaints: list[str] = []
        self._events: list[tuple[float, int, Host | None, Callable[[], None]]] = []
        self._number = count()
        self._waiters: list[_Waiter] = []
        self._hub = getcurrent()
        self._threads: list[greenlet] = []
        self._over = False

    def later(self, seconds: float, callback: Callable[[], None], host: Host | None = None) -> None:
        """Call back then: on the network, or, if a host is named, there (never if it is dead, late if it is frozen).

        What is due at the same time happens in the order in which it was asked for.
        """
        heappush(self._events, (self.clock.at + max(seconds, 0.0), next(self._number), host, callback))

    def wait(self, ready: Callable[[], bool], timeout: float | None) -> bool:
        """Block the calling simulated thread until it is ready or the time is over; says whether it is ready.

        `ready` is asked after each event; it must be cheap and change nothing.
        """
        if self._over:
            raise GreenletExit
        if ready():
            return True
        waiter = _Waiter(getcurrent(), self.host, ready)
        if waiter.thread is self._hub:
            raise RuntimeError("an event loop or the network would block")
        self._waiters.append(waiter)
        if timeout is not None:
            self.later(timeout, lambda: self._resume(waiter), self.host)
        self._hub.switch()
        return ready()

    def sleep(self, seconds: float) -> None:
        """Block the calling simulated thread for so long."""
        self.wait(lambda: False, seconds)

    def future(self) -> "SimFuture":
        """A future whose `result` blocks the calling simulated thread."""
        future = SimFuture(self)
        future.set_running_or_notify_cancel()  # as the real client's: who stops waiting cancels nothing
        return future

    def thread(self, run: Callable[[], None], host: Host) -> None:
        """Start a simulated thread of a host, in a while."""
        thread = greenlet(run)
        self._threads.append(thread)
        self.later(self.jitter(), thread.switch, host)

    def jitter(self) -> float:
        """Seconds until a thread gets its turn: mostly next to none, now and then some milliseconds."""
        return self.random.random() ** 8 * 0.02

    # Running.

    def step(self) -> None:
        """Let the next event happen; there must be one."""
        when, _, host, callback = heappop(self._events)
        self.clock.at = max(self.clock.at, when)
        if host is None or host.running:
            self.host = host
            callback()
            self.host = None
            self._wake()
        elif host.alive:
            host.parked.append(callback)

    def thaw(self, host: Host) -> None:
        """A frozen host goes on, with all that it missed."""
        host.frozen = False
        parked, host.parked = host.parked, []
        for callback in parked:
            self.later(0.0, callback, host)

    def end(self) -> None:
        """The run is over: unwind what still waits; nothing of that counts."""
        self._over = True
        for thread in self._threads:
            if thread and not thread.dead:
                with suppress(Exception):  # of a dead process, thrown out of its wait
                    thread.throw(GreenletExit)
        self._events.clear()
        self._waiters.clear()

    def _wake(self) -> None:
        woken = [waiter for waiter in self._waiters if waiter.ready()]
        for waiter in woken:
            self._waiters.remove(waiter)
            self.later(self.jitter(), lambda waiter=waiter: self._resume(waiter), waiter.host)  # type: ignore[misc]

    def _resume(self, waiter: _Waiter) -> None:
        """Give a thread its turn, once: it may be due twice, by readiness and by its time."""
        if waiter.over:
            return
        waiter.over = True
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        waiter.thread.switch()


class SimFuture(Future[Any]):
    """What the clients' calls give; may also be awaited through `asyncio.wrap_future`."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine

    def result(self, timeout: float | None = None) -> Any:
        """The result; blocks the calling simulated thread.

        Raises:
            TimeoutError: it did not come in time.
        """
        if not self._machine.wait(self.done, timeout):
            raise TimeoutError
        return super().result(0)
