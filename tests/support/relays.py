"""What may stand between the service and a vendor: a forward proxy, and a front that ends TLS."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.certificates import Identity
from tests.support.conversations import listening

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def speaking_tls(identity: Identity) -> ssl.SSLContext:
    """What a server needs to show this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identity.certificate, identity.key)
    return context


@dataclass
class ForwardProxy:
    """A small forward proxy: tunnels for CONNECT, and forwards requests that name the whole address.

    Attributes:
        login: `user:password` that it wants; empty = anybody may.
        refuses: status that it answers instead of passing on; 0 = it passes on.
        hangs_up: ends the connection instead of answering.
        silent: never answers.
        heads: first line and headers of each request, as they came.
    """

    login: str = ""
    refuses: int = 0
    hangs_up: bool = False
    silent: bool = False
    heads: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def lines(self) -> list[str]:
        """The first lines."""
        return [head.split("\r\n")[0] for head in self.heads]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; one request of it, for that is enough."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        if self.silent:
            await reader.read()
        if self.silent or self.hangs_up:
            return
        status = self.refuses or (0 if self._lets_in(head) else 407)
        if status:
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
            return
        method, target, _ = head.split("\r\n")[0].split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            there = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            address = urlsplit(target)
            there = await asyncio.open_connection(address.hostname, address.port)
            there[1].write(_as_origin_wants(head, target).encode())
        await both_ways((reader, writer), there)

    def _lets_in(self, head: str) -> bool:
        proof = b64encode(self.login.encode()).decode()
        return not self.login or f"\r\nproxy-authorization: basic {proof}\r\n".lower() in head.lower()


def _as_origin_wants(head: str, target: str) -> str:
    """The same head with the path alone, without what was for the proxy, and the last one of its connection."""
    address = urlsplit(target)
    lines = head.replace(target, f"{address.path}?{address.query}", 1).rstrip("\r\n").split("\r\n")
    kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
    return "\r\n".join([*kept, "Connection: close", "", ""])


async def both_ways(here: Streams, there: Streams) -> None:
    """Pass bytes on in both directions until one side ends."""
    ways = [asyncio.create_task(_one_way(a[0], b[1])) for a, b in ((here, there), (there, here))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        there[1].close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()


@asynccontextmanager
async def running_proxy(proxy: ForwardProxy, tls: ssl.SSLContext | None = None) -> AsyncIterator[ForwardProxy]:
    """Run a proxy on loopback for as long as the block runs, with TLS where it is given some."""
    async with listening(proxy.serve, tls) as port:
        proxy.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        yield proxy


@asynccontextmanager
async def tls_front(port: int, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """End TLS in front of a port of loopback for as long as the block runs; yields the port that speaks it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await both_ways((reader, writer), await asyncio.open_connection("127.0.0.1", port))

    async with listening(serve, tls) as front:
        yield front
