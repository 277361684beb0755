"""A gateway in front of a registry: asks for a login, counts the questions, answers some of them in its place."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web
from yarl import URL


@dataclass
class Gateway:
    """Passes on what it lets in.

    Attributes:
        lets_in: judges the header `Authorization`, which is empty where there is none.
        url: base address, with the registry's own path.
        delay: seconds that each answer takes longer.
        instead: status and JSON that it answers itself, by the end of the path that is asked for.
        asked: how many requests there were, by path below `url`.
        refused: how many requests it did not let in.
    """

    registry: URL
    session: ClientSession
    lets_in: Callable[[str], bool]
    url: str = ""
    delay: float = 0.0
    instead: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        """Pass a question on, or refuse it as Confluent's registry does."""
        self.asked[request.path.removeprefix(self.registry.path)] += 1
        await asyncio.sleep(self.delay)
        if not self.lets_in(request.headers.get("Authorization", "")):
            self.refused += 1
            return web.json_response({"error_code": 401, "message": "Unauthorized"}, status=401)
        for end, (status, body) in self.instead.items():
            if request.path.endswith(end):
                return web.json_response(body, status=status)
        async with self.session.get(self.registry.join(request.rel_url)) as answer:
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                headers={"Content-Type": answer.headers["Content-Type"]},
            )


@asynccontextmanager
async def running_gateway(
    registry: str, lets_in: Callable[[str], bool], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Gateway]:
    """A gateway on loopback, with TLS where it is given some."""
    async with ClientSession() as session:
        gateway = Gateway(URL(registry), session, lets_in)
        app = web.Application()
        app.add_routes([web.get("/{path:.*}", gateway.handle)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        scheme = "https" if tls else "http"
        gateway.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}{gateway.registry.path}"
        try:
            yield gateway
        finally:
            await runner.cleanup()
