"""The one border where the HTTP client's errors become facts."""

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp.client_exceptions import UnixClientConnectorError
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from processor.records import Request
from processor.send.http import fact_of
from processor.send.replies import NotSent, Unknown
from tests.send.http_bench import KEY, REQUEST, sender
from tests.send.parts import channel, deliveries

SECRET_URL = URL("https://vendor.example/view").with_query({"apiKey": KEY})
PLACE = ConnectionKey("vendor.example", 443, True, True, None, None, None)  # noqa: FBT003 - the library's own tuple
ASKED = RequestInfo(SECRET_URL, "POST", CIMultiDictProxy(CIMultiDict({"apikey": KEY})), SECRET_URL)
REFUSED = OSError(111, "Connection refused")

MEANING: dict[type[aiohttp.ClientError], type[NotSent | Unknown]] = {
    # Before the request: the vendor has nothing of it.
    aiohttp.ClientConnectorError: NotSent,
    aiohttp.ClientConnectorDNSError: NotSent,
    aiohttp.ClientProxyConnectionError: NotSent,
    UnixClientConnectorError: NotSent,
    aiohttp.ClientSSLError: NotSent,
    aiohttp.ClientConnectorSSLError: NotSent,
    aiohttp.ClientConnectorCertificateError: NotSent,
    aiohttp.ServerFingerprintMismatch: NotSent,
    aiohttp.ConnectionTimeoutError: NotSent,
    aiohttp.ClientHttpProxyError: NotSent,
    aiohttp.InvalidURL: NotSent,
    aiohttp.InvalidUrlClientError: NotSent,
    aiohttp.NonHttpUrlClientError: NotSent,
    # During or after it, or nobody knows when.
    aiohttp.ClientError: Unknown,
    aiohttp.ClientConnectionError: Unknown,
    aiohttp.ClientConnectionResetError: Unknown,
    aiohttp.ClientOSError: Unknown,
    aiohttp.ServerConnectionError: Unknown,
    aiohttp.ServerDisconnectedError: Unknown,
    aiohttp.ServerTimeoutError: Unknown,
    aiohttp.SocketTimeoutError: Unknown,
    aiohttp.ClientPayloadError: Unknown,
    aiohttp.UploadAbortedError: Unknown,
    aiohttp.ClientResponseError: Unknown,
    aiohttp.ContentTypeError: Unknown,
    aiohttp.WSServerHandshakeError: Unknown,
    aiohttp.TooManyRedirects: Unknown,
    aiohttp.RedirectClientError: Unknown,
    aiohttp.InvalidUrlRedirectClientError: Unknown,
    aiohttp.NonHttpUrlRedirectClientError: Unknown,
}
"""What each of the client's errors says of the request. A new one must be put here before it is trusted."""


def family(of: type[aiohttp.ClientError]) -> Iterator[type[aiohttp.ClientError]]:
    """A class and all that are derived from it."""
    yield of
    for child in of.__subclasses__():
        yield from family(child)


def made(kind: type[aiohttp.ClientError]) -> aiohttp.ClientError:
    """An error of this kind as the client makes it, with the key wherever it may be."""
    if issubclass(kind, UnixClientConnectorError):
        return kind("/run/vendor", PLACE, REFUSED)
    if issubclass(kind, aiohttp.ClientConnectorError):
        return kind(PLACE, REFUSED)
    if issubclass(kind, aiohttp.ClientResponseError):
        return kind(ASKED, (), status=407, message=str(SECRET_URL))
    if issubclass(kind, aiohttp.ServerFingerprintMismatch):
        return kind(b"expected", b"got", "vendor.example", 443)
    if issubclass(kind, aiohttp.ServerDisconnectedError):
        return kind(str(SECRET_URL))
    return kind(SECRET_URL)


def test_every_error_of_the_client_has_its_meaning() -> None:
    """The table above is complete: an error that a new version of the library brings fails here."""
    assert {kind for kind in family(aiohttp.ClientError) if kind.__module__.startswith("aiohttp.")} == set(MEANING)


@pytest.mark.parametrize("kind", MEANING, ids=lambda kind: kind.__name__)
def test_what_each_error_means(kind: type[aiohttp.ClientError]) -> None:
    """Whether something may have reached the vendor; in words that hold no URL and no key."""
    fact = fact_of(made(kind))

    assert type(fact) is MEANING[kind]
    assert KEY not in fact.reason
    assert "vendor.example" not in fact.reason


def test_the_proxy_s_refusal_is_told() -> None:
    """Its status helps: 407 wants a login."""
    assert fact_of(made(aiohttp.ClientHttpProxyError)) == NotSent("the proxy answered 407")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError(104, "Connection reset by peer"), "ConnectionResetError: Connection reset by peer"),
        (OSError(), "OSError"),
        (ValueError(f"bad {SECRET_URL}"), "ValueError"),
        (RuntimeError("Session is closed"), "RuntimeError"),
        (asyncio.IncompleteReadError(b"", 5), "IncompleteReadError"),
    ],
)
def test_all_else_leaves_it_open(error: Exception, reason: str) -> None:
    """Whatever comes, nobody can say that nothing was sent."""
    assert fact_of(error) == Unknown(reason)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
async def test_a_host_that_no_name_server_can_be_asked_for(host: str) -> None:
    """The library lets the codec's own error through; it ends nothing, and what is sent once was not sent."""
    welcome = channel("welcome_sequence", once=True)
    async with sender(f"http://{host}") as http:
        assert await http.send(REQUEST) == Unknown("UnicodeError")
        assert await http.send(Request(welcome, deliveries(welcome, None), b"{}")) == NotSent("UnicodeError")
