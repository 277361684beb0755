"""An asyncio event loop of one simulated process: its turns and its timers are events of the machine."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any

from tests.simulation.machine import Host, Machine

TURN = 0.0002
"""Seconds that a turn of the loop takes at most: time goes on, however busy it is."""

UNWINDINGS = 20
"""How often what is left of a killed process is cancelled, until it gives up."""


class SimTask(asyncio.Task[Any]):
    """A task; asyncio keeps tasks in sets, whose order must be the same again, and not that of addresses in memory."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class SimLoop(asyncio.AbstractEventLoop):
    """What asyncio's own loop does for the service, without sockets."""

    def __init__(self, machine: Machine, host: Host) -> None:
        self._machine = machine
        self._host = host
        self._ready: deque[asyncio.Handle] = deque()
        self._turn_due = False
        self._posted = 0.0
        self._numbers = count()
        self.over = False

    # Soon and later.

    def time(self) -> float:
        """Seconds since the run began."""
        return self._machine.clock.at

    def call_soon(  # type: ignore[override] # an older way of saying the same
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run it in the next turn."""
        handle = asyncio.Handle(callback, args, self, context)
        self._add(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run it in the first turn from then on."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._machine.later(when - self.time(), lambda: self._add(timer), self._host)
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run it after so many seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run it soon; what was posted first comes first, but how soon is open."""
        handle = asyncio.Handle(callback, args, self, context)
        self._posted = max(self._posted, self.time() + self._machine.jitter())
        if self.over:
            self._add(handle)
        else:
            self._machine.later(self._posted - self.time(), lambda: self._add(handle), self._host)
        return handle

    def _timer_handle_cancelled(self, _: asyncio.TimerHandle) -> None:
        """A cancelled timer stays in the queue, and does nothing when it is due."""

    def _add(self, handle: asyncio.Handle) -> None:
        if handle.cancelled():
            return
        self._ready.append(handle)
        if not (self._turn_due or self.over):
            self._turn_due = True
            self._machine.later(self._machine.random.random() * TURN, self._turn, self._host)

    def _turn(self) -> None:
        """Run what is ready now; what that makes ready is for the next turn."""
        self._turn_due = False
        with self.running():
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        if self._ready and not self._turn_due:
            self._turn_due = True
            self._machine.later(self._machine.random.random() * TURN, self._turn, self._host)

    # Threads.

    def run_in_executor(  # type: ignore[override]
        self, _: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run it on a simulated thread of its own."""
        future = self.create_future()
        if self.over:
            future.set_exception(RuntimeError("the run is over"))
            return future

        def answer(setter: Callable[[Any], None], value: Any) -> None:
            if not future.done():
                setter(value)

        def run() -> None:
            try:
                result = func(*args)
            except Exception as exception:  # noqa: BLE001 - the caller's
                self.call_soon_threadsafe(answer, future.set_exception, exception)
            else:
                self.call_soon_threadsafe(answer, future.set_result, result)

        self._machine.thread(run, self._host)
        return future

    # Tasks.

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        """A task of this loop."""
        task = SimTask(coro, loop=self, name=name, context=context)
        task.number = next(self._numbers)
        return task

    def get_debug(self) -> bool:
        """No."""
        return False

    def is_running(self) -> bool:
        """Yes, as far as asyncio asks."""
        return not self.over

    def is_closed(self) -> bool:
        """No, as far as asyncio asks."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What no part of the service was there to catch."""
        if not self.over:
            self._machine.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def running(self) -> "_Running":
        """As `with`: this is the loop that runs."""
        return _Running(self)

    def unwind(self) -> None:
        """The run is over: let what a killed process left come to an end, whatever it does then."""
        self.over = True
        with self.running():
            for _ in range(UNWINDINGS):
                tasks = asyncio.all_tasks(self)
                if not tasks:
                    return
                for task in tasks:
                    task.cancel()
                while self._ready:
                    self._ready.popleft()._run()


class _Running:
    __slots__ = ("_loop",)

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        asyncio._set_running_loop(self._loop)

    def __exit__(self, *_: object) -> None:
        asyncio._set_running_loop(None)
