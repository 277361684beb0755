"""The running service: starts its pipelines, answers for them, and ends them in order."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from processor import __version__
from processor.clock import Clock
from processor.consume.bridge import LoopBridge
from processor.consume.kafka_thread import KafkaThread
from processor.consume.lag import INTERVAL, EndOffsets
from processor.decode.schemas import SchemaStore
from processor.errors import FatalError
from processor.logs import logger
from processor.metrics import (
    COMMITS,
    CONFIG_INFO,
    IN_FLIGHT,
    LAG,
    LAST_COMMIT,
    OLDEST_UNSETTLED,
    RATE_LIMIT,
    REBALANCES,
    RECORDS,
    UNSETTLED_BYTES,
    UNSETTLED_RECORDS,
    Declaration,
    Metrics,
    Sample,
)
from processor.ops.health import POLL_LIMIT, ProgressWatch
from processor.ops.server import Answers, OpsServer
from processor.pipeline import Pipeline
from processor.plan import Plan
from processor.scorekeeper import Scorekeeper
from processor.send.scheduler import Scheduler
from processor.send.sender import Http, Sender
from processor.settle.undertaker import Undertaker

MODES = {
    "shadow": "everything is done but the calls: records are committed, nothing is sent",
    "paused": "the file says `mode: paused`: nothing is fetched, nothing is committed",
}
"""What a mode other than live means, for people."""
LETTERS_WAIT = 1.0
"""Seconds at the end for letters that the drain did not wait for."""


@dataclass(slots=True)
class RunningPipeline:
    """One pipeline and what it runs on."""

    plan: Plan
    pipeline: Pipeline
    kafka: KafkaThread
    bridge: LoopBridge
    scheduler: Scheduler
    sender: Sender
    http: Http
    undertaker: Undertaker
    schemas: SchemaStore
    score: Scorekeeper
    ends: EndOffsets
    clock: Clock
    progress: ProgressWatch = field(default_factory=ProgressWatch)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.pipeline.run())
            tasks.create_task(self._watch_ends())
            self.kafka.start(self.bridge)

    async def leave(self, timeout: float) -> bool:  # noqa: ASYNC109 - waits for a thread, which cannot be cancelled
        """Drain, commit, leave the group; False where that was not done in time."""
        self.kafka.stop()
        return await asyncio.to_thread(self.kafka.join, timeout)

    async def close(self) -> None:
        """Close what is left, after the tasks have ended."""
        await asyncio.to_thread(self.undertaker.stop, LETTERS_WAIT)
        await self.http.close()

    async def _watch_ends(self) -> None:
        while True:
            await self.ends.look(self.kafka.snapshot.partitions)
            await asyncio.sleep(INTERVAL)

    # What is seen.

    def waiting_for(self) -> dict[str, str]:
        """Why something may not be moving: who is waited for, and what they said."""
        reasons = {
            "mode": MODES["paused"] if self.plan.settings.mode == "paused" else None,
            "kafka": self.kafka.snapshot.trouble,
            "registry": self._awaited_schemas(),
            "dead_letter_topic": self.undertaker.trouble,
        }
        reasons |= {f"vendor {channel}": words for channel, words in self.score.refusals.items()}
        return {who: why for who, why in reasons.items() if why}

    def _awaited_schemas(self) -> str:
        """Which schemas this pipeline waits for in vain, and why; the store serves other pipelines, too."""
        ids_by_reason = defaultdict(list)
        for schema_id in sorted(set(self.pipeline.awaited.values()), key=str):
            if reason := self.schemas.troubles.get(schema_id):
                ids_by_reason[reason].append(str(schema_id))
        return "; ".join(f"schema id {', '.join(ids)}: {reason}" for reason, ids in ids_by_reason.items())

    def dead(self) -> str | None:
        """Why the process should be restarted."""
        now = self.clock.now()
        silent = now - self.kafka.snapshot.last_poll
        if silent > POLL_LIMIT:
            return f"{self.plan.name}: the Kafka thread has not polled for {silent:.0f} s"
        stuck = self.progress.stuck(self.kafka.snapshot.partitions, excused=bool(self.waiting_for()), now=now)
        if stuck:
            names = ", ".join(f"{topic}[{partition}]" for topic, partition in stuck)
            return f"{self.plan.name}: no progress and no reason for it: {names}"
        return None

    def status(self) -> dict[str, Any]:
        """The pipeline's part of `/status`."""
        snapshot, awaited = self.kafka.snapshot, self.pipeline.awaited
        return {
            "group": self.plan.group,
            "mode": self.plan.settings.mode,
            "topics": list(self.plan.topics),
            "assigned": snapshot.assigned,
            "waiting_for": self.waiting_for(),
            "deliveries": {
                "waiting": self.scheduler.waiting,
                "cooling": self.scheduler.cooling,
                "sending": self.sender.sending,
                "requests_in_flight": self.sender.in_flight,
                "burying": self.undertaker.waiting,
                "last_replies": dict(self.score.last_replies),
            },
            "partitions": [
                {
                    "topic": key[0],
                    "partition": key[1],
                    "position": view.next,
                    "committed": view.committed,
                    "settled_up_to": view.frontier,
                    "lag": self.ends.lag(key, view.frontier),
                    "unsettled": view.records,
                    "unsettled_bytes": view.size,
                    "spans_ahead": view.ahead,
                    "paused": key in snapshot.paused,
                    "waiting_for": f"schema id {awaited[key]}" if key in awaited else snapshot.standing.get(key),
                }
                for key, view in sorted(snapshot.partitions.items())
            ],
        }

    def samples(self) -> Iterator[tuple[Declaration, Sample]]:
        """Metrics that are read when somebody scrapes."""
        name, counts, view = self.plan.name, self.kafka.counts, self.kafka.snapshot.partitions
        unsettled = 0
        for key, partition in view.items():
            unsettled += partition.records
            lag = self.ends.lag(key, partition.frontier)
            if lag is not None:
                yield LAG, ((name, key[0], str(key[1])), lag)
        read, abandoned = dict(counts.read), dict(counts.abandoned)
        for topic, total in read.items():
            gone = abandoned.get(topic, 0)
            held = sum(partition.records for key, partition in view.items() if key[0] == topic)
            yield RECORDS, ((name, topic, "read"), total)
            yield RECORDS, ((name, topic, "abandoned"), gone)
            yield RECORDS, ((name, topic, "settled"), total - gone - held)
        for topic, total in dict(counts.expired).items():
            yield RECORDS, ((name, topic, "expired"), total)
        yield UNSETTLED_RECORDS, ((name,), unsettled)
        yield UNSETTLED_BYTES, ((name,), sum(partition.size for partition in view.values()))
        oldest = [partition.oldest for partition in view.values() if partition.oldest is not None]
        if oldest:
            yield OLDEST_UNSETTLED, ((name,), min(oldest) / 1000)
        yield IN_FLIGHT, ((name,), self.sender.in_flight)
        if self.scheduler.pace.rate is not None:
            yield RATE_LIMIT, ((name,), self.scheduler.pace.rate)
        yield COMMITS, ((name, "ok"), counts.commits_ok)
        yield COMMITS, ((name, "failed"), counts.commits_failed)
        if counts.last_commit is not None:
            yield LAST_COMMIT, ((name,), counts.last_commit)
        yield REBALANCES, ((name,), counts.rebalances)


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
            "pipelines": {pipeline.plan.name: pipeline.status() for pipeline in self.pipelines},
        }

    def _dead(self) -> str | None:
        return next((reason for pipeline in self.pipelines if (reason := pipeline.dead())), None)

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
            yield from pipeline.samples()
            yield CONFIG_INFO, ((pipeline.plan.name, self._version), 1)
