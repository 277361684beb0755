import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from processor.records import Request
from processor.send.http import Way
from processor.send.replies import Answered, NotSent, Unknown
from processor.send.trust import trusting
from tests.send.http_bench import KEY, REQUEST, sender, vendor
from tests.send.parts import channel, deliveries
from tests.support.certificates import Authority
from tests.support.relays import ForwardProxy, running_proxy, speaking_tls, tls_front
from tests.support.server import free_port

LOGIN = "anna:s3cr3t-pass"


@dataclass
class Site:
    """A vendor behind TLS and plain, and what it was asked.

    Attributes:
        asked: headers of each request.
        plain, tls: its base URLs.
        identity: what a proxy of the same authority shows.
        trust: who trusts that authority.
    """

    asked: list[dict[str, str]]
    plain: str
    tls: str
    identity: ssl.SSLContext
    trust: ssl.SSLContext


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A vendor whose certificate only its own authority vouches for."""
    async with running_site(tmp_path) as site:
        yield site


@asynccontextmanager
async def running_site(folder: Path) -> AsyncIterator[Site]:
    """The same as a block."""
    asked: list[dict[str, str]] = []

    def answer(request: web.BaseRequest) -> web.Response:
        asked.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response()

    authority = Authority(folder, "acme")
    identity = speaking_tls(authority.issue("vendor"))
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(vendor(answer))
        front = await stack.enter_async_context(tls_front(URL(plain).port or 0, identity))
        trust = trusting(str(authority.certificate))
        yield Site(asked, plain, f"https://127.0.0.1:{front}", identity, trust)


def through(proxy: ForwardProxy, site: Site, login: str = "") -> Way:
    """The way through a proxy, with a login."""
    user, _, password = login.partition(":")
    return Way(URL(proxy.url).with_user(user or None).with_password(password or None), site.trust)


async def test_an_authority_of_one_s_own_is_believed_where_it_is_named(site: Site) -> None:
    """With its authority a vendor's certificate is good; without it nothing is sent."""
    async with sender(site.tls, way=Way(trust=site.trust)) as http:
        assert await http.send(REQUEST) == Answered(200, "")
    async with sender(site.tls) as http:
        reply = await http.send(REQUEST)

    assert isinstance(reply, NotSent)
    assert reply.reason.startswith("ClientConnectorCertificateError")
    assert len(site.asked) == 1


async def test_a_certificate_for_another_name_is_not_believed(site: Site) -> None:
    """Knowing the authority is not enough: the name is looked at too."""
    async with sender(site.tls.replace("127.0.0.1", "localhost"), way=Way(trust=site.trust)) as http:
        reply = await http.send(REQUEST)

    assert isinstance(reply, NotSent)
    assert site.asked == []


@pytest.mark.parametrize("proxy_tls", [False, True])
@pytest.mark.parametrize("login", ["", LOGIN])
async def test_a_tunnel_through_a_proxy(site: Site, login: str, *, proxy_tls: bool) -> None:
    """An https vendor is reached by CONNECT; the proxy sees host and port, and its own login only."""
    async with (
        running_proxy(ForwardProxy(login), site.identity if proxy_tls else None) as proxy,
        sender(site.tls, way=through(proxy, site, login)) as http,
    ):
        replies = [await http.send(REQUEST) for _ in range(3)]

    assert replies == [Answered(200, "")] * 3
    assert proxy.lines == [f"CONNECT 127.0.0.1:{URL(site.tls).port} HTTP/1.1"], "one tunnel serves all"
    assert KEY not in proxy.heads[0]
    assert "apikey" not in proxy.heads[0].lower()
    assert [headers["apikey"] for headers in site.asked] == [KEY] * 3
    assert not any("proxy-authorization" in headers for headers in site.asked)


@pytest.mark.parametrize("proxy_tls", [False, True])
async def test_plain_http_through_a_proxy(site: Site, *, proxy_tls: bool) -> None:
    """An http vendor is named in the request's first line."""
    async with (
        running_proxy(ForwardProxy(LOGIN), site.identity if proxy_tls else None) as proxy,
        sender(site.plain, way=through(proxy, site, LOGIN)) as http,
    ):
        assert await http.send(REQUEST) == Answered(200, "")

    assert proxy.lines[0].startswith(f"POST {site.plain}/view?apiKey=")
    assert f"Basic {b64encode(LOGIN.encode()).decode()}" in proxy.heads[0]
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [403, 407, 502, 503])
async def test_a_tunnel_that_is_refused_means_not_sent(site: Site, status: int) -> None:
    """The proxy's answer to CONNECT is not the vendor's; nothing of its words or its login is told."""
    async with (
        running_proxy(ForwardProxy(refuses=status)) as proxy,
        sender(site.tls, way=through(proxy, site, LOGIN)) as http,
    ):
        reply = await http.send(REQUEST)

    assert reply == NotSent(f"the proxy answered {status}")
    assert site.asked == []


async def test_a_wrong_login_is_said(site: Site) -> None:
    """407 for a plain vendor is an answer like any other, and one that is waited out."""
    async with (
        running_proxy(ForwardProxy(LOGIN)) as proxy,
        sender(site.plain, way=through(proxy, site, "anna:wrong")) as http,
    ):
        assert await http.send(REQUEST) == Answered(407, "")


async def test_a_proxy_that_is_away_means_not_sent(site: Site) -> None:
    """The reason is the proxy's, without its login."""
    way = Way(URL(f"http://{LOGIN}@127.0.0.1:{free_port()}"))
    async with sender(site.tls, way=way) as http:
        reply = await http.send(REQUEST)

    assert isinstance(reply, NotSent)
    assert reply.reason.startswith("ClientProxyConnectionError")
    assert "s3cr3t-pass" not in reply.reason


@pytest.mark.parametrize("proxy_tls", [False, True])
async def test_a_tunnel_to_a_vendor_that_nobody_vouches_for(site: Site, *, proxy_tls: bool) -> None:
    """The proxy does not vouch for who is behind it: without its authority nothing is sent."""
    async with (
        running_proxy(ForwardProxy(), site.identity if proxy_tls else None) as proxy,
        sender(site.tls, way=Way(URL(proxy.url))) as http,
    ):
        reply = await http.send(REQUEST)

    assert isinstance(reply, NotSent)
    assert site.asked == []


@pytest.mark.parametrize("trouble", [ForwardProxy(hangs_up=True), ForwardProxy(silent=True)])
async def test_what_fails_before_the_tunnel_stands_did_not_happen_once(site: Site, trouble: ForwardProxy) -> None:
    """For what is sent once it is known that nothing was sent; for others that makes no difference."""
    welcome = channel("welcome_sequence", once=True)
    once = Request(welcome, deliveries(welcome, None), b"{}")
    async with running_proxy(trouble) as proxy, sender(site.tls, timeout=0.3, way=through(proxy, site)) as http:
        assert isinstance(await http.send(once), NotSent)
        assert isinstance(await http.send(REQUEST), Unknown)
