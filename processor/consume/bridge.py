"""The way from the Kafka thread into the event loop."""

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from processor.logs import Logger
from processor.records import Assignment, Record


class LoopBridge:
    """Hands records and rebalances over to the event loop; called on the Kafka thread.

    Args:
        drain_timeout: seconds that a revocation waits for what is in flight.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        receive: Callable[[list[Record]], None],
        drain: Callable[[Sequence[Assignment]], Coroutine[Any, Any, None]],
        ended: Callable[[Sequence[Assignment]], None],
        drain_timeout: float,
        log: Logger,
    ) -> None:
        self._loop = loop
        self._receive = receive
        self._drain = drain
        self._ended = ended
        self._drain_timeout = drain_timeout
        self._log = log

    def receive(self, records: list[Record]) -> None:
        """Hand one poll's records over; returns at once."""
        self._loop.call_soon_threadsafe(self._receive, records)

    def drain(self, assignments: Sequence[Assignment]) -> None:
        """Wait, under the deadline, until nothing of these is in flight.

        The coroutine may use HTTP and the dead-letter producer, never the consumer: this thread is blocked.
        """
        if not assignments:
            return
        drained = asyncio.run_coroutine_threadsafe(self._drain(assignments), self._loop)
        try:
            drained.result(self._drain_timeout)
        except concurrent.futures.TimeoutError:
            drained.cancel()
            self._log.warning(
                "drain_timed_out",
                seconds=self._drain_timeout,
                next="what was still in flight is not committed and may be delivered twice",
            )

    def ended(self, assignments: Sequence[Assignment]) -> None:
        """Tell that these are no longer ours; returns at once."""
        if assignments:
            self._loop.call_soon_threadsafe(self._ended, assignments)
