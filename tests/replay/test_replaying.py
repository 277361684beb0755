"""One worker of a run, with stand-ins for the service, Kafka and the audit topic."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from processor.errors import FatalError
from processor.holds import Reason
from processor.records import Channel, Key, PartitionView
from processor.replay import replaying
from processor.replay.history import Run
from processor.replay.replaying import FRUITLESS, Progress, Worker, again
from processor.replay.spans import Spans
from processor.report import Hold
from tests.support.configured import HEAD, VIEW, plans

KEY, OTHER = ("dlq", 0), ("dlq", 1)
WANTED = {KEY: Spans((0, 10)), OTHER: Spans((5, 7))}
ALL = {KEY: Spans((0, 10)), OTHER: Spans((5, 7))}
RUN = Run(id="2026-11-22-1", kind="replay", topic="dlq", ends={"dlq": {0: 10}, "retired": {0: 3}})


# The configuration of a run.


def test_what_a_run_changes(tmp_path: Path) -> None:
    """Its own group, topics, rate, begin and port; nothing it finds is a mass failure."""
    head = HEAD.replace("start_from", "ops: {host: 0.0.0.0, port: 8080}\nstart_from")
    before = plans(tmp_path, VIEW, head)

    ready, plan = again(before, before.plans[0], RUN, 2.5, 1_795_341_600_500)

    assert plan.group == "clickstream.voyado.replay.2026-11-22-1"
    assert plan.topics == ("dlq", "retired")
    assert (plan.settings.rate, plan.settings.dead_letter.hold_above) == (2.5, 1.0)
    assert ready.settings.start_from == datetime(2026, 11, 22, 10, 0, 0, 500_000, UTC)
    assert (ready.settings.ops.host, ready.settings.ops.port) == ("127.0.0.1", 0)


def test_what_a_run_leaves_alone(tmp_path: Path) -> None:
    """All else; and the configuration that it was made of."""
    before = plans(tmp_path, VIEW)
    plan_before = before.plans[0]

    ready, plan = again(before, plan_before, RUN, None, None)

    assert (plan.routes, plan.mappers, plan.dead_letter_topic) == (
        plan_before.routes,
        plan_before.mappers,
        plan_before.dead_letter_topic,
    )
    assert ready.settings.kafka == before.settings.kafka
    assert plan.settings.rate is None
    assert plan_before.settings.dead_letter.hold_above < 1.0
    assert plan_before.group == "clickstream.voyado"
    assert before.settings.start_from == "latest"


@pytest.mark.parametrize("since", [None, -1])
def test_a_begin_that_nobody_knows(tmp_path: Path, since: int | None) -> None:
    """Where there are no times, it begins with the first record."""
    before = plans(tmp_path, VIEW)

    ready, _ = again(before, before.plans[0], RUN, None, since)

    assert ready.settings.start_from == "earliest"


# The worker.


class Bench:
    """A worker whose service runs until it is stopped; one look after another tells what all workers have done.

    Args:
        looks: outcomes of the run, as the audit topic tells them at each look; the last one stays.
    """

    def __init__(self, *looks: Mapping[str, Mapping[Key, Spans]] | Exception) -> None:
        self.looks = [*looks]
        self.stop = asyncio.Event()
        self.failure: Exception | None = None
        self.begun = False
        self.gone: list[tuple[Key, Spans]] = []
        self.shown: list[Progress] = []
        self.watermarks: dict[str, dict[int, tuple[int, int]] | None] = {"dlq": {0: (0, 10), 1: (0, 7)}}
        self.views: dict[Key, PartitionView] = {}
        self.paused: set[Key] = set()
        self.outlets: list[Any] = []
        self.pipelines: list[Any] = []

    async def run(self, stop: asyncio.Event) -> None:
        """What the service does."""
        self.begun = True
        self.pipelines = [
            SimpleNamespace(
                kafka=SimpleNamespace(snapshot=SimpleNamespace(partitions=self.views, paused=self.paused)),
                scheduler=SimpleNamespace(outlets=self.outlets),
            )
        ]
        if self.failure is not None:
            raise self.failure
        await stop.wait()

    def read(self) -> Any:
        """What the audit topic tells."""
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return SimpleNamespace(of_run=lambda run: look if run == RUN.id else {})

    async def work(self, wanted: Mapping[Key, Spans] = WANTED) -> str:
        """What the worker says at its end."""
        stands_in: Any = self
        journal: Any = SimpleNamespace(gone=lambda key, spans: self.gone.append((key, spans)))
        reader: Any = SimpleNamespace(watermarks=self.watermarks.get)
        worker = Worker(stands_in, journal, RUN.id, wanted, stands_in, reader, self.shown.append)
        async with asyncio.timeout(20):
            return await worker.work(self.stop)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look follows the other, and nothing is held."""
    monkeypatch.setattr(replaying, "LOOK", 0.0)
    monkeypatch.setattr(replaying, "holds", lambda _: [])


def view(frontier: int | None) -> PartitionView:
    """A partition that is settled up to there."""
    return PartitionView(None, frontier, None, 0, 0, 0, None)


async def test_it_ends_when_all_has_an_outcome() -> None:
    """Whoever of the run's workers did it; until then it goes on, and tells how far it is."""
    bench = Bench(
        {},
        {"delivered": {KEY: Spans((0, 4))}, "failed": {KEY: Spans((4, 6))}},
        {"delivered": {KEY: Spans((0, 4))}, "failed": {KEY: Spans((4, 10)), OTHER: Spans((5, 7))}},
    )

    assert await bench.work() == ""
    assert bench.stop.is_set()
    assert bench.shown == [Progress(0, 12, 0), Progress(6, 12, 2), Progress(12, 12, 8)]


async def test_nothing_to_do() -> None:
    """A run of which nothing is left ends with its first look."""
    bench = Bench({"delivered": ALL})

    assert await bench.work({}) == ""
    assert bench.shown == [Progress(0, 0, 0)]


async def test_it_is_stopped() -> None:
    """Then the rest stays open, and there is no reason beyond that."""
    bench = Bench({})
    work = asyncio.create_task(bench.work())
    while not bench.shown:  # noqa: ASYNC110 - each turn of the loop is a look
        await asyncio.sleep(0)

    bench.stop.set()

    assert await work == ""


async def test_outcomes_of_what_it_has_not_to_do() -> None:
    """They do not count as progress."""
    bench = Bench({"delivered": {("dlq", 9): Spans((0, 99)), KEY: Spans((50, 60))}}, {"delivered": ALL})

    await bench.work()

    assert bench.shown == [Progress(0, 12, 0), Progress(12, 12, 0)]


async def test_why_nothing_is_sent() -> None:
    """What holds is told beside the progress."""
    holds = [Hold("view", Reason.OUTAGE, "503", 0.0), Hold("", Reason.REGISTRY, "no answer", 0.0)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "holds", lambda _: holds)
        bench = Bench({"delivered": ALL})
        await bench.work()

    assert bench.shown[0].held == f"{Reason.OUTAGE.value}: 503; {Reason.REGISTRY.value}: no answer"


async def test_a_method_that_refuses_everything() -> None:
    """After two fruitless probings the rest is left, with what was said last; one is not enough."""
    bench = Bench({"delivered": {KEY: Spans((0, 4))}})
    gate = SimpleNamespace(fruitless=FRUITLESS - 1, words="400 no such thing")
    bench.outlets = [
        SimpleNamespace(gate=SimpleNamespace(fruitless=0), channel=Channel("view", "/v", batched=False)),
        SimpleNamespace(gate=gate, channel=Channel("cart", "/c", batched=False)),
    ]
    work = asyncio.create_task(bench.work())
    while len(bench.shown) < 3:  # noqa: ASYNC110 - so here
        await asyncio.sleep(0)
    assert not work.done()

    gate.fruitless = FRUITLESS

    words = await work
    assert words.startswith("cart refused all that was tried")
    assert words.endswith("400 no such thing")
    assert bench.stop.is_set()


@pytest.mark.parametrize("full", [False, True])
async def test_what_was_not_read_yet_may_be_taken(*, full: bool) -> None:
    """A method is not given up before all that is wanted was read, or nothing more of it can be held."""
    bench = Bench({"delivered": {KEY: Spans((0, 4))}})
    gate = SimpleNamespace(fruitless=FRUITLESS, words="400")
    bench.outlets = [SimpleNamespace(gate=gate, channel=Channel("cart", "/c", batched=False))]
    last = max(end for _, end in WANTED[KEY])
    bench.views[KEY] = replace(view(0), next=last - 1)
    work = asyncio.create_task(bench.work())
    while len(bench.shown) < 3:  # noqa: ASYNC110 - so here
        await asyncio.sleep(0)
    assert not work.done()

    if full:
        bench.paused.add(KEY)
    else:
        bench.views[KEY] = replace(view(0), next=last)

    assert (await work).startswith("cart refused all that was tried")


async def test_all_done_although_a_method_refuses() -> None:
    """Then there is no rest to be left."""
    bench = Bench({"failed": ALL})
    gate = SimpleNamespace(fruitless=FRUITLESS, words="400")
    bench.outlets = [SimpleNamespace(gate=gate, channel=Channel("cart", "/c", batched=False))]

    assert await bench.work() == ""


# What will never come.


async def test_what_kafka_has_deleted_meanwhile() -> None:
    """It gets an outcome of its own, as far as it has none, in every partition of this worker."""
    bench = Bench({"delivered": {KEY: Spans((0, 2))}}, {"delivered": ALL})
    bench.views = {KEY: view(None), OTHER: view(0), ("dlq", 9): view(0)}
    bench.watermarks = {"dlq": {0: (6, 10), 1: (6, 7), 9: (50, 60)}}

    await bench.work()

    assert bench.gone == [(KEY, Spans((2, 6))), (OTHER, Spans((5, 6)))]


async def test_what_was_passed_without_coming() -> None:
    """What lies below the frontier and has no outcome will not come: compaction or a transaction took it."""
    bench = Bench({"delivered": {KEY: Spans((0, 3))}}, {"delivered": ALL})
    bench.views = {KEY: view(5)}

    await bench.work()

    assert bench.gone == [(KEY, Spans((3, 5)))]


async def test_partitions_of_other_workers() -> None:
    """What becomes of theirs they tell themselves."""
    bench = Bench({}, {"delivered": ALL})
    bench.views = {OTHER: view(5)}
    bench.watermarks = {"dlq": {0: (9, 10), 1: (0, 7)}}

    await bench.work()

    assert bench.gone == []


async def test_a_topic_that_is_gone() -> None:
    """Nobody knows what it held: nothing is told to be deleted."""
    bench = Bench({}, {"delivered": ALL})
    bench.views = {KEY: view(None)}
    bench.watermarks = {"dlq": None}

    await bench.work()

    assert bench.gone == []


async def test_the_frontier_is_looked_at_before_the_marks() -> None:
    """What is settled between the two looks has its marks then; the other way round it would be told to be gone."""
    bench = Bench({}, {"delivered": ALL})
    bench.views = {KEY: view(0)}
    read = bench.read

    def settles_meanwhile() -> Any:
        bench.views[KEY] = view(10)
        return read()

    bench.read = settles_meanwhile  # type: ignore[method-assign]

    await bench.work({KEY: Spans((0, 10))})

    assert bench.gone == []


# What goes wrong.


async def test_the_service_fails() -> None:
    """Its words are the worker's."""
    bench = Bench({})
    bench.failure = FatalError("a pipeline failed")

    with pytest.raises(FatalError, match="a pipeline failed"):
        await bench.work()


async def test_the_audit_topic_cannot_be_read() -> None:
    """Kafka is away: the run waits for it as the service does, says so beside what it knew last, and goes on."""
    bench = Bench({"failed": {KEY: Spans((0, 2))}}, FatalError("Kafka does not answer"), {"delivered": ALL})

    assert await bench.work() == ""
    assert bench.shown == [
        Progress(2, 12, 2),
        Progress(2, 12, 2, "Kafka does not answer"),
        Progress(12, 12, 0),
    ]


async def test_a_defect_of_the_watch() -> None:
    """Nobody would know when the run is done: the service ends in order, and then it is told."""
    bench = Bench({}, KeyError("partition"))

    with pytest.raises(KeyError):
        await bench.work()
    assert bench.stop.is_set()
