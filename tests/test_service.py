import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from processor.clock import SystemClock
from processor.consume.ports import Counts, Snapshot
from processor.errors import FatalError
from processor.metrics import Metrics
from processor.service import Service
from tests.report_bench import Bench
from tests.support.logs import Lines
from tests.support.waiting import eventually

LONG = 600.0
"""Seconds that no test takes."""
SHORT = 2.0
"""Seconds of an end that cannot come."""
Run = Callable[[], Coroutine[Any, Any, None]]


async def for_ever() -> None:
    """Work until cancelled."""
    await asyncio.Event().wait()


@dataclass
class Journal:
    """What happened, in order."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def before(self, *lines: str) -> bool:
        """Whether these happened in this order."""
        return [self.lines.index(line) for line in lines] == sorted(self.lines.index(line) for line in lines)


class FakeKafka:
    """Stands for the thread: it ends once it was told to, and let go."""

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        self.snapshot = Snapshot(last_poll=SystemClock().now(), assigned=True)
        self.counts = Counts()
        self.unacknowledged: frozenset[Any] = frozenset()
        self.let_go = threading.Event()
        self.let_go.set()
        self._name = name
        self._note = note

    def start(self, _: object) -> None:
        self._note(f"{self._name} starts")

    def stop(self) -> None:
        self._note(f"{self._name} is told to stop")

    def join(self, timeout: float) -> bool:
        ended = self.let_go.wait(timeout)
        self._note(f"{self._name} has {'left' if ended else 'not left'}")
        return ended


class Part:
    """A pipeline whose parts are stand-ins.

    Attributes:
        work: what its tasks do; until they are cancelled, unless a test says something else.
        closing: what closing its connections takes.
    """

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        bench = Bench()
        bench.plan.name = name
        self.name, self.note = name, note
        self.running = bench.running
        self.kafka = FakeKafka(name, note)
        self.drains: list[float] = []
        self.work: Run = for_ever
        self.closing: Run = self._at_once
        self.sender = SimpleNamespace(in_flight=0, sending=0)
        self.running.kafka = cast("Any", self.kafka)
        self.running.sender = cast("Any", self.sender)
        self.running.bridge = cast("Any", SimpleNamespace(hurry=self.drains.append))
        self.running.pipeline = cast("Any", SimpleNamespace(awaited={}, mass_failure=None, run=self._run))
        self.running.undertaker = cast("Any", self._undertaker())
        self.running.http = cast("Any", SimpleNamespace(close=self._close))
        told = partial(note, f"{name} asks for no more schemas")
        self.running.schemas = cast("Any", SimpleNamespace(troubles={}, close=told))

    def _undertaker(self) -> SimpleNamespace:
        parts = vars(self.running.undertaker)
        return SimpleNamespace(**parts, stop=lambda _: self.note(f"{self.name} buries no more"))

    async def _run(self) -> None:
        try:
            await self.work()
        finally:
            self.note(f"{self.name} works no more")

    async def _close(self) -> None:
        await self.closing()
        self.note(f"{self.name} is closed")

    async def _at_once(self) -> None:
        pass


class Scene:
    """A service with two pipelines, on a port of loopback."""

    def __init__(self, timeout: float) -> None:
        self.journal = Journal()
        self.lines = Lines()
        self.parts = [Part("shop", self.journal), Part("mail", self.journal)]
        self.stop = asyncio.Event()
        self.service = Service(
            build=lambda: [part.running for part in self.parts],
            watch=for_ever,
            metrics=Metrics(),
            ops=("127.0.0.1", 0),
            shutdown_timeout=timeout,
            version="v1",
            clock=SystemClock(),
        )
        self.service._log = self.lines.log

    async def get(self, path: str) -> int:
        """The status that the port answers with; 0 = nobody answers."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self._url(path)) as response:
                return response.status
        except aiohttp.ClientConnectionError:
            return 0

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.service.port}{path}"

    async def failed(self) -> str:
        """How it ends, badly, in words."""
        with pytest.raises(FatalError) as caught:
            await asyncio.wait_for(self.service.run(self.stop), LONG)
        return str(caught.value)


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[None]:
    """It runs until the block ends, and has ended well then."""
    task = asyncio.create_task(scene.service.run(scene.stop))
    await eventually(lambda: scene.service.ready and scene.service.port)
    yield
    scene.stop.set()
    await asyncio.wait_for(task, LONG)


def hanging(*parts: Part) -> None:
    """These pipelines' Kafka does not answer."""
    for part in parts:
        part.kafka.let_go.clear()


async def test_an_end_comes_in_order() -> None:
    """Consumers leave first, all at once; then tasks, dead-letter producers and connections end, and the port last."""
    scene = Scene(LONG)
    asked: list[int] = []

    async def ask() -> None:
        asked.append(await scene.get("/live"))

    scene.parts[1].closing = ask
    async with running(scene):
        pass

    for name in ("shop", "mail"):
        steps = ("starts", "is told to stop", "has left", "works no more", "buries no more", "is closed")
        assert scene.journal.before(*(f"{name} {step}" for step in steps))
    assert scene.journal.before("mail has left", "shop works no more")
    assert scene.journal.before("mail works no more", "shop buries no more")
    assert scene.journal.before("mail buries no more", "shop is closed")
    assert scene.journal.before("mail works no more", "shop asks for no more schemas")
    assert asked == [200]
    assert await scene.get("/live") == 0
    assert scene.lines.events == ["started", "stopping", "stopped"]


async def test_it_is_not_ready_from_the_first_moment_on_and_lives_to_the_end() -> None:
    """While consumers drain `/ready` is 503; `/live` is 200, whatever their threads do, and `/status` answers."""
    scene = Scene(LONG)
    hanging(*scene.parts)
    async with running(scene):
        before = await scene.get("/ready")
        scene.stop.set()
        await eventually(lambda: "mail is told to stop" in scene.journal.lines)
        for part in scene.parts:
            part.kafka.snapshot = Snapshot(last_poll=SystemClock().now() - LONG, assigned=True)
        during = [await scene.get(path) for path in ("/ready", "/live", "/status", "/metrics")]
        for part in scene.parts:
            part.kafka.let_go.set()

    assert before == 200
    assert during == [503, 200, 200, 200]


async def test_a_pipeline_that_fails_ends_the_others_in_order() -> None:
    """A defect is logged at once with its pipeline; the others drain, commit and leave; the process ends badly."""
    scene = Scene(LONG)

    async def fail() -> None:
        raise ZeroDivisionError

    scene.parts[0].work = fail
    words = await scene.failed()

    assert words == "a pipeline failed by a defect of the service; the log says where"
    assert scene.journal.before("shop works no more", "mail is told to stop", "mail has left", "mail works no more")
    assert "shop has left" in scene.journal.lines
    assert scene.lines.events == ["started", "pipeline_failed", "stopping"]
    assert scene.lines("pipeline_failed")[0]["pipeline"] == "shop"


async def test_a_consumer_that_does_not_leave_is_given_up() -> None:
    """The others have left, and the words say what was left undone and what it means."""
    scene = Scene(SHORT)
    hanging(scene.parts[0])
    scene.stop.set()
    words = await scene.failed()

    assert words.startswith(
        "not all was done within shutdown_timeout (2 s): shop: the Kafka client did not end: its last commit may be "
        "missing, and its group waits for its session to end"
    )
    assert words.endswith(
        ". So nothing is lost: what is not committed is read again, and delivered twice where the vendor has it already"
    )
    assert "mail has left" in scene.journal.lines


async def test_a_consumer_that_has_no_partitions_leaves_nothing_undone() -> None:
    """One that was given up before its first assignment had nothing to commit, and the words say so."""
    scene = Scene(SHORT)
    hanging(scene.parts[0])
    scene.parts[0].kafka.snapshot = Snapshot(last_poll=0.0, assigned=False)
    scene.stop.set()

    assert "shop: the Kafka client did not end: it had no partitions" in await scene.failed()


async def test_the_time_holds_for_everything_together() -> None:
    """Consumers, tasks and connections that do not end are each named; the process ends all the same."""
    scene = Scene(SHORT)
    hanging(*scene.parts)
    let_go = asyncio.Event()

    async def stubborn() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    for part in scene.parts:
        part.work = part.closing = stubborn
    scene.stop.set()
    words = await scene.failed()
    let_go.set()

    for step in ("tasks", "connections"):
        assert f"; the {step} did not end" in words
    assert "shop: the Kafka client did not end" in words
    assert "mail: the Kafka client did not end" in words


async def test_requests_without_an_answer_are_named() -> None:
    """What was still in flight when the consumer had left may have been done: that is no clean end."""
    scene = Scene(LONG)
    scene.parts[1].sender.in_flight = 3
    scene.stop.set()

    assert "(600 s): mail: 3 requests had no answer. So nothing is lost" in await scene.failed()


async def test_a_last_commit_without_an_answer_is_named() -> None:
    """Where nobody acknowledged it, what settled since the one before comes twice: that is no clean end."""
    scene = Scene(LONG)
    scene.parts[0].kafka.unacknowledged = frozenset({("clicks", 0), ("clicks", 1)})
    scene.stop.set()

    assert "shop: the last commit of 2 partitions was not acknowledged. So" in await scene.failed()


@pytest.mark.parametrize(("whole", "drain"), [(25.0, 19.0), (5.0, 3.8), (100.0, 94.0)])
async def test_a_drain_leaves_time_for_the_commit_behind_it(whole: float, drain: float) -> None:
    """Requests that hang may take most of the end, but not what the commit needs: a fifth of it, 5 s at most."""
    scene = Scene(whole)
    async with running(scene):
        pass

    assert [part.drains for part in scene.parts] == [[pytest.approx(drain, abs=0.5)]] * 2


async def test_threads_that_all_wait_do_not_keep_the_end() -> None:
    """The end waits for its consumers on threads of its own: the loop's may all wait for a Kafka that is away."""
    scene = Scene(LONG)
    away = threading.Event()
    async with running(scene):
        asking = [asyncio.create_task(asyncio.to_thread(away.wait)) for _ in range(50)]
        scene.stop.set()
        await eventually(lambda: {"shop has left", "mail has left"} <= set(scene.journal.lines))
        away.set()
        await asyncio.wait(asking)


async def test_a_port_that_cannot_be_had_ends_it() -> None:
    """Nothing is started behind a port that somebody else has."""
    first, second = Scene(LONG), Scene(LONG)
    async with running(first):
        second.service._ops = ("127.0.0.1", first.service.port)
        words = await second.failed()

    assert words.startswith(f"cannot listen on 127.0.0.1:{first.service.port}: ")
    assert second.journal.lines == []


async def test_what_an_end_at_once_gives_up_is_said_by_pipeline() -> None:
    """Requests without an answer and records that are not settled."""
    scene = Scene(LONG)
    scene.parts[0].sender.in_flight = 2
    async with running(scene):
        said = scene.service.unsettled()
        scene.parts[0].sender.in_flight = 0

    assert said == (
        "shop: 2 requests without an answer, 0 records not settled; "
        "mail: 0 requests without an answer, 0 records not settled"
    )
