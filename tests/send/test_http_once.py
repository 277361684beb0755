import asyncio
from typing import Any

import pytest
from aiohttp import web

from processor.records import Request
from processor.send.replies import Answered, NotSent, Unknown
from tests.send.http_bench import REQUEST, VIEW, reply_of, sender, vendor
from tests.send.parts import channel, deliveries
from tests.support.conversations import listening, read_request
from tests.support.server import free_port

WELCOME = channel("welcome_sequence", once=True)
ONCE = Request(WELCOME, deliveries(WELCOME, None), b"{}")
VIEWS = channel("views", batched=True)


async def test_once_is_sent_like_all_others() -> None:
    """The same headers to the same address, over the same connections."""
    peers: list[tuple[Any, dict[str, str]]] = []

    def handle(request: web.BaseRequest) -> web.Response:
        peername = request.transport.get_extra_info("peername") if request.transport else None
        peers.append((peername, dict(request.headers)))
        return web.Response(status=202)

    async with vendor(handle) as url, sender(url) as http:
        assert [await http.send(of) for of in (REQUEST, ONCE, ONCE)] == [Answered(202, "")] * 3

    assert len({peer for peer, _ in peers}) == 1
    assert peers[1][1] == peers[2][1] == peers[0][1] | {"Content-Length": "2"}


async def test_hanging_up_on_a_request_leaves_it_open() -> None:
    """It had its connection: it may have reached a shopper."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}") as http:
        assert await http.send(ONCE) == Unknown("ServerDisconnectedError")


async def test_a_connection_that_was_kept_and_then_cut_leaves_it_open() -> None:
    """A connection that is used again counts as one."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await read_request(reader)

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}") as http:
        assert await http.send(ONCE) == Answered(200, "")
        assert isinstance(await http.send(ONCE), Unknown)


async def test_no_answer_in_time_leaves_it_open() -> None:
    """The time-out came after the connection."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.Event().wait()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}", timeout=0.05) as http:
        assert await http.send(ONCE) == Unknown("no answer in time")


async def test_a_connection_that_does_not_come_in_time_means_not_sent() -> None:
    """A vendor that cannot be reached was not called, however long we waited: a TLS handshake that hangs."""

    async def talk(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with listening(talk) as port, sender(f"https://127.0.0.1:{port}", timeout=0.1) as http:
        assert await http.send(ONCE) == NotSent("no answer in time")
        assert await http.send(REQUEST) == Unknown("no answer in time")


async def test_a_refused_connection_means_not_sent() -> None:
    """As for any method."""
    async with sender(f"http://127.0.0.1:{free_port()}") as http:
        assert isinstance(await http.send(ONCE), NotSent)


async def test_an_answer_is_an_answer() -> None:
    """What it means for a method that is sent once is judged elsewhere."""
    assert await reply_of(b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops", request=ONCE) == Answered(500, "oops")


@pytest.mark.parametrize("request_", [REQUEST, ONCE])
async def test_a_single_call_carries_the_delivery_s_id(request_: Request) -> None:
    """Under the name that the file gives, so that the vendor can tell a repeat."""
    seen: list[str | None] = []

    def handle(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Idempotency-Key"))
        return web.Response()

    async with vendor(handle) as url, sender(url, id_header="Idempotency-Key") as http:
        await http.send(request_)
        await http.send(request_)
    async with vendor(handle) as url, sender(url) as http:
        await http.send(request_)

    assert seen == ["shop:0:0:views:0", "shop:0:0:views:0", None]


async def test_a_batch_carries_no_id() -> None:
    """It has many, and a single one of them would make the vendor drop the others."""
    seen: list[str | None] = []

    def handle(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Idempotency-Key"))
        return web.Response()

    async with vendor(handle) as url, sender(url, id_header="Idempotency-Key") as http:
        for lanes in ((None,), (None, None)):
            await http.send(Request(VIEWS, deliveries(VIEWS, *lanes), b"[]"))
        await http.send(Request(VIEW, deliveries(VIEW, None), b"{}"))

    assert seen == [None, None, "shop:0:0:views:0"]


@pytest.mark.parametrize("once", [False, True])
async def test_what_is_no_longer_ours_is_not_written(*, once: bool) -> None:
    """A process that stood still while a request waited for its connection sends nothing of it, then as ever."""
    arrived: list[str] = []
    ours = iter([True, False, True])

    def handle(request: web.BaseRequest) -> web.Response:
        arrived.append(request.path)
        return web.Response()

    request = Request(channel("view", once=once), deliveries(VIEW, None), b"{}")
    async with vendor(handle) as url, sender(url, concurrency=1, may_send=lambda: next(ours)) as http:
        replies = [await http.send(request) for _ in range(3)]

    assert replies == [Answered(200, ""), NotSent("its partition may be another member's by now"), Answered(200, "")]
    assert len(arrived) == 2
