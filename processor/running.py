"""One pipeline with all that it runs on: started, watched and ended as one."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
    left: bool = False
    """Whether the consumer has drained, committed and left its group."""

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.pipeline.run())
            tasks.create_task(self._watch_ends())
            if self.share is not None:
                tasks.create_task(self.share.run())
            self.kafka.start(self.bridge)

    async def leave(self, *, drain: float, within: float) -> None:
        """Drain, commit, leave the group.

        Args:
            drain: seconds for requests in flight and their letters.
            within: seconds for everything.
        """
        self.bridge.hurry(drain)
        self.kafka.stop()
        # Not one of the loop's own threads: they may all wait for a Kafka that does not answer.
        waiter = ThreadPoolExecutor(1, "end")
        self.left = await asyncio.get_running_loop().run_in_executor(waiter, self.kafka.join, within)

    async def bury(self) -> None:
        """End the dead-letter producer, after the tasks have ended."""
        await asyncio.to_thread(self.undertaker.stop, LETTERS_WAIT)

    def undone(self) -> Iterator[str]:
        """What `leave` could not do, in words."""
        if self.sender.in_flight:
            yield f"{self.sender.in_flight} requests had no answer"
        if not self.left:
            missing = "its last commit may be missing, and its group waits for its session to end"
            yield f"the Kafka client did not end: {missing if self.kafka.snapshot.assigned else 'it had no partitions'}"
        elif self.kafka.unacknowledged:
            yield f"the last commit of {len(self.kafka.unacknowledged)} partitions was not acknowledged"

    def unsettled(self) -> str:
        """What an end at once gives up, in words."""
        records = sum(view.records for view in self.kafka.snapshot.partitions.values())
        return f"{self.sender.in_flight} requests without an answer, {records} records not settled"

    async def _watch_ends(self) -> None:
        while True:
            await self.ends.look(self.kafka.snapshot.partitions)
            await asyncio.sleep(INTERVAL)
