import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from processor.consume import bridge
from processor.consume.bridge import LoopBridge
from processor.records import Assignment, Record
from tests.support.logs import Lines
from tests.support.records import record
from tests.support.waiting import eventually_sync

AT = Assignment("clicks", 0, 1)
Drain = Callable[[Sequence[Assignment]], Coroutine[Any, Any, None]]


@contextmanager
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own: this test is the Kafka thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        left = asyncio.all_tasks(loop)  # a drain that came too late may not have begun yet
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()


class Endless:
    """A drain of what stays in flight.

    Attributes:
        begun, cancelled: whether it was.
    """

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()

    async def __call__(self, _: Sequence[Assignment]) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def at_once(_: Sequence[Assignment]) -> None:
    """Nothing is in flight."""


class Told:
    """What the event loop was told, and on which thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        drain: Drain = at_once,
        timeout: float = 10.0,
        alive: Callable[[], object] = lambda: None,
    ) -> None:
        self.records: list[list[Record]] = []
        self.ended: list[Sequence[Assignment]] = []
        self.threads: set[int] = set()
        self.lines = Lines()
        self.bridge = LoopBridge(
            loop,
            receive=self._receive,
            drain=drain,
            ended=self._ended,
            drain_timeout=timeout,
            alive=alive,
            log=self.lines.log,
        )

    def _receive(self, records: list[Record]) -> None:
        self.threads.add(threading.get_ident())
        self.records.append(records)

    def _ended(self, assignments: Sequence[Assignment]) -> None:
        self.threads.add(threading.get_ident())
        self.ended.append(assignments)


def test_records_and_ends_arrive_in_order_on_the_loop() -> None:
    """Both are handed over to the event loop's own thread, a poll at a time."""
    with running_loop() as loop:
        told = Told(loop)
        polls = [[record(0)], [record(1), record(2)]]

        told.bridge.receive(polls[0])
        told.bridge.receive(polls[1])
        told.bridge.ended([AT])
        eventually_sync(lambda: told.ended)

    assert told.records == polls
    assert told.ended == [[AT]]
    assert threading.get_ident() not in told.threads


def test_nothing_ended_is_not_told() -> None:
    """A rebalance that ends nothing costs the event loop nothing."""
    with running_loop() as loop:
        told = Told(loop)
        told.bridge.ended([])
        told.bridge.ended([AT])
        eventually_sync(lambda: told.ended)

    assert told.ended == [[AT]]


def test_a_drain_waits_until_nothing_is_in_flight() -> None:
    """The drain returns when the event loop says that it is done, and not before."""
    drained: list[Sequence[Assignment]] = []

    async def drain(assignments: Sequence[Assignment]) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        drained.append(assignments)

    with running_loop() as loop:
        told = Told(loop, drain)
        told.bridge.drain([AT])
        assert drained == [[AT]]

    assert told.lines.events == []


def test_draining_nothing_asks_nobody() -> None:
    """Without assignments the event loop is not asked, also where there is none any more."""
    loop = asyncio.new_event_loop()
    loop.close()

    Told(loop).bridge.drain([])


def test_a_long_drain_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """A revocation may wait for longer than the group waits for a member: the lease is renewed meanwhile."""
    monkeypatch.setattr(bridge, "SLICE", 0.01)
    signs: list[None] = []
    enough = threading.Event()

    def alive() -> None:
        signs.append(None)
        if len(signs) == 3:
            enough.set()

    async def drain(_: Sequence[Assignment]) -> None:
        await asyncio.to_thread(enough.wait, 30)

    with running_loop() as loop:
        told = Told(loop, drain, alive=alive)
        told.bridge.drain([AT])

    assert len(signs) >= 3
    assert told.lines.events == []


def test_a_drain_ends_at_its_deadline() -> None:
    """What is still in flight then is given up: it is said, and the loop's part of it is cancelled."""
    drain = Endless()

    with running_loop() as loop:
        told = Told(loop, drain, timeout=0.05)
        told.bridge.drain([AT])
        assert drain.cancelled.wait(10)

    assert told.lines("drain_timed_out")[0]["seconds"] == 0.05


def test_a_blocked_loop_does_not_block_a_revocation() -> None:
    """The Kafka thread comes back at the deadline although the event loop does not turn."""
    unblocked = threading.Event()
    with running_loop() as loop:
        told = Told(loop, timeout=0.05)
        loop.call_soon_threadsafe(unblocked.wait)

        told.bridge.drain([AT])
        unblocked.set()

    assert told.lines.events == ["drain_timed_out"]


def test_a_drain_that_fails_is_the_caller_s() -> None:
    """An exception of the event loop's part is raised here, where the consumer is then built again."""

    async def drain(_: Sequence[Assignment]) -> None:
        raise ZeroDivisionError

    with running_loop() as loop, pytest.raises(ZeroDivisionError):
        Told(loop, drain).bridge.drain([AT])


def test_a_drain_under_way_is_cut_when_the_process_must_end() -> None:
    """The end allows what its own deadline leaves, also to a revocation that began before it."""
    drain = Endless()

    with running_loop() as loop, ThreadPoolExecutor(1) as kafka_thread:
        told = Told(loop, drain, timeout=3600.0)
        draining = kafka_thread.submit(told.bridge.drain, [AT])
        assert drain.begun.wait(10)
        loop.call_soon_threadsafe(told.bridge.hurry, 0.0)
        draining.result(60)
        assert drain.cancelled.wait(10)

    assert told.lines.events == ["drain_cut_short"]


def test_drains_after_that_are_not_waited_for() -> None:
    """All drains together have that time: a second one gets what the first one left, here nothing."""
    with running_loop() as loop:
        told = Told(loop, Endless(), timeout=3600.0)
        loop.call_soon_threadsafe(told.bridge.hurry, 0.0)
        told.bridge.drain([AT])
        told.bridge.drain([AT])

    assert told.lines.events == ["drain_cut_short", "drain_cut_short"]


def test_a_drain_that_ends_within_the_time_is_not_cut() -> None:
    """The time that an end allows is a limit, not a pause."""
    with running_loop() as loop:
        told = Told(loop)
        loop.call_soon_threadsafe(told.bridge.hurry, 3600.0)
        told.bridge.drain([AT])

    assert told.lines.events == []


def test_a_thread_that_outlives_the_loop_talks_to_nobody() -> None:
    """What a Kafka thread still says that was given up reaches no closed loop, and raises nothing there."""
    loop = asyncio.new_event_loop()
    loop.close()
    told = Told(loop)

    told.bridge.receive([record(0)])
    told.bridge.ended([AT])
    told.bridge.drain([AT])

    assert (told.records, told.ended) == ([], [])
