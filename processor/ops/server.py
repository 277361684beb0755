"""One port: `/live /ready /metrics /status`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

STOP_TIMEOUT = 0.2
"""Seconds at the end for an answer that is under way; whoever reads it slowly gets half of it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the server is asked, answered from snapshots.

    Attributes:
        dead: why the process should be restarted; None = it lives.
        unready: why it is not ready; None = it is.
        status: the whole state, as JSON types.
        metrics: Prometheus' text.
    """

    dead: Callable[[], str | None]
    unready: Callable[[], str | None]
    status: Callable[[], dict[str, Any]]
    metrics: Callable[[], bytes]


class OpsServer:
    """Serves the answers until stopped."""

    def __init__(self, answers: Answers, host: str, port: int) -> None:
        self._answers = answers
        self._host = host
        self._port = port
        app = web.Application()
        app.add_routes(
            [
                web.get("/live", self._live),
                web.get("/ready", self._ready),
                web.get("/metrics", self._metrics),
                web.get("/status", self._status),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_TIMEOUT)

    async def start(self) -> int:
        """Listen; returns the port (port 0 asks for any).

        Raises:
            OSError: the port is taken, or may not be used.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        return _health(self._answers.dead())

    async def _ready(self, _: web.Request) -> web.Response:
        return _health(self._answers.unready())

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._answers.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _status(self, _: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(self._answers.status()), content_type="application/json")


def _health(reason: str | None) -> web.Response:
    return web.Response(status=200 if reason is None else 503, text=f"{reason or 'ok'}\n")
