"""Waiting for a condition under a deadline: a test never sleeps and hopes."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

PATIENCE = 4
"""Times as long as a test says: on a machine that others use, too, all takes longer. Only what fails waits it out."""
INTERVAL = 0.02
"""Seconds between two looks: short for a person, long for a condition that asks a broker."""


@overload
async def eventually(condition: Callable[[], Awaitable[T | None]], within: float = 10.0) -> T: ...
@overload
async def eventually(condition: Callable[[], T | None], within: float = 10.0) -> T: ...
async def eventually(condition: Callable[[], T | Awaitable[T | None] | None], within: float = 10.0) -> T:
    """Look until `condition` gives something true, and return that.

    Args:
        condition: looked at every `INTERVAL`; may be a coroutine function. What it raises ends the waiting.
        within: seconds that this takes at most on a machine that does nothing else; `PATIENCE` times as long after that
            the waiting fails. The condition is looked at once more then.

    Raises:
        AssertionError: the condition did not come true in time; names its last value.
    """
    deadline = time.monotonic() + within * PATIENCE
    while True:
        late = time.monotonic() >= deadline
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if late:
            raise AssertionError(_too_late(condition, value, within))
        await asyncio.sleep(INTERVAL)


def eventually_sync(condition: Callable[[], T | None], within: float = 10.0) -> T:
    """Do the same where there is no event loop.

    Raises:
        AssertionError: the condition did not come true in time; names its last value.
    """
    deadline = time.monotonic() + within * PATIENCE
    while True:
        late = time.monotonic() >= deadline
        value = condition()
        if value:
            return value
        if late:
            raise AssertionError(_too_late(condition, value, within))
        time.sleep(INTERVAL)


def _too_late(condition: Callable[[], object], value: object, within: float) -> str:
    name = getattr(condition, "__qualname__", repr(condition))
    return f"not true after {within * PATIENCE:g} s: {name} (last value: {value!r})"
