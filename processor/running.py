"""One pipeline with all that it runs on: started, watched and ended as one."""

import asyncio
from dataclasses import dataclass, field

from processor.clock import Clock
from processor.consume.bridge import LoopBridge
from processor.consume.kafka_thread import KafkaThread
from processor.consume.lag import INTERVAL, EndOffsets
from processor.consume.share import ShareWatch
from processor.decode.schemas import SchemaStore
from processor.ops.health import ProgressWatch
from processor.pipeline import Pipeline
from processor.plan import Plan
from processor.scorekeeper import Scorekeeper
from processor.send.scheduler import Scheduler
from processor.send.sender import Http, Sender
from processor.settle.undertaker import Undertaker

LETTERS_WAIT = 1.0
"""Seconds at the end for letters that the drain did not wait for."""


@dataclass(slots=True)
class RunningPipeline:
    """One pipeline and what it runs on; `started` is in seconds since 1970."""

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
    share: ShareWatch | None
    clock: Clock
    started: float
    progress: ProgressWatch = field(default_factory=ProgressWatch)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.pipeline.run())
            tasks.create_task(self._watch_ends())
            if self.share is not None:
                tasks.create_task(self.share.run())
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
