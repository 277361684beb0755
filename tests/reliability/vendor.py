"""A Voyado that goes wrong as it is told to, and keeps every request with its time.

It holds payloads against the same rules as the demo's stub; beside these it fails by path, by key, by visitor or by
payload, as a function says.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from processor.demo.serving import serving
from processor.demo.voyado_rules import VOYADO_METHODS, admit_voyado, check_voyado
from tests.support.background import in_background
from tests.support.server import free_port

VIEWS, CARTS = "productview", "carts"
"""Parts of the paths' names, single and batched."""
TIMEOUT = 10.0
"""Seconds to close a port, or to open it."""


class Sent(NamedTuple):
    """One delivery, or the event that asks for it.

    Attributes:
        number: grows with each event that is produced.
        made: when the event was produced, seconds since 1970.
    """

    visitor: str
    number: int
    made: float


class Answer(NamedTuple):
    """What is answered instead of an acceptance.

    Attributes:
        status: 0 = nothing, until the client goes away.
        cut: the connection is reset in place of the answer; with status 200 what was sent is taken nevertheless.
    """

    status: int
    retry_after: str | None = None
    cut: bool = False


@dataclass(slots=True)
class Call:
    """One request.

    Attributes:
        at: when it arrived, seconds on a clock that never jumps.
        wall: the same, seconds since 1970.
        agent: who sent it, by its own words.
        status: what it is answered, decided when it arrives.
        answered: when the answer went out; None = it did not, for the client had gone away or was cut off.
        left: whether the client went away before that.
    """

    at: float
    wall: float
    path: str
    key: str
    deliveries: Sequence[Sent]
    agent: str = ""
    status: int = 0
    answered: float | None = None
    left: bool = False


Fault = Callable[[Call], Answer | None]
"""Decides about one request that is right in itself; None = it is accepted."""


def nothing_wrong(_: Call) -> None:
    """Accept everything."""


def always(status: int, retry_after: str | None = None) -> Fault:
    """Answer everything with this."""
    return lambda _: Answer(status, retry_after)


def refusing(bad: Callable[[Sent], bool], status: int) -> Fault:
    """Refuse requests that carry one of these, whole."""
    return lambda call: Answer(status) if any(map(bad, call.deliveries)) else None


@dataclass
class FaultyVendor:
    """The vendor while it runs.

    Attributes:
        fault: what is wrong right now; may be set from any thread, at any time.
        key: the one that is good.
        calls: all requests, in the order of their arrival.
        taken: deliveries that were accepted.
        broken: requests that no fault explains: they break the vendor's rules, or their sender has another one of their
            visitor in flight.
    """

    latency: float
    port: int = field(default_factory=free_port)
    fault: Fault = nothing_wrong
    key: str = "demo-voyado-key"
    calls: list[Call] = field(default_factory=list)
    taken: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)
    _loop: asyncio.AbstractEventLoop | None = None
    _listening: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        """For `base_url`."""
        return f"http://127.0.0.1:{self.port}"

    # From the tests' thread.

    def refuse_connections(self) -> None:
        """Close the port, and every connection."""
        self._do(self.close())

    def take_connections(self) -> None:
        """Open the port again."""
        self._do(self.listen())

    def _do(self, step: Coroutine[Any, Any, None]) -> None:
        assert self._loop
        asyncio.run_coroutine_threadsafe(step, self._loop).result(TIMEOUT)

    # On the vendor's own loop.

    async def listen(self) -> None:
        """Take connections."""
        self._loop = asyncio.get_running_loop()
        # A client that gave up has no call in flight any more, so its handler must end with it.
        server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._listening.enter_async_context(serving(runner, "127.0.0.1", self.port))

    async def close(self) -> None:
        """Take none, and cut those that are there."""
        await self._listening.aclose()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        key, agent = (request.headers.get(name, "") for name in ("apikey", "User-Agent"))
        call = Call(time.monotonic(), time.time(), request.path, key, (), agent)
        self.calls.append(call)
        answer = self._judge(call, request, await request.read())
        call.status = answer.status
        self.taken += len(call.deliveries) * (call.status == web.HTTPOk.status_code)
        visitors = {(call.agent, delivery.visitor) for delivery in call.deliveries}
        self._open.update(visitors)
        self.broken["two in flight of one visitor"] += max((self._open[each] for each in visitors), default=0) > 1
        try:
            await (asyncio.sleep(self.latency) if answer.status else asyncio.Event().wait())
        except asyncio.CancelledError:
            call.left = True
            raise
        finally:
            self._open.subtract(visitors)
        if answer.cut:
            return _reset(request)
        call.answered = time.monotonic()
        headers = {"Retry-After": answer.retry_after} if answer.retry_after else {}
        return web.Response(status=answer.status, text="{}", content_type="application/json", headers=headers)

    def _judge(self, call: Call, request: web.BaseRequest, body: bytes) -> Answer:
        payload = orjson.loads(body)
        if wrong := check_voyado(call.path, payload):
            self.broken[wrong] += 1
        call.deliveries = _read(call.path, payload)
        fault = self.fault(call)
        if fault is not None:
            return fault
        refusal = admit_voyado(request.headers, self.key)
        return Answer(200 if refusal is None else refusal.status)


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    """Cut the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _read(path: str, payload: Any) -> list[Sent]:
    """Tell what a body delivers: views name their event by the item, carts by their only line."""
    bodies = payload if VOYADO_METHODS[path].batched else [payload]
    return [
        Sent(
            visitor=body["contactId"],
            number=int(body["itemId"] if VIEWS in path else body["items"][0]["sku"]),
            made=datetime.fromisoformat(body["time"]).timestamp(),
        )
        for body in bodies
    ]


@asynccontextmanager
async def serving_vendor(latency: float) -> AsyncIterator[FaultyVendor]:
    """Run one for as long as the block runs."""
    vendor = FaultyVendor(latency)
    await vendor.listen()
    try:
        yield vendor
    finally:
        await vendor.close()


def running_vendor(latency: float = 0.02) -> AbstractContextManager[FaultyVendor]:
    """The same, in a thread of its own."""
    return in_background(serving_vendor(latency))
