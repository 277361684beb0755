"""The running service: starts its pipelines, answers for them, and ends them in order."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from processor import __version__
from processor.clock import Clock
from processor.ending import Ending
from processor.errors import FatalError
from processor.logs import logger
from processor.metrics import CONFIG_INFO, Declaration, Metrics, Sample
from processor.ops.server import Answers, OpsServer
from processor.report import MODES, dead, status
from processor.running import RunningPipeline
from processor.samples import samples

COMMIT_TIME = 5.0, 0.2
"""What a drain leaves of the end for the last commit, without which it is in vain, and for leaving the group: seconds,
and the most of them as a part of the whole."""
CLOSE_TIME = 1.0, 0.05
"""What the consumers leave of it for the steps behind them."""
REPEATED = "nothing is lost: what is not committed is read again, and delivered twice where the vendor has it already"


class Service:
    """All pipelines of one process, and the port where they answer.

    Args:
        build: makes the pipelines; called on the event loop.
        watch: what goes on beside them until they end: files are read again when they change.
        ops: host and port.
    """

    def __init__(
        self,
        *,
        build: Callable[[], Sequence[RunningPipeline]],
        watch: Callable[[], Coroutine[Any, Any, None]],
        metrics: Metrics,
        ops: tuple[str, int],
        shutdown_timeout: float,
        version: str,
        clock: Clock,
    ) -> None:
        self._build = build
        self._watch = watch
        self._ops = ops
        self.shutdown_timeout = shutdown_timeout
        self._version = version
        self._clock = clock
        self._stopping = False
        self._log = logger()
        self.metrics = metrics
        self.pipelines: Sequence[RunningPipeline] = ()
        self.port = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set or a pipeline fails, then end in order, all of them.

        Raises:
            FatalError: the port cannot be had, a pipeline failed, or the end left something undone.
        """
        self.pipelines = self._build()
        self.metrics.sampled(self._samples)
        server = await self._listening()
        self._log.info("started", port=self.port, config=self._version, pipelines=[p.plan.name for p in self.pipelines])
        for pipeline in self.pipelines:
            mode = pipeline.plan.settings.mode
            if mode in MODES:
                self._log.warning("not_live", pipeline=pipeline.plan.name, mode=mode, next=MODES[mode])
        running = [asyncio.create_task(self._watch(), name="files")]
        running += [asyncio.create_task(each.run(), name=each.plan.name) for each in self.pipelines]
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*running, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            undone = await self._end(running, server)
        if failed := next(_failures(running), None):
            raise FatalError("a pipeline failed by a defect of the service; the log says where") from failed[1]
        if undone:
            within = f"within shutdown_timeout ({self.shutdown_timeout:g} s)"
            raise FatalError(f"not all was done {within}: {'; '.join(undone)}. So {REPEATED}")
        self._log.info("stopped")

    async def _listening(self) -> OpsServer:
        server = OpsServer(Answers(self._dead, self._unready, self.status, self.metrics.render), *self._ops)
        try:
            self.port = await server.start()
        except OSError as error:
            raise FatalError(f"cannot listen on {self._ops[0]}:{self._ops[1]}: {error.strerror}") from error
        return server

    async def _end(self, running: Sequence[asyncio.Task[None]], server: OpsServer) -> list[str]:
        """End in this order, all of it within `shutdown_timeout`; returns what could not be done, in words."""
        # 1. No longer ready. It lives, and answers what people ask, until the port is closed.
        self._stopping = True
        ending = Ending(self.shutdown_timeout, self._log)
        for name, failed in _failures(running):
            self._log.error("pipeline_failed", pipeline=name, exc_info=failed, next="all end in order")
        self._log.info("stopping", within=self.shutdown_timeout)
        # 2. Every consumer drains, commits and leaves its group; all at the same time.
        within = _without(CLOSE_TIME, ending.left)
        drain = _without(COMMIT_TIME, within)
        await ending.step("consumers", [each.leave(drain=drain, within=within) for each in self.pipelines])
        undone = [f"{each.plan.name}: {', '.join(left)}" for each in self.pipelines if (left := list(each.undone()))]
        # 3. The tasks end: nothing that counts is in flight any more.
        for task in running:
            task.cancel()
        await ending.step("tasks", [task for task in running if not task.done()])
        # 4. The dead-letter producers, which the drains needed.
        await ending.step("dead-letter producers", [each.bury() for each in self.pipelines])
        # 5. The connections to vendors, and to the registry: all pipelines have the same.
        for each in self.pipelines:
            each.schemas.close()
        await ending.step("connections", [each.http.close() for each in self.pipelines])
        # 6. The port.
        await ending.step("port", [server.stop()])
        return undone + [f"the {name} did not end" for name in ending.given_up if name != "consumers"]

    def unsettled(self) -> str:
        """What an end at once gives up, in words."""
        return "; ".join(f"{each.plan.name}: {each.unsettled()}" for each in self.pipelines)

    def status(self) -> dict[str, Any]:
        """What `/status` answers."""
        return {
            "service_version": __version__,
            "config_version": self._version,
            "pipelines": {pipeline.plan.name: status(pipeline) for pipeline in self.pipelines},
        }

    def _dead(self) -> str | None:
        if self._stopping:  # its deadline ends it: a restart in the middle of a drain would only repeat more
            return None
        return next((reason for pipeline in self.pipelines if (reason := dead(pipeline))), None)

    @property
    def ready(self) -> bool:
        """Whether every pipeline has its first assignment."""
        return bool(self.pipelines) and self._unready() is None

    def _unready(self) -> str | None:
        if self._stopping:
            return "shutting down"
        waiting = [pipeline.plan.name for pipeline in self.pipelines if not pipeline.kafka.snapshot.assigned]
        return f"not assigned any partitions yet: {', '.join(waiting)}" if waiting else None

    def _samples(self) -> Iterator[tuple[Declaration, Sample]]:
        for pipeline in self.pipelines:
            yield from samples(pipeline)
            yield CONFIG_INFO, ((pipeline.plan.name, self._version), 1)


def _without(kept: tuple[float, float], whole: float) -> float:
    """What is left of so many seconds; see `COMMIT_TIME`."""
    seconds, share = kept
    return whole - min(seconds, share * whole)


def _failures(tasks: Sequence[asyncio.Task[None]]) -> Iterator[tuple[str, BaseException]]:
    """Those that failed, by their names."""
    for task in tasks:
        failed = task.exception() if task.done() and not task.cancelled() else None
        if failed is not None:
            yield task.get_name(), failed
