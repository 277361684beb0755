"""A vendor whose replies are meant to hurt: each hostile reply once, to one call; every other call is accepted."""

import asyncio
import gzip
import json
import socket
import struct
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.conversations import read_request

MEGABYTE = 1024 * 1024
BODY = 50 * MEGABYTE
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
YEAR = 365 * 24 * 3600
HTML = b"<html>the vendor is down</html>"


@dataclass(frozen=True)
class Nasty:
    """One hostile reply.

    Attributes:
        pieces: said first; `{url}` is the address that was called, key and all.
        endlessly: said again and again after that, with `pause` seconds between, until nobody listens.
        accepts: the head says so, and the call counts as carried out.
        then: what becomes of the connection: it stays silent, is closed, or is reset.
    """

    pieces: bytes
    endlessly: bytes = b""
    pause: float = 0.0
    accepts: bool = False
    then: str = "silent"


def head(status: str, *headers: str, length: int | None = None) -> bytes:
    """A reply's head."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def whole(status: str, *headers: str, body: bytes = b"") -> Nasty:
    """A reply that is as it should be, but for what it says."""
    return Nasty(head(status, *headers, length=len(body)) + body, accepts=status.startswith("2"))


BIG = b"x" * 65_536
CHUNK = b"10000\r\n" + BIG + b"\r\n"
BOMB = gzip.compress(b"x" * (2 * BODY), compresslevel=9)
REPLIES: Mapping[str, Nasty] = {
    "50 MB and 500": Nasty(head("500 No", length=BODY), BIG),
    "50 MB and 400": Nasty(head("400 No", length=BODY), BIG),
    "50 MB and 200": Nasty(head("200 OK", length=BODY), BIG, accepts=True),
    "50 MB and 503": Nasty(head("503 No", length=BODY), BIG),
    "chunks without an end": Nasty(head("500 No", "Transfer-Encoding: chunked"), CHUNK),
    "a compressed bomb": whole("502 No", "Content-Encoding: gzip", body=BOMB),
    "a body that trickles": Nasty(head("422 No", length=BODY), b"x", 0.05),
    "a head that trickles": Nasty(b"HTTP/1.1 500 No\r\n", b"X-A: b\r\n", 0.05),
    "a status line that trickles": Nasty(b"", b"H", 0.1),
    "interim answers without an end": Nasty(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
    "half a head": Nasty(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a body that breaks off": Nasty(head("500 No", length=500) + HTML, then="closed"),
    "one header without an end": Nasty(b"HTTP/1.1 500 No\r\nX-A: ", BIG),
    "headers without an end": Nasty(b"HTTP/1.1 500 No\r\n", b"X-A: b\r\n" * 1000),
    "two lengths": Nasty(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    "a negative length": Nasty(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    "no HTTP": Nasty(b"220 smtp.example ESMTP\r\n"),
    "nothing": Nasty(b"", then="closed"),
    "a reset": Nasty(b"", then="reset"),
    "a second answer that nobody asked for": Nasty(OK + OK, accepts=True),
    "a redirect": whole("302 Found", "Location: {url}"),
    "an error page": whole("400 Bad Request", "Content-Type: text/html; charset=nope", body=HTML),
    "our own address": whole("400 Bad Request", body=b"{url}"),
    "a cookie": whole("409 Conflict", "Set-Cookie: \x01=;;;==", "Connection: upgrade"),
    "Retry-After: nonsense": whole("429 Too Many", "Retry-After: soon"),
    "Retry-After: negative": whole("429 Too Many", "Retry-After: -5"),
    "Retry-After: long ago": whole("503 No", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"),
    "Retry-After: no date": whole("503 No", "Retry-After: Sun, 99 Nov 9999 99:99:99 GMT"),
    "a status of four digits": whole("2000 OK"),
    "a status of three words": whole("abc OK"),
}


@dataclass
class HostileVendor:
    """Speaks HTTP only as far as it wants to.

    Attributes:
        nasty: what to answer to the call about a product, once.
        taken: products by visitor, in the order in which they were accepted.
        said: which of the replies were given.
    """

    nasty: dict[str, Nasty]
    taken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    said: list[Nasty] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer calls of one connection until one of them gets a hostile reply."""
        while True:
            request = await read_request(reader)
            top, _, body = request.partition(b"\r\n\r\n")
            call = json.loads(body)
            visitor, product = str(call["sessionExternalId"]), str(call["productId"])
            reply = self.nasty.pop(f"{visitor} {product}", None)
            if reply is None or reply.accepts:
                self.taken[visitor].append(product)
            if reply is None:
                writer.write(OK)
                continue
            self.said.append(reply)
            await _say(reply, top.split(b" ")[1], writer)
            return


async def _say(reply: Nasty, url: bytes, writer: asyncio.StreamWriter) -> None:
    """Say it; returns when the connection is to be closed."""
    writer.write(reply.pieces.replace(b"{url}", url))
    while reply.endlessly:
        writer.write(reply.endlessly)
        await writer.drain()
        await asyncio.sleep(reply.pause)
    if reply.then == "silent":
        await writer.drain()
        await asyncio.sleep(SILENCE)
    if reply.then == "reset":
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


SILENCE = 60.0
"""Seconds for which a connection is kept on which nothing more is said; whoever sent a call does not wait so long."""
