"""Stub vendors over real HTTP: they enforce the vendors' rules, fail on request, and keep books.

    python -m processor.demo.vendors --voyado-port 9001 --rocket-port 9002 --latency 0.05

Besides the vendor's own paths each stub answers `GET /_account` (a summary of both vendors), `GET /_accepted`
(every accepted delivery of both, as JSON lines `[vendor, method, lane, item, time]`, per vendor in the order
of arrival) and `POST /_faults` (`{"voyado": {"status": 503}, "rocket": {}}`: replaces the faults of those named).
"""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import uvloop
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from processor.demo.account import Account
from processor.demo.serving import SHUTDOWN_TIMEOUT, serving
from processor.demo.vendor_stub import MAX_BODY, Faults, Vendor, VendorStub, rocket, voyado


@dataclass(frozen=True, slots=True)
class VendorOptions:
    """How the stubs are started.

    Attributes:
        voyado_port: 0 takes a free one.
        rocket_port: the same for Retail Rocket.
        latency: seconds that each answer takes.
        limit: calls a second that each vendor takes before it answers 429; None = no limit.
        count_only: bodies are not parsed, only counted: for benchmarks.
        keep: accepted deliveries that each vendor remembers one by one, at least; None = all.
        voyado_key: the API key that Voyado takes.
        rocket_key: the API key that Retail Rocket takes.
        partner_id: the shop that `rocket_key` belongs to.
    """

    host: str = "127.0.0.1"
    voyado_port: int = 0
    rocket_port: int = 0
    latency: float = 0.05
    limit: float | None = None
    count_only: bool = False
    keep: int | None = None
    voyado_key: str = "demo-voyado-key"
    rocket_key: str = "demo-rocket-key"
    partner_id: str = "5ba1feda97a5252320437f20"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The books of both."""

    voyado: Account
    rocket: Account


@dataclass(frozen=True, slots=True)
class Vendors:
    """Both stubs while they run.

    Attributes:
        voyado_url: base URL, as a destination's `base_url`.
        rocket_url: the same; ends with `/1.0`.
    """

    voyado: VendorStub
    rocket: VendorStub
    voyado_url: str
    rocket_url: str

    @property
    def account(self) -> Accounts:
        """The books of both."""
        return Accounts(self.voyado.account, self.rocket.account)


class Control:
    """What tests and people may ask of stubs that run as a process of their own."""

    def __init__(self, stubs: dict[str, VendorStub]) -> None:
        self._stubs = stubs
        self._faults = TypeAdapter(dict[str, Faults])
        self._routes = {
            ("GET", "/_account"): self._account,
            ("GET", "/_accepted"): self._accepted,
            ("POST", "/_faults"): self._set_faults,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request to a path that starts with an underscore."""
        action = self._routes.get((request.method, request.path))
        if action is None:
            asked = ", ".join(" ".join(route) for route in self._routes)
            return web.Response(status=404, text=f"no such thing; ask for one of {asked}\n")
        return await action(request)

    async def _account(self, _: web.BaseRequest) -> web.StreamResponse:
        summary = {name: stub.account.summary() for name, stub in self._stubs.items()}
        return web.Response(body=orjson.dumps(summary), content_type="application/json")

    async def _accepted(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        for name, stub in self._stubs.items():
            for chunk in _json_lines(name, stub.account):
                await response.write(chunk)
        await response.write_eof()
        return response

    async def _set_faults(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            faults = self._faults.validate_json(await request.read())
        except ValidationError as error:
            return web.Response(status=400, text=f"{error}\n")
        if unknown := faults.keys() - self._stubs.keys():
            return web.Response(status=400, text=f"no such vendor: {', '.join(sorted(unknown))}\n")
        for name, wanted in faults.items():
            self._stubs[name].faults = wanted
        return web.Response(text="ok\n")


def _json_lines(name: str, account: Account) -> Iterator[bytes]:
    """Write accepted deliveries as lines, some at a time, so that a long account needs no memory twice."""
    for start in range(0, len(account.accepted), 1000):
        part = account.accepted[start : start + 1000]
        yield b"".join(orjson.dumps((name, *delivery)) + b"\n" for delivery in part)


@asynccontextmanager
async def running_vendors(options: VendorOptions | None = None) -> AsyncIterator[Vendors]:
    """Run both stubs for as long as the block runs.

    Raises:
        OSError: a port is taken.
    """
    options = options or VendorOptions()
    stubs = {
        "voyado": _stub(voyado(options.voyado_key), options),
        "rocket": _stub(rocket(options.rocket_key, options.partner_id), options),
    }
    control = Control(stubs)
    async with AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(serving(_runner(stub, control), options.host, port))
            for stub, port in zip(stubs.values(), (options.voyado_port, options.rocket_port), strict=True)
        ]
        yield Vendors(stubs["voyado"], stubs["rocket"], urls[0], f"{urls[1]}/1.0")


def _stub(vendor: Vendor, options: VendorOptions) -> VendorStub:
    return VendorStub(vendor, options.latency, options.limit, count_only=options.count_only, keep=options.keep)


def _runner(stub: VendorStub, control: Control) -> web.ServerRunner:
    """Serve without a router, which would cost as much as the rest."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await (control if request.path.startswith("/_") else stub).handle(request)

    def make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)

    # A client that gave up has no call in flight any more, so its handler must end with it.
    server = web.Server(handle, request_factory=make_request, access_log=None, handler_cancellation=True)
    return web.ServerRunner(server, shutdown_timeout=SHUTDOWN_TIMEOUT)


def parse_options(arguments: list[str] | None = None) -> VendorOptions:
    """Read the command line; ends the process with a message when it is wrong."""
    defaults = VendorOptions()
    parser = argparse.ArgumentParser(
        prog="python -m processor.demo.vendors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--voyado-port", type=int, default=9001, help="0 takes a free one")
    parser.add_argument("--rocket-port", type=int, default=9002, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=defaults.latency, help="seconds that each answer takes")
    parser.add_argument("--limit", type=float, help="calls a second that each vendor takes before it answers 429")
    parser.add_argument("--count-only", action="store_true", help="parse no bodies, only count (for benchmarks)")
    parser.add_argument("--keep", type=int, metavar="N", help="accepted deliveries to remember; all when not given")
    return VendorOptions(**vars(parser.parse_args(arguments)))


async def serve(options: VendorOptions) -> None:
    """Run both stubs until SIGTERM or SIGINT; one line says where they listen."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with running_vendors(options) as vendors:
        print(f"voyado {vendors.voyado_url} rocket {vendors.rocket_url}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(parse_options()))
