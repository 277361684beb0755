"""An HTTP sender with a key in its URL and headers, and what is needed to answer it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web
from yarl import URL

from processor.clock import ManualClock
from processor.demo.serving import serving
from processor.destinations.vendor import Address
from processor.records import Request
from processor.send.account import Account
from processor.send.http import HttpSender, Way
from processor.send.replies import Reply
from processor.settings.secrets import SecretSource
from tests.send.parts import channel, deliveries
from tests.support.conversations import listening, read_request
from tests.support.logs import Lines

KEY = "s3cr3t/+key=="
VIEW = channel("view")
REQUEST = Request(VIEW, deliveries(VIEW, None), b'{"productId":1}')


def account(base: str, *, source: SecretSource | None = None, lines: Lines | None = None) -> Account:
    """An account whose key travels in the URL and in a header."""

    def address(key: str) -> Address:
        headers = {"apikey": key, "User-Agent": "AcmeClickstream/1.0", "Content-Type": "application/json"}
        return Address(lambda path: URL(base + path).with_query({"apiKey": key}), headers)

    return Account(KEY, address, source=source, others=(), log=(lines or Lines()).log)


@asynccontextmanager
async def sender(
    base: str,
    *,
    timeout: float = 10.0,  # noqa: ASYNC109 - it is what is tested
    concurrency: int = 4,
    way: Way | None = None,
    id_header: str | None = None,
    texts: Mapping[int, frozenset[str]] | None = None,
    of: Account | None = None,
    may_send: Callable[[], bool] = lambda: True,
) -> AsyncIterator[HttpSender]:
    """A sender to such an account."""
    http = HttpSender(
        of or account(base),
        timeout=timeout,
        concurrency=concurrency,
        texts=texts or {},
        clock=ManualClock(wall=1_800_000_000.0),
        way=way or Way(),
        id_header=id_header,
        may_send=may_send,
    )
    try:
        yield http
    finally:
        await http.close()


def vendor(handle: Callable[[web.BaseRequest], web.StreamResponse]) -> AbstractAsyncContextManager[str]:
    """A server that answers every request; yields its URL."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return handle(request)

    return serving(web.ServerRunner(web.Server(answer), shutdown_timeout=0.1), "127.0.0.1", 0)


async def reply_to(handle: Callable[[web.BaseRequest], web.StreamResponse]) -> Reply:
    """What one request to such a server brings back."""
    async with vendor(handle) as url, sender(url) as http:
        return await http.send(REQUEST)


async def reply_of(answer: bytes, request: Request = REQUEST) -> Reply:
    """What one request brings back to a server that says these bytes and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}") as http:
        return await http.send(request)
