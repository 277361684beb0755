"""Replicas share the account's rate, on a real Kafka with real HTTP; the figures are the vendor's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.path import running_path
from tests.support.registry import Registry
from tests.support.replicas import WITHIN, Fleet, running_fleet
from tests.support.topics import TopicFactory

RATE = 40.0
"""Requests a second of the account."""
BACKLOG = {0: 2000, 1: 1000, 2: 500}
"""Events by partition; the fourth one has none."""
WHILE = 120
"""Requests that are watched after each change: three seconds of them."""


@pytest.fixture
def fleet(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[Fleet]:
    """Replicas over a backlog in uneven partitions; the vendor answers 429 to what is faster than the rate."""
    options = VendorOptions(latency=0.02, limit=RATE)
    with running_path(tmp_path, broker, registry, topic, options) as path, running_fleet(path, RATE) as fleet:
        fleet.fill(BACKLOG)
        yield fleet


def test_replicas_stay_within_the_account_s_rate(fleet: Fleet) -> None:
    """Two that start together, a third that joins, one that leaves: together they send what one may.

    Two that each take the rate would be at twice of it. How busy a single second is, `make reliability` measures.
    """
    first = fleet.join()
    fleet.join()
    fleet.requests(WHILE)
    fleet.join()
    fleet.requests(WHILE)
    fleet.leave(first)
    fleet.requests(2 * WHILE)

    assert fleet.arrivals.rate <= 1.3 * RATE


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_replica_that_gets_no_partition_is_ready(
    tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory, protocol: str
) -> None:
    """An empty assignment is one, whether the group's protocol tells of it or not: roll-outs wait for it."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions()) as path:
        path.topic = topic(1)
        changes = path.overlay() | {"kafka": {"group.protocol": protocol}}
        with path.service(changes, "--destination", "rocket") as first:
            first.ready(WITHIN)
            with path.service(changes, "--destination", "rocket") as standby:
                standby.ready(WITHIN)
                owned = [service.status()["rocket"]["partitions"] for service in (first, standby)]

    assert sorted(len(partitions) for partitions in owned) == [0, 1]
