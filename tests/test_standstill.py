"""A replica that is stopped for longer than its session and goes on later; on a real Kafka with real HTTP."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.gatekeeper import ID, Gatekeeper, disorder
from tests.support.metrics import counted
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

CLICKS = 800
FEW = 50
CONCURRENCY = 8
LATENCY = 0.2
"""Seconds: with so few in flight a replica is nearly always waiting for answers when it is stopped. In the middle of
writing a request to its socket it could not know later that it is to leave it."""
SESSION = {"session.timeout.ms": "6000"}
"""The shortest that brokers allow."""
COMMIT_INTERVAL = "2s"
"""Long enough for a busy machine to stop a replica between two commits."""


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=LATENCY)) as path:
        yield path


def owned(replica: ServiceProcess) -> int:
    """How many partitions a replica has."""
    return len(replica.status()["rocket"]["partitions"])


def commits(replica: ServiceProcess, result: str) -> float:
    """How many of its commits ended so."""
    return counted(replica.get("/metrics")[1], "clickstream_commits_total", pipeline="rocket", result=result)


def test_a_stopped_replica_sends_and_commits_nothing_afterwards(
    path: WholePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heir's work is not repeated behind it, and no lane's order breaks (invariants 3, 4 and 5).

    Only what it was just writing to a socket when it was stopped may leave it then: no more than it may have in flight.
    """
    vendor = Gatekeeper(path, monkeypatch)
    path.click(FEW)
    everything = len(path.ends())
    changes = path.overlay(batch=None, concurrency=CONCURRENCY, timeout="600s", idempotency_header=ID) | {
        "kafka": SESSION,
        "commit_interval": COMMIT_INTERVAL,
    }
    with (
        path.service(changes, "--destination", "rocket") as stopped,
        path.service(changes, "--destination", "rocket") as heir,
    ):
        for each in (stopped, heir):
            each.ready(within=120)
        eventually_sync(lambda: owned(stopped) + owned(heir) == everything and owned(stopped), within=120)
        seen = len(vendor.calls)
        path.click(CLICKS, seed=2)
        eventually_sync(lambda: len(vendor.calls) > seen + 100, within=120)
        taken = commits(stopped, "ok")
        eventually_sync(lambda: commits(stopped, "ok") > taken)  # for a moment none is on its way
        waits, failed = stopped.status()["rocket"]["deliveries"]["waiting"], commits(stopped, "failed")
        stopped.process.send_signal(signal.SIGSTOP)
        eventually_sync(lambda: owned(heir) == everything, within=120)
        eventually_sync(lambda: path.committed("rocket") == path.ends(), within=240)
        before = {call.delivery for call in vendor.calls}

        since = len(vendor.calls)
        stopped.process.send_signal(signal.SIGCONT)
        eventually_sync(lambda: owned(stopped) and owned(stopped) + owned(heir) == everything, within=240)
        path.click(FEW, seed=3)
        eventually_sync(lambda: path.committed("rocket") == path.ends(), within=240)
        refused, log = commits(stopped, "failed") - failed, stopped.log

    written = {at for at, call in enumerate(vendor.calls) if at >= since and call.delivery in before}
    assert waits > 50  # there was something that it could have sent
    assert len(written) <= CONCURRENCY
    assert disorder([call for at, call in enumerate(vendor.calls) if at not in written]) == []
    assert path.judgements()["rocket"].lost == 0
    assert refused == 0, f"it tried to commit:\n{log}"
    assert "stood_still" in log or "partitions_lost" in log
