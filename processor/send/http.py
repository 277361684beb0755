"""The HTTP edge: one request out, one fact back. Everything that aiohttp defaults is said here.

An aiohttp error's text may hold the URL, and at Retail Rocket the URL holds the key: reasons are made of the error's
type and the operating system's words only (invariant 11).
"""

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from processor.clock import Clock
from processor.records import Request
from processor.send.account import Account
from processor.send.replies import Answered, NotSent, Reply, Unknown, parse_retry_after

BODY_KEPT = 1024
"""Characters of a refusal that are kept, for people."""
BODY_READ = 64 * 1024
"""Bytes of a reply that are read at most, so that its connection can be used again; a longer one is closed."""
KEEP_ALIVE = 30.0
"""Seconds an idle connection is kept: below the usual minute of load balancers, which cut without a word."""
DNS_TTL = 30
"""Seconds that an address is believed."""
NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    aiohttp.ServerFingerprintMismatch,
)
"""Errors that come before the request goes out: DNS, connect, proxy, TLS. After all others it may have arrived."""


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
        account: whose requests they are.
        timeout: seconds for one request, from connect to the last byte of the reply.
        concurrency: connections at most.
        texts: what to look for in the bodies of replies, by their status.
        id_header: header that carries the delivery's id in single calls; None = none does.
        may_send: whether what was taken is still ours to send.
    """

    def __init__(
        self,
        account: Account,
        *,
        timeout: float,
        concurrency: int,
        texts: Mapping[int, frozenset[str]],
        clock: Clock,
        way: Way,
        id_header: str | None,
        may_send: Callable[[], bool],
    ) -> None:
        self._account = account
        self._texts = texts
        self._id_header = id_header
        self._clock = clock
        self._connector = _Connector(
            may_send,
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
        url, headers = self._account.url(request.channel.path), self._account.headers
        if self._id_header and not request.channel.batched:
            headers = headers | {self._id_header: request.deliveries[0].id}
        if request.channel.once:
            return await self._send_once(url, headers, request.body)
        return await self._post(self._session, url, headers, request.body)

    async def renew(self) -> None:
        """Read the account's key again where it comes from a file; requests from then on carry it."""
        await self._account.renew()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
        await self._once.close()
        await self._connector.close()

    async def _send_once(self, url: URL, headers: dict[str, str], body: bytes) -> Reply:
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
        headers: dict[str, str],
        body: bytes,
        trip: SimpleNamespace | None = None,
    ) -> Reply:
        # Not the session's headers: aiohttp sends those to the proxy too, when it asks for a tunnel.
        try:
            async with session.post(
                url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=trip
            ) as response:
                return await self._read(response)
        except Exception as error:  # noqa: BLE001 - whatever answers there, and whatever it says, nothing may end the sender (invariant 10)
            return fact_of(error)

    async def _read(self, response: aiohttp.ClientResponse) -> Answered:
        """The status says what became of the request; a body that breaks off or comes late changes nothing of it."""
        body = bytearray()
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            while len(body) < BODY_READ and (chunk := await response.content.read(BODY_READ - len(body))):
                body += chunk
        if not response.content.at_eof():
            response.close()
        there = partial(self._time_there, response.headers.get("Date"))
        retry_after = parse_retry_after(response.headers.get("Retry-After"), there)
        looked_for = self._texts.get(response.status)
        if response.ok and looked_for is None:
            return Answered(response.status, "", retry_after)
        text = body.decode(errors="replace")
        # As it was received: what the file looks for does not depend on the key that is masked.
        mentions = frozenset(wanted for wanted in looked_for or () if wanted in text)
        return Answered(response.status, self._account.mask(text)[:BODY_KEPT], retry_after, mentions)

    def _time_there(self, date: str | None) -> datetime:
        """A date that a vendor names is one of its own clock (RFC 9110, 6.6.1); ours may be wrong, or have leapt."""
        with suppress(TypeError, ValueError, OverflowError):
            there = parsedate_to_datetime(date or "")
            if there.tzinfo is not None:
                return there
        return datetime.fromtimestamp(self._clock.wall(), UTC)


class NotOursError(Exception):
    """What the request carries may be another member's by now."""


class _Connector(aiohttp.TCPConnector):
    """Asks once more when a request has its connection: a process that stood still meanwhile must not send it."""

    def __init__(self, may_send: Callable[[], bool], **options: Any) -> None:
        super().__init__(**options)
        self._may_send = may_send

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own
    ) -> Connection:
        """A connection; from here on the request is written without another wait."""
        connection = await super().connect(req, traces, timeout)
        if not self._may_send():
            connection.release()
            raise NotOursError
        return connection


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


def fact_of(error: Exception) -> NotSent | Unknown:
    """What an error means for the request: the one place where the client's errors become ours."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return NotSent(f"the proxy answered {error.status}")
    if isinstance(error, NotOursError):
        return NotSent("its partition may be another member's by now")
    # A redirect that cannot be followed was an answer; none is followed, but who knows.
    sent = isinstance(error, aiohttp.RedirectClientError) or not isinstance(error, NOT_SENT)
    return Unknown(_reason(error)) if sent else NotSent(_reason(error))


def _reason(error: BaseException) -> str:
    """An error in words that cannot hold a URL."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    system = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    words = system.strerror if isinstance(system, OSError) and system.strerror else ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
