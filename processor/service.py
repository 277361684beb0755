"""The running service: starts its pipelines, answers for them, and ends them in order."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from processor import __version__
from processor.clock import Clock
from processor.errors import FatalError
from processor.logs import logger
from processor.metrics import CONFIG_INFO, Declaration, Metrics, Sample
from processor.ops.server import Answers, OpsServer
from processor.report import MODES, dead, status
from processor.running import RunningPipeline
from processor.samples import samples


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
        self._shutdown_timeout = shutdown_timeout
        self._version = version
        self._clock = clock
        self._stopping = False
        self._log = logger()
        self.metrics = metrics
        self.pipelines: Sequence[RunningPipeline] = ()
        self.port = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then end in order.

        Raises:
            FatalError: the port cannot be had, or the end did not come in time.
        """
        self.pipelines = self._build()
        self.metrics.sampled(self._samples)
        server = OpsServer(Answers(self._dead, self._unready, self.status, self.metrics.render), *self._ops)
        try:
            self.port = await server.start()
        except OSError as error:
            raise FatalError(f"cannot listen on {self._ops[0]}:{self._ops[1]}: {error.strerror}") from error
        self._log.info("started", port=self.port, config=self._version, pipelines=[p.plan.name for p in self.pipelines])
        for pipeline in self.pipelines:
            mode = pipeline.plan.settings.mode
            if mode in MODES:
                self._log.warning("not_live", pipeline=pipeline.plan.name, mode=mode, next=MODES[mode])
        running = [asyncio.create_task(work) for work in (self._watch(), *(each.run() for each in self.pipelines))]
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*running, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(running, server)
        for task in running:
            failed = None if task.cancelled() else task.exception()
            if failed is not None:
                self._log.error("pipeline_failed", exc_info=failed)
                raise FatalError("a pipeline failed by a defect of the service; the log says where") from failed

    async def _end(self, running: Sequence[asyncio.Task[None]], server: OpsServer) -> None:
        """End under one deadline, in this order."""
        # 1. No longer ready: nothing new is sent here.
        self._stopping = True
        # 2. Every consumer drains, commits and leaves its group; all at the same time.
        left = await asyncio.gather(*(pipeline.leave(self._shutdown_timeout) for pipeline in self.pipelines))
        # 3. The tasks end: nothing is in flight any more.
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # 4. What is left is closed.
        await asyncio.gather(*(pipeline.close() for pipeline in self.pipelines))
        await server.stop()
        late = [pipeline.plan.name for pipeline, in_time in zip(self.pipelines, left, strict=True) if not in_time]
        if late:
            raise FatalError(
                f"not drained within shutdown_timeout ({self._shutdown_timeout:g} s): {', '.join(late)}; "
                "what was in flight is not committed and will be delivered again"
            )
        self._log.info("stopped")

    def status(self) -> dict[str, Any]:
        """What `/status` answers."""
        return {
            "service_version": __version__,
            "config_version": self._version,
            "pipelines": {pipeline.plan.name: status(pipeline) for pipeline in self.pipelines},
        }

    def _dead(self) -> str | None:
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
