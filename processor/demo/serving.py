"""How the demo's servers listen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

SHUTDOWN_TIMEOUT = 0.5
"""Seconds for requests that are being answered when a stub stops; a slow stub must not make its user wait."""


@asynccontextmanager
async def serving(runner: web.BaseRunner, host: str, port: int) -> AsyncIterator[str]:
    """Listen for as long as the block runs.

    Args:
        runner: what answers.
        host: address to listen on.
        port: 0 takes a free one.

    Yields:
        The base URL, without a slash at the end.

    Raises:
        OSError: the port is taken.
    """
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
