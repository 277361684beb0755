"""Asynchronous parts beside tests that have no event loop, or that end before the part does."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds for a part to start, and to end."""


@contextmanager
def in_background(part: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run a part in a thread with an event loop of its own for as long as the block runs."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="background", daemon=True)
    thread.start()
    try:
        value = _run(_entered(part), loop)
        try:
            yield value
        finally:
            _run(_left(part), loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _run(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(TIMEOUT)


async def _entered(part: AbstractAsyncContextManager[T]) -> T:
    return await part.__aenter__()


async def _left(part: AbstractAsyncContextManager[T]) -> None:
    await part.__aexit__(None, None, None)
