import asyncio
from urllib.parse import quote

import pytest

from processor.send.replies import Answered, NotSent, Unknown
from tests.send.http_bench import KEY, REQUEST, reply_of, sender
from tests.support.conversations import listening, read_request
from tests.support.server import free_port


async def test_a_refused_connection_means_not_sent() -> None:
    """Nothing reached the vendor, so nothing can have been done."""
    async with sender(f"http://127.0.0.1:{free_port()}") as http:
        reply = await http.send(REQUEST)

    assert isinstance(reply, NotSent)
    assert reply.reason.startswith("ClientConnectorError: ")
    assert "refused" in reply.reason.lower() or "connect call failed" in reply.reason.lower()


async def test_a_name_that_is_not_known_means_not_sent() -> None:
    """DNS comes before everything else."""
    async with sender("http://vendor.invalid") as http:
        reply = await http.send(REQUEST)

    assert isinstance(reply, NotSent)
    assert reply.reason.startswith("ClientConnectorDNSError: ")


async def test_a_failed_tls_handshake_means_not_sent() -> None:
    """No byte of the request leaves before the channel is safe."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 this is no TLS\r\n\r\n")
        await writer.drain()

    async with listening(talk) as port, sender(f"https://127.0.0.1:{port}") as http:
        reply = await http.send(REQUEST)

    assert isinstance(reply, NotSent)
    assert reply.reason.startswith("ClientConnectorSSLError")


async def test_hanging_up_without_an_answer_leaves_it_open() -> None:
    """The vendor may have done it or not."""
    reply = await reply_of(b"")

    assert reply == Unknown("ServerDisconnectedError")


async def test_a_cut_head_leaves_it_open() -> None:
    """Half a status line says nothing."""
    reply = await reply_of(b"HTTP/1.1 20")

    assert isinstance(reply, Unknown)


@pytest.mark.parametrize("answer", [b"\x00\x01\x02 garbage\r\n\r\n", b"HTTP/1.1 abc no\r\n\r\n"])
async def test_an_answer_that_is_no_http_leaves_it_open(answer: bytes) -> None:
    """Whatever spoke there, it did not say what became of the request; and its words are not repeated."""
    reply = await reply_of(answer)

    assert isinstance(reply, Unknown)
    assert "garbage" not in reply.reason


async def test_no_answer_in_time_leaves_it_open() -> None:
    """The time-out ends the waiting, not the vendor's work."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.Event().wait()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}", timeout=0.05) as http:
        assert await http.send(REQUEST) == Unknown("no answer in time")


@pytest.mark.parametrize(("status", "expected"), [(b"200 OK", Answered(200, "")), (b"400 No", Answered(400, "too sh"))])
async def test_a_body_that_breaks_off_changes_nothing(status: bytes, expected: Answered) -> None:
    """The status has said what became of the request; sending it again would only make a duplicate."""
    reply = await reply_of(b"HTTP/1.1 %s\r\nContent-Length: 100\r\n\r\ntoo sh" % status)

    assert reply == expected


async def test_a_body_that_cannot_be_unpacked_changes_nothing() -> None:
    """A refusal stays a refusal when its gzip is broken."""
    reply = await reply_of(b"HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")

    assert reply == Answered(400, "")


async def test_a_body_that_does_not_end_in_time_changes_nothing() -> None:
    """The time-out holds for the body too, and what is known by then counts."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 422 No\r\nContent-Length: 100\r\n\r\nso far")
        await writer.drain()
        await asyncio.Event().wait()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}", timeout=1.0) as http:
        assert await http.send(REQUEST) == Answered(422, "so far")


async def test_a_broken_connection_is_replaced() -> None:
    """After a reset the next request finds a way of its own."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        if connections == 1:
            writer.transport.abort()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}") as http:
        first, second = await http.send(REQUEST), await http.send(REQUEST)

    assert isinstance(first, Unknown)
    assert second == Answered(200, "")


async def test_a_post_is_never_repeated_by_the_library() -> None:
    """A connection that dies while it is used again costs one attempt that is seen, not a second one unseen."""
    requests = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while True:
            await read_request(reader)
            requests += 1
            if requests == 2:
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}") as http:
        replies = [await http.send(REQUEST), await http.send(REQUEST)]

    assert replies == [Answered(200, ""), Unknown("ServerDisconnectedError")]
    assert requests == 2


async def test_no_reason_ever_holds_a_secret() -> None:
    """The key is in the URL, and the library's own words would show it."""
    silent = [await reply_of(answer) for answer in (b"", b"HTTP/1.1 20", b"garbage\r\n\r\n")]
    async with sender(f"http://127.0.0.1:{free_port()}") as http:
        silent.append(await http.send(REQUEST))
    async with sender("http://vendor.invalid") as http:
        silent.append(await http.send(REQUEST))
    async with sender("http://127.0.0.1:1", timeout=1e-9) as http:
        silent.append(await http.send(REQUEST))

    for reply in silent:
        assert isinstance(reply, NotSent | Unknown)
        assert KEY not in reply.reason
        assert quote(KEY, safe="") not in reply.reason
        assert "apiKey" not in reply.reason


async def test_cancelling_is_not_swallowed() -> None:
    """The end of the service ends a request that hangs."""
    arrived = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        await asyncio.Event().wait()

    async with listening(talk) as port, sender(f"http://127.0.0.1:{port}") as http:
        task = asyncio.create_task(http.send(REQUEST))
        await asyncio.wait_for(arrived.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
