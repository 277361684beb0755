"""The main path with stand-ins at its ends: what becomes of records when too many of them fail."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from processor.clock import ManualClock
from processor.consume.intake import SLICE
from processor.mass_failure import FailureWindow
from processor.metrics import FILTERED, Metrics
from processor.pipeline import Pipeline
from processor.records import (
    Assignment,
    Channel,
    Delivery,
    ErrorClass,
    Event,
    Failure,
    Filtered,
    FilterReason,
    Payload,
    Record,
    Span,
    Stage,
)
from processor.route.router import Route, Router
from processor.scorekeeper import Scorekeeper
from processor.settle.letters import Letter, Origin
from processor.settle.settler import Settler
from processor.transform import Transform
from tests.support.logs import Lines
from tests.support.records import record
from tests.support.waiting import eventually

WALL = 5000.0
VIEW = Channel("view", "/view", batched=False)
GARBAGE = Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "the first byte is 255")
UNMAPPED = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: text is not an integer")
FATES: dict[bytes, Payload | Filtered | Failure] = {
    b"good": Payload(VIEW, b"{}", None, None),
    b"bad": UNMAPPED,
    b"nothing": Filtered(FilterReason.PYTHON, "views"),
    b"old": Filtered(FilterReason.TOO_OLD, "views"),
}
A, B = Assignment("clicks", 0, 1), Assignment("clicks", 1, 2)


def decode(one: Record) -> Event | Filtered | Failure:
    """Everything is an event, but for garbage and tombstones."""
    match one.value:
        case None:
            return Filtered(FilterReason.TOMBSTONE)
        case b"garbage":
            return GARBAGE
        case _:
            return Event(one, "Viewed", {}, 7)


def map_one(_: Any, event: Event) -> Payload | Filtered | Failure:
    """The record's value says what becomes of it."""
    return FATES[event.record.value or b""]


class Sink:
    """A sender and an undertaker in one: what is sent is only kept, what is buried is acknowledged at once."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self.letters: list[Letter] = []
        self.start = self._start
        self._acknowledge: Callable[[Letter], None] = self.letters.append

    def _start(self, acknowledge: Callable[[Letter], None]) -> None:
        self._acknowledge = acknowledge

    async def run(self, *_: Any) -> None:
        """Never ends."""
        await asyncio.Event().wait()

    def send(self, deliveries: Iterable[Delivery]) -> None:
        """Keep them."""
        self.sent += deliveries

    def bury(self, one: Letter) -> None:
        """Keep it, and say so."""
        self.letters.append(one)
        self._acknowledge(one)

    def drop(self, assignments: Sequence[Assignment]) -> Sequence[Delivery]:
        """What waits of these."""
        return [each for each in self.sent if each.record.assignment in assignments]

    async def ended(self, _: Sequence[Assignment]) -> None:
        """Nothing is in flight."""


class Bench:
    """A pipeline whose routes all read the same event, and do with it what the record's value says."""

    def __init__(self, *names: str, hold_above: float = 0.5, window: int = 20, least: int = 5) -> None:
        routes = names or ("views",)
        self.sink = Sink()
        self.lines = Lines()
        self.metrics = Metrics()
        self.spans: list[Span] = []
        self._soon: deque[Callable[[], None]] = deque()
        clock = ManualClock(wall=WALL)
        sink: Any = self.sink
        decoder: Any = SimpleNamespace(decode=decode)
        mapper: Any = SimpleNamespace(map=map_one)
        self.mappers = dict.fromkeys(routes, mapper)
        router = Router([Route(name, frozenset({"Viewed"}), ("clicks",), None, None) for name in routes])
        score = Scorekeeper(self.metrics, "shop", clock, self.lines.log)
        self.pipeline = Pipeline(
            origin=Origin("shop", "1", "1"),
            transform=Transform(decoder, router, self.mappers, score.unexpected),
            schemas=sink,
            sender=sink,
            settler=Settler(self.spans.extend, self._soon.append),
            undertaker=sink,
            failures=FailureWindow(hold_above, window, least),
            score=score,
            clock=clock,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It works for as long as the block runs."""
        task = asyncio.create_task(self.pipeline.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def put(self, *values: bytes | None, at: Assignment = A, first: int = 0) -> None:
        """Records come, and the event loop gets its turns."""
        self.pipeline.receive([record(first + number, at=at, value=value) for number, value in enumerate(values)])
        for _ in range(10 + len(values) // SLICE):
            await asyncio.sleep(0)

    @property
    def buried(self) -> list[int]:
        """The offsets of all letters."""
        return [one.record.offset for one in self.sink.letters]

    @property
    def settled(self) -> list[tuple[int, int]]:
        """The spans of offsets that are settled."""
        while self._soon:
            self._soon.popleft()()
        return [(span.start, span.end) for span in self.spans]


async def test_a_record_that_is_one_too_many_is_not_buried() -> None:
    """Those before it are, and settle; it and all behind it are neither buried, sent nor settled."""
    bench = Bench()

    async with bench.running():
        await bench.put(b"good", *[b"bad"] * 5, b"good", *[b"bad"] * 400)

        assert bench.buried == [1, 2, 3, 4]
        assert [delivery.record.offset for delivery in bench.sink.sent] == [0]
        assert bench.settled == [(1, 5)]


async def test_a_mass_failure_says_why() -> None:
    """The pipeline, for `/status`, and one line in the log: how many, and the most frequent cause."""
    bench = Bench()

    async with bench.running():
        await bench.put(b"garbage", b"good", *[b"bad"] * 40)

    assert bench.pipeline.mass_failure is not None
    assert bench.pipeline.mass_failure.since == WALL
    assert bench.pipeline.mass_failure.words == (
        "5 of the last 6 records that a route wanted failed before they could be sent, "
        "4 of them in route views, stage map: itemId: text is not an integer"
    )
    (line,) = bench.lines("mass_failure")
    assert (line["log_level"], line["failed"], line["of"], line["times"]) == ("error", 5, 6, 4)
    assert (line["route"], line["stage"], line["reason"]) == ("views", "map", UNMAPPED.message)
    assert "hold_above: 1" in line["next"]


async def test_no_partition_goes_on() -> None:
    """The pipeline holds as a whole, also for partitions and records that come later."""
    bench = Bench()

    async with bench.running():
        await bench.put(*[b"bad"] * 5)
        await bench.put(b"good", b"bad", None, at=B)
        await bench.put(b"good", first=5)

        assert (bench.buried, bench.sink.sent, bench.settled) == ([0, 1, 2, 3], [], [(0, 4)])


async def test_undecodable_records_count() -> None:
    """A wrong schema is as bad as a wrong mapping."""
    bench = Bench()

    async with bench.running():
        await bench.put(*[b"garbage"] * 40)

    assert len(bench.buried) == 4


@pytest.mark.parametrize("unwanted", [b"nothing", None])
async def test_what_no_route_wants_does_not_count(unwanted: bytes | None) -> None:
    """However many records are filtered, most of those that are wanted fail."""
    bench = Bench()

    async with bench.running():
        await bench.put(*[*[unwanted] * 9, b"bad"] * 40)

    assert bench.pipeline.mass_failure is not None
    assert len(bench.buried) == 4


async def test_what_is_too_old_was_mapped_well() -> None:
    """A back-fill of old events, of which some fail, is no mass failure."""
    bench = Bench()

    async with bench.running():
        await bench.put(*[*[b"old"] * 2, b"bad"] * 40)

    assert bench.pipeline.mass_failure is None
    assert len(bench.buried) == 40


async def test_records_are_counted_and_not_deliveries() -> None:
    """A record that fails in three routes has three letters, and is one failure."""
    bench = Bench("one", "two", "three")

    async with bench.running():
        await bench.put(*[b"bad"] * 40)

    assert bench.buried == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert bench.pipeline.mass_failure is not None
    assert bench.pipeline.mass_failure.words.endswith("5 of them in route one, stage map: " + UNMAPPED.message)


async def test_forty_of_a_hundred_go_through() -> None:
    """Fewer than `hold_above` allows are dead letters, one by one."""
    bench = Bench()

    async with bench.running():
        await bench.put(*[b"good", b"bad", b"good", b"bad", b"good"] * 100)

    assert bench.pipeline.mass_failure is None
    assert (len(bench.buried), len(bench.sink.sent)) == (200, 300)


async def test_all_may_be_let_through() -> None:
    """With `hold_above: 1` every failure is a letter."""
    bench = Bench(hold_above=1)

    async with bench.running():
        await bench.put(*[b"bad"] * 300)

        assert len(bench.buried) == 300
        assert bench.pipeline.mass_failure is None


async def test_a_partition_can_leave_while_all_is_held() -> None:
    """The drain ends at once, its letters are settled before, and what was held of it is forgotten."""
    bench = Bench()

    async with bench.running(), asyncio.timeout(5):
        await bench.put(*[b"bad"] * 200)
        await bench.pipeline.drain([A])

        assert bench.settled == [(0, 4)]
        assert bench.pipeline._intake.take() == []
        assert bench.pipeline.mass_failure is not None


async def test_a_letter_that_was_handed_over_stays_valid() -> None:
    """It is acknowledged while the pipeline holds, and its record settles then."""
    bench = Bench()
    late: list[Letter] = []

    async with bench.running():
        await eventually(lambda: bench.sink._acknowledge != bench.sink.letters.append)
        acknowledge, bench.sink._acknowledge = bench.sink._acknowledge, late.append
        await bench.put(*[b"bad"] * 40)
        assert bench.pipeline.mass_failure is not None
        assert bench.settled == []
        for one in late:
            acknowledge(one)
        await asyncio.sleep(0)

        assert bench.settled == [(0, 4)]


async def test_a_record_that_is_held_is_not_counted() -> None:
    """What was found of it is found again by who reads it next; until then nothing of it is filtered or made."""
    bench = Bench("one", "two", least=1)
    fates = iter([Filtered(FilterReason.PYTHON, "one"), UNMAPPED])
    mapper: Any = SimpleNamespace(map=lambda *_: next(fates))
    bench.mappers.update(one=mapper, two=mapper)

    async with bench.running():
        await bench.put(b"good")

    assert bench.pipeline.mass_failure is not None
    assert bench.metrics.total(FILTERED, pipeline="shop") == 0
    assert bench.pipeline._score.made == 0


async def test_a_letter_that_nobody_takes_keeps_no_partition() -> None:
    """A revocation ends all the same when the dead-letter topic is in trouble; its offset stays (invariant 8)."""
    bench = Bench()

    async with bench.running():
        await eventually(lambda: bench.sink._acknowledge != bench.sink.letters.append)
        bench.sink._acknowledge = lambda _: None
        await bench.put(b"good", b"bad")
        await bench.pipeline.drain([A])

        assert len(bench.buried) == 1
        assert bench.settled == []
