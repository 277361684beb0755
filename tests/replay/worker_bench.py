"""A worker of a run, with stand-ins for the service, Kafka and the audit topic."""

import asyncio
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from processor.clock import ManualClock
from processor.offsets import PartitionView
from processor.records import Key, Record
from processor.replay import replaying
from processor.replay.history import Run
from processor.replay.replaying import Progress, Worker
from processor.replay.spans import Spans
from tests.support.records import record

KEY, OTHER = ("dlq", 0), ("dlq", 1)
WANTED = {KEY: Spans((0, 10)), OTHER: Spans((5, 7))}
ALL = {KEY: Spans((0, 10)), OTHER: Spans((5, 7))}
RUN = Run(id="2026-11-22-1", kind="replay", topic="dlq", ends={"dlq": {0: 10}, "retired": {0: 3}})


class Bench:
    """A worker whose service runs until it is stopped; one look after another tells what all workers have done.

    Args:
        looks: outcomes of the run, as the audit topic tells them at each look; the last one stays.

    Attributes:
        asked: how often Kafka was asked what it has deleted.
        there: what it has, where a worker looks.
        looked: how often one did.
        record: of the run.
        topic_ids: what Kafka says at each look; the last one stays.
    """

    def __init__(self, *looks: Mapping[str, Mapping[Key, Spans]] | Exception) -> None:
        self.looks = [*looks]
        self.stop = asyncio.Event()
        self.failure: Exception | None = None
        self.begun = False
        self.gone: list[tuple[Key, Spans]] = []
        self.shown: list[Progress] = []
        self.watermarks: dict[str, dict[int, tuple[int, int]] | None] = {"dlq": {0: (0, 10), 1: (0, 7)}}
        self.record = RUN
        self.topic_ids = [""]
        self.there: dict[Key, Spans] = {}
        self.looked = 0
        self.views: dict[Key, PartitionView] = {}
        self.paused: set[Key] = set()
        self.outlets: list[Any] = []
        self.pipelines: list[Any] = []
        self.fails_late = False
        self.trouble: str | None = None
        self.unwritten: str | None = None
        self.lacking: list[str] = []
        self.rested: list[float] = []
        self.left: list[Mapping[Key, Spans]] = []
        self.holds: list[Any] = []
        self.asked = 0

    async def run(self, stop: asyncio.Event) -> None:
        """What the service does."""
        self.begun = True
        self.pipelines = [
            SimpleNamespace(
                kafka=SimpleNamespace(
                    snapshot=SimpleNamespace(partitions=self.views, paused=self.paused, trouble=self.trouble)
                ),
                scheduler=SimpleNamespace(outlets=self.outlets, pace=SimpleNamespace(rest=self.rested.append)),
                clock=ManualClock(),
            )
        ]
        if self.failure is not None and not self.fails_late:
            raise self.failure
        await stop.wait()
        if self.failure is not None:
            raise self.failure

    def read(self) -> Any:
        """What the audit topic tells."""
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return SimpleNamespace(of_run=lambda run: look if run == RUN.id else {})

    def topic_id_now(self) -> str:
        """Which topic it is now."""
        return self.topic_ids.pop(0) if len(self.topic_ids) > 1 else self.topic_ids[0]

    async def work(self, wanted: Mapping[Key, Spans] = WANTED) -> str:
        """What the worker says at its end."""
        stands_in: Any = self
        journal: Any = SimpleNamespace(gone=lambda key, spans: self.gone.append((key, spans)), left=self.left.append)
        reader: Any = SimpleNamespace(watermarks=self._watermarks, read=self._read)
        worker = Worker(
            service=stands_in,
            journal=journal,
            run=self.record,
            wanted=wanted,
            audit=stands_in,
            reader=reader,
            show=self.shown.append,
            unwritten=lambda: self.unwritten,
            lacking=lambda: self.lacking,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replaying, "LOOK", 0.0)  # one look follows the other
            patch.setattr(replaying, "holds", lambda _: self.holds)
            async with asyncio.timeout(20):
                return await worker.work(self.stop)

    def _watermarks(self, topic: str) -> dict[int, tuple[int, int]] | None:
        self.asked += 1
        return self.watermarks[topic]

    def _read(self, topic: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[list[Record]]:
        self.looked += 1
        for partition, begin in begins.items():
            there = self.there.get((topic, partition), Spans())
            yield [record(offset) for offset in range(begin, ends[partition]) if offset in there]


def view(frontier: int | None) -> PartitionView:
    """A partition that is settled up to there."""
    return PartitionView(None, frontier, None, 0, 0, 0, None)
