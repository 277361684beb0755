"""How a run begins: what happens between the look at the letters and that, and who gives way to whom."""

from dataclasses import replace
from threading import Thread
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from processor.clock import SystemClock
from processor.errors import FatalError
from processor.replay import begin
from processor.replay.audit import audit_topic
from processor.replay.begin import start
from processor.replay.claim import claim
from processor.replay.discard import discard
from processor.replay.discard import find as find_open
from processor.replay.history import Run, State
from processor.replay.reading import begins_of, ends_of
from processor.replay.run import Found, Terms, find, new_run
from processor.replay.selectors import Selectors
from processor.replay.spans import Spans
from processor.replay.survey import Passed, Survey
from processor.settle.letters import iso
from tests.replay.audits import WALL, audited
from tests.replay.audits import desk as audit_desk
from tests.replay.exports import ORDER, Desk, settle, walk
from tests.support.broker import Broker
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

LONG = 120.0
"""Seconds after which a run without a group counts as dead."""


def looked(desk: Desk, wall: float = WALL, *, resumed: Run | None = None, discarded: bool = False) -> Found:
    """What a command finds that wants all open letters."""
    order = replace(ORDER, discarded=discarded)
    return find(desk.access, order, Terms(None, 5.0), resumed, desk.access.audit.read(), walk, wall)


def left(found: Found) -> dict[int, Spans]:
    """What is to be done, by partition."""
    return {partition: spans for (_, partition), spans in found.left.items()}


@pytest.mark.parametrize("discarded", [False, True])
def test_letters_that_somebody_closes_meanwhile(desk: Desk, *, discarded: bool) -> None:
    """They are not sent: to look at a large topic takes minutes, in which whole runs may begin and end."""
    found = looked(desk, discarded=discarded)
    settle(desk, "delivered", (0, 0))
    settle(desk, "discarded", (2, 0))

    begun = start(desk.access, found, desk.writer, WALL)

    rest = {2: Spans((0, 1))} if discarded else {}
    assert left(begun) == {0: Spans((1, 3)), **rest}
    assert begun.survey.passed[Passed.CLOSED] == 2 - len(rest)
    assert begun.survey.read == begun.survey.selected + begun.survey.passed.total()


def test_who_looked_first_and_is_ready_last(desk: Desk) -> None:
    """Gives way: the other one goes on, and did not see it."""
    slow = looked(desk, WALL)
    quick = start(desk.access, looked(desk, WALL + 30), desk.writer, WALL + 40)

    with pytest.raises(FatalError, match=f"run {quick.run.id} of .* goes on"):
        start(desk.access, slow, desk.writer, WALL + 50)

    runs = desk.access.audit.read().runs
    assert {run.id[-1]: run.state for run in runs.values()} == {"1": "running", "2": "stopped"}


def test_clocks_that_differ(desk: Desk) -> None:
    """Who is second in the topic gives way, although its clock is behind."""
    second = looked(desk, WALL - 30)
    start(desk.access, looked(desk, WALL), desk.writer, WALL)

    with pytest.raises(FatalError, match="goes on"):
        start(desk.access, second, desk.writer, WALL - 30)


def test_a_run_that_was_stopped_goes_on(desk: Desk) -> None:
    """Then others see that it does, and it gives way to those that began since."""
    run = start(desk.access, looked(desk), desk.writer, WALL).run
    desk.writer.write_run(run.model_copy(update={"ended": iso(WALL), "state": "stopped", "words": "404"}))
    stopped = desk.access.audit.read().runs[run.id]
    resumed = looked(desk, resumed=stopped)
    another = looked(desk, WALL + LONG)

    start(desk.access, resumed, desk.writer, WALL + LONG)

    known = desk.access.audit.read().runs[run.id]
    assert (known.state, known.ended, known.words) == ("running", None, "")
    with pytest.raises(FatalError, match=f"run {run.id} of .* goes on"):
        start(desk.access, another, desk.writer, WALL + LONG + 1)
    third = start(desk.access, another, desk.writer, WALL + 3 * LONG)
    with pytest.raises(FatalError, match=f"run {third.run.id} of .* goes on"):
        start(desk.access, resumed, desk.writer, WALL + 3 * LONG + 1)


def openly(desk: Desk) -> tuple[Survey, Run]:
    """What a discard of all letters finds."""
    bounds = desk.access.reader.watermarks(desk.access.topic) or {}
    begins, ends = begins_of(bounds), ends_of(bounds)
    batches = desk.access.reader.read(desk.access.topic, begins, ends)
    found, _ = find_open(walk(Selectors()), batches, desk.access.audit.read())
    run = new_run(desk.access, Terms(None, None), WALL, kind="discard", selectors={}, begins={}, ends={})
    return found, run


def test_a_replay_that_begins_while_a_discard_looks(desk: Desk) -> None:
    """Nothing is discarded: those letters are on their way."""
    found, run = openly(desk)
    start(desk.access, looked(desk), desk.writer, SystemClock().wall())

    with pytest.raises(FatalError, match="goes on"):
        discard(desk.access, found, run, desk.writer, SystemClock())

    assert desk.access.audit.read().state_of(0, 0) is State.OPEN


def test_a_replay_that_ends_while_a_discard_looks(desk: Desk) -> None:
    """What it has sent is not called discarded."""
    found, run = openly(desk)
    settle(desk, "delivered", (0, 0))

    _, account = discard(desk.access, found, run, desk.writer, SystemClock())

    assert account.balanced
    assert (account.discarded, account.counts()["closed"]) == (3, 1)


def test_a_discard_that_goes_on(desk: Desk) -> None:
    """No replay begins beside it; one that was killed is in nobody's way after a minute."""
    _, run = openly(desk)
    claim(desk.access.audit, desk.writer, run, WALL)

    with pytest.raises(FatalError, match="wait for its end or, if it was killed, give its command again in a minute"):
        looked(desk, WALL + 30)
    assert looked(desk, WALL + LONG).to_do


def test_it_is_known_that_letters_are_still_put_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long that takes: a run has no group meanwhile, and others would take it for dead."""
    monkeypatch.setattr(begin, "BEAT", 0.05)
    restoring = desk.restoring()
    found = restoring.find(desk.access.audit.read())

    def stopped() -> bool:
        """Long enough for some words."""
        before = alive()
        eventually_sync(lambda: alive() > before)
        return False

    def alive() -> str:
        with audit_desk(desk.letters.broker, desk.access.topic) as other:
            (run,) = other.history.runs.values()
            return run.alive

    begun = restoring.begin(found, desk.writer, stopped)

    assert begun.survey.selected == 4
    last = desk.access.audit.read().runs[begun.run.id]
    assert (last.ends, last.ended) == (begun.run.ends, None)


def test_ids_behind_a_transaction_that_is_open(broker: Broker, topic: TopicFactory) -> None:
    """Records behind it cannot be seen, not even one's own: the id is taken once that can."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster has no transactions")
    name = audited(broker, topic)
    with audit_desk(broker, name) as one, audit_desk(broker, name) as other:
        held = transactional(broker, name)
        runs: list[Run] = []
        claims = [
            Thread(target=lambda here=here: runs.append(claim(here.audit, here.writer, here.run(), WALL)))
            for here in (one, other)
        ]
        for each in claims:
            each.start()
        eventually_sync(lambda: one.writer._over_with == other.writer._over_with == 1)
        held.abort_transaction()
        for each in claims:
            each.join(60)

        assert {run.id for run in runs} == {"2026-11-22-1", "2026-11-22-2"}


def transactional(broker: Broker, name: str) -> Producer:
    """Somebody's transaction in the audit topic, which is open."""
    made = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": uuid4().hex})
    made.init_transactions()
    made.begin_transaction()
    made.produce(audit_topic(name), b"{}", b"x")
    assert made.flush(20) == 0
    return made
