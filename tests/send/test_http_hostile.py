"""Replies that are meant to hurt, or look so: each ends in time, in little memory, with a fact."""

import asyncio
import gzip
import tracemalloc

import pytest

from processor.send.http import BODY_KEPT, BODY_READ
from processor.send.replies import MAX_RETRY_AFTER, Answered, Reply, Unknown
from tests.send.http_bench import REQUEST, sender
from tests.support.conversations import Conversation, listening, read_request

MEGABYTE = 1024 * 1024
SHORT = 0.5
"""Seconds for a request that has no other end."""


def saying(*pieces: bytes, endlessly: bytes = b"", pause: float | None = None) -> Conversation:
    """Say these, and then the same again and again; with seconds between, or nothing more without an end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.writelines(pieces)
        while endlessly:
            writer.write(endlessly)
            await writer.drain()
            await asyncio.sleep(pause or 0.0)
        await asyncio.Event().wait()

    return talk


async def reply_to(talk: Conversation, timeout: float = 10.0) -> Reply:  # noqa: ASYNC109 - it is what is tested
    """What comes of it; never more than a few megabytes, and never much later than the time-out."""
    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}", timeout=timeout) as http:
        tracemalloc.start()
        try:
            return await asyncio.wait_for(http.send(REQUEST), timeout + 5)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 4 * MEGABYTE


async def test_a_body_that_trickles_ends_with_the_time_out() -> None:
    """A byte now and then does not stretch the time; what is known by then counts."""
    reply = await reply_to(
        saying(b"HTTP/1.1 422 No\r\nContent-Length: 100000\r\n\r\n", endlessly=b"x", pause=0.01), timeout=SHORT
    )

    assert isinstance(reply, Answered)
    assert reply.status == 422
    assert set(reply.body) == {"x"}


@pytest.mark.parametrize(
    "talk",
    [
        saying(b"HTTP/1.1 200 OK\r\n", endlessly=b"X-A: b\r\n", pause=0.01),
        saying(endlessly=b"H", pause=0.05),
        saying(endlessly=b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.01),
        saying(b"HTTP/1.1 200 OK\r\nContent-Le"),
    ],
    ids=["headers", "status line", "interim answers", "half a head"],
)
async def test_a_head_that_trickles_ends_with_the_time_out(talk: Conversation) -> None:
    """There is no answer before the head is whole."""
    reply = await reply_to(talk, timeout=SHORT)

    assert isinstance(reply, Unknown)


@pytest.mark.parametrize(
    "talk",
    [
        saying(b"HTTP/1.1 200 OK\r\nX-A: ", endlessly=b"x" * BODY_READ),
        saying(b"HTTP/1.1 200 OK\r\n", endlessly=b"X-A: b\r\n" * 1000),
        saying(b"HTTP/1.1 200 ", endlessly=b"x" * BODY_READ),
    ],
    ids=["one long header", "many headers", "a long reason"],
)
async def test_a_head_that_is_too_large_is_no_answer(talk: Conversation) -> None:
    """It is given up at once, not read to its end."""
    assert await reply_to(talk) == Unknown("ClientResponseError")


async def test_fifty_megabytes_are_not_read() -> None:
    """The beginning is enough for people, and the status for us."""
    head = b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % (50 * MEGABYTE)

    assert await reply_to(saying(head, endlessly=b"x" * BODY_READ)) == Answered(500, "x" * BODY_KEPT)


async def test_a_body_without_an_end_is_not_read_on() -> None:
    """Chunks that never stop cost as little."""
    head = b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    assert await reply_to(saying(head, endlessly=chunk)) == Answered(400, "x" * BODY_KEPT)


async def test_a_compressed_body_is_not_blown_up() -> None:
    """A hundred megabytes in a hundred kilobytes are unpacked as far as they are wanted."""
    bomb = gzip.compress(b"x" * (100 * MEGABYTE), compresslevel=9)
    head = b"HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)

    assert await reply_to(saying(head, bomb)) == Answered(400, "x" * BODY_KEPT)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_a_head_that_contradicts_itself_is_no_answer(head: bytes) -> None:
    """Nobody knows what was meant by it."""
    assert isinstance(await reply_to(saying(head)), Unknown)


@pytest.mark.parametrize(
    "header",
    [
        b"Retry-After: \xff\xfe",
        b"Retry-After: " + b"9" * 8000,
        b"Set-Cookie: \xff\xfe=;;;==\x01",
        b"Content-Type: text/html; charset=nope",
        b"Location: http://[",
    ],
)
async def test_nonsense_in_a_header_does_no_harm(header: bytes) -> None:
    """The status counts; a wait is believed up to an hour."""
    reply = await reply_to(saying(b"HTTP/1.1 302 Found\r\n%s\r\nContent-Length: 0\r\n\r\n" % header))

    assert isinstance(reply, Answered)
    assert reply.status == 302
    assert reply.retry_after in {None, MAX_RETRY_AFTER}
