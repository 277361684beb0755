"""All hostile replies in one run of the service, judged by the books: what was taken, what was blamed, what it cost."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from processor.demo.vendors import VendorOptions
from processor.send.replies import MAX_RETRY_AFTER
from tests.support.background import in_background
from tests.support.broker import Broker
from tests.support.certificates import Authority
from tests.support.conversations import listening
from tests.support.hostile import MEGABYTE, REPLIES, YEAR, HostileVendor, whole
from tests.support.metrics import counted
from tests.support.path import running_path
from tests.support.registry import Registry
from tests.support.relays import speaking_tls, tls_front
from tests.support.service import ServiceProcess
from tests.support.stream import EVENT, PARTITIONS, Stream, waiting_for
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

WITHIN = 120.0
GROWTH = 64 * MEGABYTE
"""Bytes that the process may grow by: little more than one of the bodies that it is offered."""
KEY = "demo-rocket-key"
MAP = {"sessionExternalId": "session", "timestamp": "time", "productId": "product"}


@pytest.fixture
def stream(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[Stream]:
    """A topic on its way to vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield Stream(path, registry.url)


@pytest.fixture
def vendor() -> HostileVendor:
    """Each hostile reply is for one call, and each visitor gets the same number of them, with good ones between."""
    nasty = {}
    for number, reply in enumerate(REPLIES.values()):
        nth, visitor = divmod(number, len(PARTITIONS))
        nasty[f"visitor{visitor} {1000 + 2 * nth + 1}"] = reply
    return HostileVendor(nasty)


EACH = 2 * (len(REPLIES) // len(PARTITIONS) + 1) + 1
"""Records on each partition."""


def service(stream: Stream, urls: dict[str, str], ca_file: Path) -> ServiceProcess:
    """The service, with a vendor that answers badly and one that shows another server's certificate."""
    changes = stream.path.overlay(batch=None, timeout="1s", concurrency="8", retry={"delays": ["200ms"]})
    destinations = changes["destinations"]
    destinations["tls"] = {
        **destinations.pop("voyado"),
        "type": "retail_rocket",
        "partner_id": "p1",
        "api_key": KEY,
        "user_agent": "AcmeClickstream/1.0",
        "http": {"ca_file": str(ca_file)},
    }
    for name, url in urls.items():
        destinations[name]["base_url"] = url
    route = {"event": EVENT, "topics": stream.path.topic, "to": ["rocket.view", "tls.view"], "map": MAP}
    return stream.path.service(
        {**changes, "routes": {"seen": route}}, "--destination", "rocket", "--destination", "tls"
    )


class Size:
    """The most memory that a process had whenever it was looked at, beyond what it began with."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._first = self._process.memory_info().rss
        self.grown = 0

    def look(self) -> int:
        """Look; gives bytes beyond the beginning."""
        self.grown = max(self.grown, self._process.memory_info().rss - self._first)
        return self.grown


def balanced(metrics: str) -> bool:
    """Whether every record that was read is settled or still there (invariant 7)."""
    results = {result: counted(metrics, "clickstream_records_total", result=result) for result in ("read", "settled")}
    return results["read"] == results["settled"] + counted(metrics, "clickstream_unsettled_records")


def accepted_in_order(vendor: HostileVendor) -> dict[str, list[str]]:
    """Products by visitor, in the order of their first acceptance."""
    return {visitor: [*dict.fromkeys(products)] for visitor, products in vendor.taken.items()}


def refused_for_a_year(stream: Stream, replica: ServiceProcess, vendor: HostileVendor) -> dict[str, str]:
    """One more record, which is answered with a Retry-After of a year; gives what is waited for then."""
    late = f"visitor0 {1000 + EACH}"
    vendor.nasty[late] = whole("429 Too Many", f"Retry-After: {YEAR}")
    stream.send(stream.first, 1, 0)
    eventually_sync(lambda: "rate" in waiting_for(replica) and late not in vendor.nasty, WITHIN)
    return waiting_for(replica)


def test_hostile_replies_cost_nothing_but_time(stream: Stream, vendor: HostileVendor, tmp_path: Path) -> None:
    """All is taken in its order, nobody is blamed (invariant 9), no key is told (invariant 11), memory stays small."""
    authority = Authority(tmp_path, "acme")
    identity = speaking_tls(authority.issue("another"))
    with in_background(listening(vendor.talk)) as port, in_background(tls_front(port, identity)) as front:
        # The certificate is one for 127.0.0.1.
        urls = {"rocket": f"http://127.0.0.1:{port}/1.0", "tls": f"https://localhost:{front}/1.0"}
        with service(stream, urls, authority.certificate) as replica:
            replica.ready()
            size = Size(replica.process.pid)
            stream.send(stream.first, EACH, *PARTITIONS)
            wanted = {f"visitor{partition}": products for partition, products in stream.sent.items()}
            eventually_sync(lambda: size.look() >= 0 and accepted_in_order(vendor) == wanted, WITHIN)
            stream.settled()
            said = refused_for_a_year(stream, replica, vendor)
            metrics, status = replica.get("/metrics")[1], replica.status()
            assert replica.get("/live")[0] == replica.get("/ready")[0] == 200
            assert replica.terminate() == 0
            told = f"{metrics} {status} {replica.log}"
        with service(stream, urls, authority.certificate) as replica:
            stream.settled()
            replica.terminate()

    assert len(vendor.said) == len(REPLIES) + 1, "each was given once"
    assert accepted_in_order(vendor)["visitor0"][-1] == stream.sent[0][-1]
    assert counted(metrics, "clickstream_dead_letters_total") == 0
    assert stream.letters() == []
    assert balanced(metrics)
    seconds = int(said["rate"].rpartition(" in ")[2].removesuffix(" s"))
    assert 0.9 * MAX_RETRY_AFTER < seconds <= MAX_RETRY_AFTER
    assert "Certificate" in status["tls"]["waiting_for"]["vendor view"]
    assert max(stream.path.committed("tls").values()) <= 0, "nothing was sent there, so nothing is committed"
    assert KEY not in told
    assert size.grown < GROWTH
