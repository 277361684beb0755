"""A pipeline that says of itself what it can: a real scheduler, and stand-ins for what surrounds it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from processor.clock import ManualClock
from processor.consume.lag import EndOffsets
from processor.consume.ports import Counts, Snapshot
from processor.metrics import Declaration, Metrics
from processor.offsets import PartitionView
from processor.records import Assignment, Delivery, Key, Request
from processor.report import status
from processor.running import RunningPipeline
from processor.samples import samples
from processor.scorekeeper import Scorekeeper
from processor.send.blame import RetryPolicy
from processor.send.pace import Pace
from processor.send.replies import Reply, classify, describe
from processor.send.scheduler import Scheduler
from tests.send.parts import ACCEPTED, DELAYS, channel, deliveries, steady
from tests.support.logs import Lines

BEGIN = 1_800_000_000.0
"""The wall's time when the clock says 0: 2027-01-15T08:00:00Z."""
VIEW = channel("view")
RETRY = RetryPolicy(DELAYS, max_attempts=8, stalemate=None)


class Bench:
    """A pipeline at the time 0, and what a test does to it."""

    def __init__(self, *, rate: float | None = None, mode: str = "live") -> None:
        self.clock = ManualClock(wall=BEGIN)
        self.scheduler = Scheduler(None, RETRY, Pace(rate, 0.0), classify, steady(0.0))
        self.awaited: dict[Key, Any] = {}
        self.troubles: dict[int | str, str] = {}
        self.undertaker = SimpleNamespace(topic="shop.dlq", trouble=None, waiting=0)
        self.kafka = SimpleNamespace(snapshot=Snapshot(last_poll=0.0, assigned=True), counts=Counts())
        self.pipeline = SimpleNamespace(awaited=self.awaited, mass_failure=None)
        self.ends = EndOffsets(cast("Any", None))
        self.score = Scorekeeper(Metrics(), "shop", self.clock, Lines().log)
        self.assignment = Assignment("clicks", 3, 1)
        self.plan = SimpleNamespace(
            name="shop", group="acme.shop", topics=("clicks",), key=None, settings=SimpleNamespace(mode=mode, rate=rate)
        )
        parts: dict[str, Any] = {
            "plan": self.plan,
            "pipeline": self.pipeline,
            "kafka": self.kafka,
            "bridge": None,
            "scheduler": self.scheduler,
            "sender": SimpleNamespace(in_flight=0, sending=0),
            "http": None,
            "undertaker": self.undertaker,
            "schemas": SimpleNamespace(troubles=self.troubles, close=lambda: None),
            "score": self.score,
            "ends": self.ends,
            "share": None,
            "clock": self.clock,
            "started": BEGIN - 5.0,
        }
        self.running = RunningPipeline(**parts)

    def put(self, *lanes: str | None, first: int = 0) -> list[Delivery]:
        """Deliveries come, all of one partition."""
        found = deliveries(VIEW, *lanes, of=self.assignment, first=first)
        self.scheduler.add(found, self.clock.now())
        return found

    def send(self) -> Request:
        """The next request goes out."""
        request = self.scheduler.take(self.clock.now(), self.clock.wall())
        assert isinstance(request, Request)
        return request

    def reply(self, request: Request, reply: Reply) -> None:
        """It is answered."""
        result = self.scheduler.answered(request, reply, self.clock.now(), self.clock.wall())
        self.score.replied(request, describe(reply), classify(reply), result.accepted, 0.1)

    def opened(self) -> None:
        """The path accepts something."""
        self.put(None, first=900)
        self.reply(self.send(), ACCEPTED)

    def unsettled(self, frontier: int, records: int = 4) -> None:
        """The ledger's view of the partition."""
        view = PartitionView(frontier, frontier, frontier + records, records, records * 10, 0, 1_700_000_000_000)
        self.kafka.snapshot = replace(self.kafka.snapshot, last_poll=0.0, partitions={self.assignment.key: view})

    @property
    def blocked_by(self) -> Any:
        """Why the partition's offset stays."""
        (partition,) = status(self.running)["partitions"]
        return partition["blocked_by"]

    def samples(self) -> dict[Declaration, list[tuple[tuple[str, ...], float]]]:
        """What a scrape reads."""
        found: dict[Declaration, list[tuple[tuple[str, ...], float]]] = {}
        for declaration, sample in samples(self.running):
            found.setdefault(declaration, []).append(sample)
        return found
