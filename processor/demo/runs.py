"""The service, one run after another in this process, as somebody who supervises processes would start it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from processor.demo.accounting import NOTHING, DestinationAccount, account_of
from processor.errors import FatalError
from processor.running import RunningPipeline
from processor.service import Service

INTERVAL = 0.02
"""Seconds between two looks at what other threads do."""


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition of other threads; there is nothing to be woken by."""
    while not condition():  # noqa: ASYNC110 - snapshots of the Kafka thread have no event
        await asyncio.sleep(INTERVAL)


class Runs:
    """Starts and ends the service, and keeps the books of runs that are over.

    Args:
        build: reads the configuration and builds a service.

    Attributes:
        restarts: how often it was started again.
        up: whether it runs and is ready.
    """

    def __init__(self, build: Callable[[], Service]) -> None:
        self._build = build
        self._past: dict[str, DestinationAccount] = {}
        self._turn = asyncio.Lock()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.service = build()
        self.restarts = 0
        self.up = False

    async def start(self) -> None:
        """Start, and wait until it is ready.

        Raises:
            FatalError: it ended instead.
        """
        self._stop = asyncio.Event()
        self._task = task = asyncio.create_task(self.service.run(self._stop))
        await until(lambda: task.done() or self.service.ready)
        self.up = True
        self.check()

    async def end(self) -> None:
        """Drain, commit and end, where it runs.

        Raises:
            FatalError: not all of that could be done.
        """
        async with self._turn:
            await self._end()

    async def restart(self) -> None:
        """End this run and begin the next one.

        Raises:
            FatalError: the one could not end, or the other not begin.
        """
        async with self._turn:
            await self._end()
            ahead = {each.plan.name: _read_again(each) for each in self.service.pipelines}
            self._past = {
                name: replace(books, read=books.read - ahead[name]) for name, books in self.accounts().items()
            }
            self.service = self._build()
            self.restarts += 1
            await self.start()

    async def abandon(self) -> None:
        """End it whatever happens, because something else has failed already."""
        with suppress(FatalError):
            await self.end()

    def check(self) -> None:
        """See that it runs.

        Raises:
            FatalError: it ended by itself.
        """
        if self.up and self._task is not None and self._task.done():
            self._task.result()
            raise FatalError("the service has ended by itself")

    def accounts(self) -> dict[str, DestinationAccount]:
        """The service's books, by destination, over all runs."""
        now = {each.plan.name: account_of(each, self.service.metrics) for each in self.service.pipelines}
        return {name: now.get(name, NOTHING) + self._past.get(name, NOTHING) for name in now | self._past}

    async def _end(self) -> None:
        self.up = False
        self._stop.set()
        if self._task is not None:
            await self._task


def _read_again(ended: RunningPipeline) -> int:
    """Records that were settled beyond what could be committed: the next run reads them again, and passes them over."""
    return sum(view.settled_ahead for view in ended.kafka.snapshot.partitions.values())
