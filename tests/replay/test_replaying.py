"""One worker of a run, with stand-ins for the service, Kafka and the audit topic."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from processor.errors import FatalError
from processor.holds import Reason
from processor.records import Channel
from processor.replay.replaying import FRUITLESS, Progress, again
from processor.replay.spans import Spans
from processor.report import Hold
from tests.replay.worker_bench import ALL, KEY, OTHER, RUN, WANTED, Bench, view
from tests.support.configured import HEAD, VIEW, plans
from tests.support.waiting import eventually

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


def test_what_is_aborted_is_not_replayed(tmp_path: Path) -> None:
    """Whatever the service reads: letters of a transaction that was taken back were not put back."""
    before = plans(tmp_path, VIEW, HEAD.replace("kafka: {", "kafka: {isolation.level: read_uncommitted, "))
    assert "isolation.level" in before.settings.kafka

    ready, _ = again(before, before.plans[0], RUN, None, None)

    assert ready.settings.kafka == {
        name: value for name, value in before.settings.kafka.items() if name != "isolation.level"
    }


@pytest.mark.parametrize("since", [None, -1])
def test_a_begin_that_nobody_knows(tmp_path: Path, since: int | None) -> None:
    """Where there are no times, it begins with the first record."""
    before = plans(tmp_path, VIEW)

    ready, _ = again(before, before.plans[0], RUN, None, since)

    assert ready.settings.start_from == "earliest"


# The worker.


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
    await eventually(lambda: bench.shown or work.done())

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
    bench = Bench({"delivered": ALL})
    bench.holds = holds

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
    await eventually(lambda: len(bench.shown) >= 3 or work.done())
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
    await eventually(lambda: len(bench.shown) >= 3 or work.done())
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
