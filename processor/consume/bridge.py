"""The way from the Kafka thread into the event loop."""

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from processor.logs import Logger
from processor.records import Assignment, Record

REPEATED = "what was still in flight is not committed and may be delivered twice"

SLICE = 1.0
"""Seconds of a drain between two signs of life."""


class LoopBridge:
    """Hands records and rebalances over to the event loop; called on the Kafka thread, but for `hurry`.

    A thread that did not end in time may outlive the loop: it then talks to nobody.

    Args:
        drain_timeout: seconds that a revocation waits for what is in flight.
        alive: told at least once a second meanwhile that this thread is at work.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        receive: Callable[[list[Record]], None],
        drain: Callable[[Sequence[Assignment]], Coroutine[Any, Any, None]],
        ended: Callable[[Sequence[Assignment]], None],
        drain_timeout: float,
        alive: Callable[[], object] = lambda: None,
        log: Logger,
    ) -> None:
        self._loop = loop
        self._receive = receive
        self._drain = drain
        self._ended = ended
        self._drain_timeout = drain_timeout
        self._alive = alive
        self._log = log
        self._draining: concurrent.futures.Future[None] | None = None
        self._no_time = False

    @property
    def draining(self) -> bool:
        """Whether the Kafka thread waits for a drain."""
        return self._draining is not None

    def hurry(self, seconds: float) -> None:
        """Allow all drains together so many seconds more, the one under way included; called on the event loop."""
        self._loop.call_later(seconds, self._cut)

    def receive(self, records: list[Record]) -> None:
        """Hand one poll's records over; returns at once."""
        self._post(self._receive, records)

    def drain(self, assignments: Sequence[Assignment]) -> None:
        """Wait, under the deadline, until nothing of these is in flight.

        The coroutine may use HTTP and the dead-letter producer, never the consumer: this thread is blocked.
        """
        if not assignments or self._loop.is_closed():
            return
        self._draining = drained = asyncio.run_coroutine_threadsafe(self._drain(assignments), self._loop)
        # Looked at after `_draining` is set, as `_cut` does it the other way round: one of the two sees the other.
        try:
            self._wait(drained, 0.0 if self._no_time else self._drain_timeout)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            drained.cancel()
            if self._no_time:
                self._log.warning("drain_cut_short", reason="the process must end", next=REPEATED)
            else:
                self._log.warning("drain_timed_out", seconds=self._drain_timeout, next=REPEATED)
        finally:
            self._draining = None

    def ended(self, assignments: Sequence[Assignment]) -> None:
        """Tell that these are no longer ours; returns at once."""
        if assignments:
            self._post(self._ended, assignments)

    def _wait(self, drained: concurrent.futures.Future[None], seconds: float) -> None:
        """Wait in slices: a drain may take longer than the group waits for a sign of life."""
        while seconds > SLICE:
            try:
                return drained.result(SLICE)
            except concurrent.futures.TimeoutError:
                self._alive()
                seconds -= SLICE
        return drained.result(seconds)

    def _cut(self) -> None:
        self._no_time = True
        if (draining := self._draining) is not None:
            draining.cancel()

    def _post(self, callback: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(callback, *arguments)
