"""An end in steps under one deadline: what is not done by then is left to itself, and named."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from processor.logs import Logger


class Ending:
    """Runs the steps of an end, one after another; all of them share its time.

    Args:
        timeout: seconds from now on.

    Attributes:
        given_up: steps that were not over in time.
    """

    def __init__(self, timeout: float, log: Logger) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + timeout
        self._log = log
        self.given_up: list[str] = []

    @property
    def left(self) -> float:
        """Seconds until the deadline; none after it."""
        return max(self._deadline - self._loop.time(), 0.0)

    async def step(self, name: str, works: Iterable["Coroutine[Any, Any, object] | asyncio.Task[None]"]) -> None:
        """Wait for all of these, for as long as there is time. What fails is logged: the next step is due all the same.

        A task that was cancelled counts as ended.
        """
        tasks = [asyncio.ensure_future(work) for work in works]
        if not tasks:
            return
        done, late = await asyncio.wait(tasks, timeout=self.left)
        for task in done:
            failed = None if task.cancelled() else task.exception()
            if failed is not None:
                self._log.error("end_failed", step=name, exc_info=failed, next="the end goes on")
        if late:
            self._log.error("end_not_in_time", step=name, late=len(late), next="given up; the end goes on")
            self.given_up.append(name)
