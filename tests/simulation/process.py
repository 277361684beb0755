"""A simulated process: the service as `clickstream run` runs it, on a loop and threads of the machine."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from processor.app import build_service
from processor.errors import FatalError
from processor.metrics import Metrics
from processor.ops.server import Answers
from processor.plan import Ready
from processor.running import RunningPipeline
from tests.simulation.loop import SimLoop
from tests.simulation.machine import Host, Machine

if TYPE_CHECKING:
    from processor.service import Service

PORT = 8080


class SimOps:
    """Stands for `OpsServer`: the referee asks the answers themselves."""

    def __init__(self, answers: Answers, *_: object) -> None:
        self.answers = answers

    async def start(self) -> int:
        """Nothing listens."""
        return PORT

    async def stop(self) -> None:
        """Nothing listened."""


class Process:
    """One run of the service, from its start to its end.

    Attributes:
        error: what it ended with, where that was not well.
        ended_at: the clock's time of its end; None while it runs.
        asked_at: when it was asked to end (SIGTERM).
        was_broken: whether a client of its ever had a fatal error.
        was_frozen: whether it ever stood still (SIGSTOP).
    """

    def __init__(self, machine: Machine, name: str, ready: Ready, ended: Callable[["Process"], None]) -> None:
        self.host = Host(name)
        self.loop = SimLoop(machine, self.host)  # type: ignore[abstract] # the rest is sockets
        self.error: str | None = None
        self.started_at = machine.clock.now()
        self.ended_at: float | None = None
        self.asked_at: float | None = None
        self.was_frozen = False
        self.was_broken = False
        self._machine = machine
        self._ready = ready
        self._ended = ended
        self._stop = asyncio.Event()
        self._service: Service | None = None
        self._task: asyncio.Task[None] | None = None
        machine.later(0.0, self._main, self.host)

    @property
    def name(self) -> str:
        """What it is called in findings."""
        return self.host.name

    @property
    def pipeline(self) -> RunningPipeline | None:
        """Its one pipeline, once it is built."""
        return self._service.pipelines[0] if self._service and self._service.pipelines else None

    @property
    def ready(self) -> bool:
        """What `/ready` says."""
        return self._service is not None and self._service.ready

    @property
    def metrics(self) -> Metrics:
        """What it counts; it must be built."""
        assert self._service is not None
        return self._service.metrics

    def _main(self) -> None:
        with self.loop.running():
            self._service = build_service(self._ready, self._ready.plans, self._machine.clock)
            self._task = self.loop.create_task(self._service.run(self._stop))
            self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """The process is over: whatever threads are left end with it."""
        self.ended_at = self._machine.clock.now()
        self.host.alive = False
        failed = task.exception()
        if failed is not None:
            self.error = f"{type(failed).__name__}: {failed}"
            if not isinstance(failed, FatalError):
                self._machine.complaints.append(f"{self.name} ended: {failed!r}")
        self._ended(self)

    # What is done to it.

    def terminate(self) -> None:
        """SIGTERM."""
        if self.asked_at is None:
            self.asked_at = self._machine.clock.now()
        self._machine.later(self._machine.jitter(), self._signalled, self.host)

    def _signalled(self) -> None:
        with self.loop.running():
            self._stop.set()

    def kill(self) -> None:
        """SIGKILL, or the power went: nothing of it happens any more."""
        self.host.alive = False
        self.ended_at = self._machine.clock.now()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.host.frozen = self.was_frozen = True

    def thaw(self) -> None:
        """SIGCONT."""
        self._machine.thaw(self.host)
