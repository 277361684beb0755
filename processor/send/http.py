"""The HTTP edge: one request out, one fact back. Everything that aiohttp defaults is said here.

An aiohttp error's text may hold the URL, and at Retail Rocket the URL holds the key: reasons are made of the error's
type and the operating system's words only (invariant 11).
"""

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from processor.clock import Clock
from processor.records import Request
from processor.send.replies import Answered, NotSent, Reply, Unknown, parse_retry_after

BODY_KEPT = 1024
"""Characters of a refusal that are kept, for people."""
BODY_READ = 64 * 1024
"""Bytes of a reply that are read at most, so that its connection can be used again; a longer one is closed."""
KEEP_ALIVE = 30.0
"""Seconds an idle connection is kept: below the usual minute of load balancers, which cut without a word."""
DNS_TTL = 30
"""Seconds that an address is believed."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a vendor is reached.

    Attributes:
        proxy: a forward proxy, with the user and password that it asks for; None = straight.
        trust: whose certificates are believed; None = those of the machine's authorities.
    """

    proxy: URL | None = None
    trust: ssl.SSLContext | None = None


class HttpSender:
    """Sends the requests of one destination.

    Args:
        url: from a channel's path to the whole URL.
        headers: sent with every request; only to the vendor, never to a proxy by itself.
        timeout: seconds for one request, from connect to the last byte of the reply.
        concurrency: connections at most.
        mask: takes secrets out of a vendor's words, which may repeat the URL or the key.
        id_header: header that carries the delivery's id in single calls; None = none does.
    """

    def __init__(
        self,
        *,
        url: Callable[[str], URL],
        headers: Mapping[str, str],
        timeout: float,
        concurrency: int,
        mask: Callable[[str], str],
        clock: Clock,
        way: Way,
        id_header: str | None,
    ) -> None:
        self._url = url
        self._urls: dict[str, URL] = {}
        # Not the session's headers: aiohttp sends those to the proxy too, when it asks for a tunnel.
        self._headers = dict(headers)
        self._id_header = id_header
        self._mask = mask
        self._clock = clock
        self._connector = aiohttp.TCPConnector(
            limit=concurrency,
            limit_per_host=0,
            keepalive_timeout=KEEP_ALIVE,
            ttl_dns_cache=DNS_TTL,
            ssl=way.trust or True,
        )
        total = aiohttp.ClientTimeout(total=timeout)
        self._session = _session(self._connector, total, way.proxy)
        self._once = _session(self._connector, total, way.proxy, [_noting_connections()])

    async def send(self, request: Request) -> Reply:
        """Send one request. Never raises but for cancellation."""
        url = self._urls.get(request.channel.path)
        if url is None:
            url = self._urls[request.channel.path] = self._url(request.channel.path)
        headers = self._headers
        if self._id_header and not request.channel.batched:
            headers = headers | {self._id_header: request.deliveries[0].id}
        if request.channel.once:
            return await self._send_once(url, headers, request.body)
        return await self._post(self._session, url, headers, request.body)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
        await self._once.close()
        await self._connector.close()

    async def _send_once(self, url: URL, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send what may reach a shopper: what failed before there was a connection is known not to have been sent.

        Others are spared the look, which costs a tenth of a request: for them both are the same.
        """
        trip = SimpleNamespace(connected=False)
        reply = await self._post(self._once, url, headers, body, trip)
        return NotSent(reply.reason) if isinstance(reply, Unknown) and not trip.connected else reply

    async def _post(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        headers: Mapping[str, str],
        body: bytes,
        trip: SimpleNamespace | None = None,
    ) -> Reply:
        try:
            async with session.post(
                url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=trip
            ) as response:
                return await self._read(response)
        except aiohttp.ClientHttpProxyError as error:
            return NotSent(f"the proxy answered {error.status}")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NotSent(_reason(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unknown(_reason(error))

    async def _read(self, response: aiohttp.ClientResponse) -> Answered:
        """The status says what became of the request; a body that breaks off or comes late changes nothing of it."""
        body = bytearray()
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            while len(body) < BODY_READ and (chunk := await response.content.read(BODY_READ - len(body))):
                body += chunk
        if not response.content.at_eof():
            response.close()
        retry_after = parse_retry_after(response.headers.get("Retry-After"), self._wall)
        text = "" if response.ok else self._mask(body.decode(errors="replace"))[:BODY_KEPT]
        return Answered(response.status, text, retry_after)

    def _wall(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall(), UTC)


def _session(
    connector: aiohttp.TCPConnector,
    timeout: aiohttp.ClientTimeout,
    proxy: URL | None,
    traces: list[aiohttp.TraceConfig] | None = None,
) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,
        timeout=timeout,
        proxy=proxy,
        trace_configs=traces,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        raise_for_status=False,
        requote_redirect_url=False,
    )


def _noting_connections() -> aiohttp.TraceConfig:
    """Note on a request's trip that it has its connection, through proxy and TLS, so that something may be sent."""

    async def connected(_: aiohttp.ClientSession, context: Any, __: object) -> None:
        context.trace_request_ctx.connected = True

    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(connected)
    config.on_connection_reuseconn.append(connected)
    return config


def _reason(error: BaseException) -> str:
    """An error in words that cannot hold a URL."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    system = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    words = system.strerror if isinstance(system, OSError) and system.strerror else ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
