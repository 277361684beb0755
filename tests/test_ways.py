"""To the vendors through a proxy and with an authority of one's own, on a real Kafka."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from yarl import URL

from processor.demo.vendors import VendorOptions
from tests.support.background import in_background
from tests.support.broker import Broker
from tests.support.certificates import Authority
from tests.support.command import TIMEOUT
from tests.support.metrics import counted
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.relays import ForwardProxy, running_proxy, speaking_tls, tls_front
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

PASSWORD = "s3cr3t-pass"  # noqa: S105 - of a proxy that lives for one test


@dataclass
class Ways:
    """A path to Retail Rocket that needs a proxy and an authority.

    Attributes:
        base_url: of the vendor behind TLS.
        ca_file: who vouches for it, and for the proxy that speaks TLS.
        proxies: by the scheme in which they are spoken to.
    """

    path: WholePath
    base_url: str
    ca_file: Path
    proxies: dict[str, ForwardProxy]

    def proxy(self, scheme: str) -> str:
        """A proxy's URL with its login."""
        return str(URL(self.proxies[scheme].url).with_user("anna").with_password(PASSWORD))


@pytest.fixture
def ways(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[Ways]:
    """The vendor's stub behind TLS, and two proxies."""
    authority = Authority(tmp_path, "acme")
    identity = speaking_tls(authority.issue("vendor"))
    with ExitStack() as stack:
        path = stack.enter_context(running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)))
        port = URL(path.vendors.rocket_url).port or 0
        front = stack.enter_context(in_background(tls_front(port, identity)))
        proxies = {
            scheme: stack.enter_context(in_background(running_proxy(ForwardProxy(f"anna:{PASSWORD}"), tls)))
            for scheme, tls in (("http", None), ("https", identity))
        }
        yield Ways(path, f"https://127.0.0.1:{front}/1.0", authority.certificate, proxies)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_vendor_behind_a_proxy_and_an_authority_of_one_s_own(ways: Ways, scheme: str) -> None:
    """All is delivered through tunnels of that proxy, its password is nowhere (invariant 11), the other one goes on."""
    path = ways.path
    path.click(200)
    changes = path.overlay(batch=None)
    changes["destinations"]["rocket"] |= {
        "base_url": ways.base_url,
        "http": {"proxy": ways.proxy(scheme), "ca_file": str(ways.ca_file)},
    }

    with path.service(changes) as service:
        path.settled(within=60)
        seen = service.log + service.get("/metrics")[1] + service.get("/status")[1]
        code = service.terminate()

    assert all(judgement.clean for judgement in path.judgements().values()), path.judgements()
    used, other = ways.proxies[scheme], ways.proxies[{"http": "https", "https": "http"}[scheme]]
    assert set(used.lines) == {f"CONNECT 127.0.0.1:{URL(ways.base_url).port} HTTP/1.1"}
    assert 1 <= len(used.lines) <= 64, "tunnels are used again"
    assert other.lines == []
    assert "demo-rocket-key" not in str(used.heads)
    assert PASSWORD not in seen
    assert code == 0, service.log


def test_a_proxy_that_refuses_its_login_is_waited_out(ways: Ways) -> None:
    """The reason is said, without the password (invariant 11); nothing is dead-lettered (invariant 9) or committed."""
    path, proxy = ways.path, URL(ways.proxies["http"].url)
    path.click(20)
    changes = path.overlay(batch=None)
    login = {"proxy": str(proxy.with_user("anna").with_password("wr0ng-pass")), "ca_file": str(ways.ca_file)}
    changes["destinations"]["rocket"] |= {"base_url": ways.base_url, "http": login}

    with path.service(changes, "--destination", "rocket") as service:
        service.ready()
        eventually_sync(lambda: "the proxy answered 407" in str(service.status()["rocket"]["waiting_for"]), within=40)
        assert service.get("/live")[0] == 200
        metrics = service.get("/metrics")[1]
        service.terminate()

    assert counted(metrics, "clickstream_dead_letters_total") == 0
    assert "wr0ng-pass" not in service.log
    assert path.accepted("rocket") == []


def test_without_its_authority_a_vendor_is_not_believed(ways: Ways) -> None:
    """Another destination's `ca_file` helps nobody: nothing is sent, no letter written (invariant 9), it is said."""
    path = ways.path
    path.click(20)
    changes = path.overlay(batch=None)
    changes["destinations"]["voyado"]["http"] = {"ca_file": str(ways.ca_file)}
    changes["destinations"]["rocket"]["base_url"] = ways.base_url

    with path.service(changes) as service:
        service.ready()
        eventually_sync(lambda: "Certificate" in str(service.status()["rocket"]["waiting_for"]), within=40)
        metrics = service.get("/metrics")[1]
        service.terminate()

    assert counted(metrics, "clickstream_dead_letters_total") == 0
    assert path.accepted("rocket") == []


def test_a_bad_file_of_authorities_is_a_fault_at_the_start(ways: Ways, tmp_path: Path) -> None:
    """The process ends with 2 before anything connects, and names the file."""
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    changes = ways.path.overlay()
    changes["destinations"]["rocket"]["http"] = {"ca_file": str(bad)}

    with ways.path.service(changes) as service:
        assert service.process.wait(TIMEOUT) == 2

    assert f"destinations.rocket.http.ca_file   the file {bad} holds no certificate" in service.log
