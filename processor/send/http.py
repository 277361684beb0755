"""The HTTP edge: one request out, one fact back. Everything that aiohttp defaults is said here.

An aiohttp error's text may hold the URL, and at Retail Rocket the URL holds the key: reasons are made of the error's
type and the operating system's words only (invariant 11).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

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


class HttpSender:
    """Sends the requests of one destination.

    Args:
        url: from a channel's path to the whole URL.
        headers: sent with every request.
        timeout: seconds for one request, from connect to the last byte of the reply.
        concurrency: connections at most.
        mask: takes secrets out of a vendor's words, which may repeat the URL or the key.
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
    ) -> None:
        self._url = url
        self._urls: dict[str, URL] = {}
        self._mask = mask
        self._clock = clock
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout),
            connector=aiohttp.TCPConnector(
                limit=concurrency, limit_per_host=0, keepalive_timeout=KEEP_ALIVE, ttl_dns_cache=DNS_TTL
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            raise_for_status=False,
            requote_redirect_url=False,
        )

    async def send(self, request: Request) -> Reply:
        """Send one request. Never raises but for cancellation."""
        url = self._urls.get(request.channel.path)
        if url is None:
            url = self._urls[request.channel.path] = self._url(request.channel.path)
        try:
            async with self._session.post(url, data=request.body, allow_redirects=False) as response:
                return await self._read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NotSent(_reason(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unknown(_reason(error))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

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


def _reason(error: BaseException) -> str:
    """An error in words that cannot hold a URL."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    system = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    words = system.strerror if isinstance(system, OSError) and system.strerror else ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
