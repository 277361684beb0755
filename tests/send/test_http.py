import asyncio
from urllib.parse import quote

import pytest
from aiohttp import web
from yarl import URL

from processor.demo.serving import serving
from processor.send.http import BODY_KEPT, BODY_READ
from processor.send.replies import Answered
from tests.send.http_bench import KEY, REQUEST, reply_to, sender, vendor
from tests.support.conversations import listening, read_request
from tests.support.server import free_port

MEGABYTE = 1024 * 1024


async def test_a_request_goes_out_as_it_is() -> None:
    """POST, the bytes of the body, the account's headers and URL; nothing that was not asked for."""
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    async def note(request: web.BaseRequest) -> web.Response:
        seen.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        return web.Response()

    async with (
        serving(web.ServerRunner(web.Server(note)), "127.0.0.1", 0) as url,
        sender(url) as http,
    ):
        assert await http.send(REQUEST) == Answered(200, "")

    [(method, path, headers, body)] = seen
    assert (method, body) == ("POST", REQUEST.body)
    assert URL(path) == URL("/view").with_query({"apiKey": KEY})
    assert headers["apikey"] == KEY
    assert headers["User-Agent"] == "AcmeClickstream/1.0"
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(REQUEST.body))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_the_body_of_an_acceptance_is_of_no_interest(status: int) -> None:
    """Nobody parses it, and nobody keeps it."""
    body = b"" if status == 204 else b'{"request": "ok"}'

    assert await reply_to(lambda _: web.Response(status=status, body=body)) == Answered(status, "")


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429, 500, 503])
async def test_the_words_of_a_refusal_are_kept(status: int) -> None:
    """People want to read what the vendor said."""
    answer = web.Response(status=status, text="productId: måste vara ett heltal")

    assert await reply_to(lambda _: answer) == Answered(status, "productId: måste vara ett heltal")


async def test_only_the_beginning_of_a_refusal_is_kept() -> None:
    """A vendor's error page may be long."""
    reply = await reply_to(lambda _: web.Response(status=400, text="x" * 5000))

    assert reply == Answered(400, "x" * BODY_KEPT)


async def test_a_refusal_in_no_known_encoding() -> None:
    """Bytes that are no UTF-8 are shown as well as they can be."""
    reply = await reply_to(lambda _: web.Response(status=400, body=b"f\xf6rbjudet"))

    assert reply == Answered(400, "f�rbjudet")


@pytest.mark.parametrize("secret", [KEY, quote(KEY, safe="")])
async def test_secrets_in_a_refusal_are_masked(secret: str) -> None:
    """Vendors repeat URLs and keys in their errors; however often, no part of one is kept (invariant 11)."""
    reply = await reply_to(lambda _: web.Response(status=401, text=f"bad key {secret}! " * 300))

    assert isinstance(reply, Answered)
    assert reply.body == ("bad key ****! " * 300)[:BODY_KEPT]


async def test_retry_after_is_read() -> None:
    """The vendor's wish travels with the reply, whatever its status."""
    headers = {"Retry-After": "17"}

    assert await reply_to(lambda _: web.Response(status=429, headers=headers)) == Answered(429, "", 17.0)
    assert await reply_to(lambda _: web.Response(status=503, headers=headers)) == Answered(503, "", 17.0)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 09:00:00 GMT", 0.0),
        ("Fri, 15 Jan 2027 08:00:30", 60.0),
        ("yesterday", 60.0),
        ("", 60.0),
    ],
)
async def test_a_date_in_retry_after_is_counted_by_the_vendor_s_clock(date: str, seconds: float) -> None:
    """By ours only where the vendor does not say what time it has: ours says 2027-01-15 08:00 UTC (1,800,000,000)."""
    answer = web.Response(status=429, headers={"Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT", "Date": date})

    assert await reply_to(lambda _: answer) == Answered(429, "", seconds)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """A redirect would carry the key and the data to somebody else."""
    paths = []

    def redirect(request: web.BaseRequest) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    assert await reply_to(redirect) == Answered(status, "")
    assert paths == ["/view"]


async def test_gzip_is_understood() -> None:
    """A compressed refusal is as readable as a plain one."""

    def compressed(_: web.BaseRequest) -> web.Response:
        answer = web.Response(status=400, text="no such product " * 10)
        answer.enable_compression(web.ContentCoding.gzip)
        return answer

    assert await reply_to(compressed) == Answered(400, "no such product " * 10)


async def test_cookies_are_neither_kept_nor_sent() -> None:
    """No call depends on an earlier one."""
    cookies = []

    def bake(request: web.BaseRequest) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    async with vendor(bake) as url, sender(url) as http:
        await http.send(REQUEST)
        await http.send(REQUEST)

    assert cookies == [None, None]


async def test_the_environment_s_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where requests go is said in the file and nowhere else."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert await reply_to(lambda _: web.Response()) == Answered(200, "")


def peer(request: web.BaseRequest) -> object:
    """The client's end of the connection that a request came by."""
    return request.transport.get_extra_info("peername") if request.transport else None


async def test_connections_are_used_again() -> None:
    """Twenty requests one after another need one connection, refusals with long bodies included."""
    peers = set()

    def refuse(request: web.BaseRequest) -> web.Response:
        peers.add(peer(request))
        return web.Response(status=400, text="x" * (BODY_READ - 1))

    async with vendor(refuse) as url, sender(url) as http:
        for _ in range(20):
            await http.send(REQUEST)

    assert len(peers) == 1


async def test_there_are_no_more_connections_than_requests_may_be_in_flight() -> None:
    """Forty requests at once share the four connections that the file allows."""
    peers = set()

    def accept(request: web.BaseRequest) -> web.Response:
        peers.add(peer(request))
        return web.Response()

    async with vendor(accept) as url, sender(url, concurrency=4) as http:
        replies = await asyncio.gather(*(http.send(REQUEST) for _ in range(40)))

    assert set(replies) == {Answered(200, "")}
    assert len(peers) == 4


async def test_a_huge_body_is_not_read_whole() -> None:
    """A reply of ten megabytes costs some kilobytes: the rest is left where it is, and the connection is closed."""
    written = 0
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % (10 * MEGABYTE))
        try:
            for _ in range(10 * MEGABYTE // BODY_READ):
                writer.write(b"x" * BODY_READ)
                await writer.drain()
                written += BODY_READ
        finally:
            gone.set()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}") as http:
        reply = await http.send(REQUEST)
        await asyncio.wait_for(gone.wait(), 10)

    assert reply == Answered(400, "x" * BODY_KEPT)
    assert written < 10 * MEGABYTE
