import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

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


async def at_once(_: Sequence[Assignment]) -> None:
    """Nothing is in flight."""


class Told:
    """What the event loop was told, and on which thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, drain: Drain = at_once, timeout: float = 10.0) -> None:
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


def test_a_drain_ends_at_its_deadline() -> None:
    """What is still in flight then is given up: it is said, and the loop's part of it is cancelled."""
    cancelled = threading.Event()

    async def drain(_: Sequence[Assignment]) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with running_loop() as loop:
        told = Told(loop, drain, timeout=0.05)
        told.bridge.drain([AT])
        assert cancelled.wait(10)

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
