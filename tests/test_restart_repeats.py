"""What is sent twice after kill -9, while one slow lane holds the committed offset back; on a real Kafka."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from processor.demo.vendors import VendorOptions
from processor.settle.metadata import Settled, decode
from tests.support.broker import Broker
from tests.support.gatekeeper import ID, Gatekeeper
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

CLICKS = 4000
FEW = 1200
"""Enough for a partition to run ahead by `max_ahead`, and soon read where the machine is busy."""
RATE = 300
CONCURRENCY = 16
COMMIT_INTERVAL = 1.0


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.01)) as path:
        yield path


def held(path: WholePath) -> dict[int, Settled]:
    """What the coordinator says of each partition."""
    group = {"bootstrap.servers": path.broker.bootstrap, "group.id": f"{path.prefix}.rocket", "log_level": 0}
    with Consumer(group) as consumer:
        asked = [TopicPartition(path.topic, number) for number in path.ends()]
        found = consumer.committed(asked, timeout=10)
    read = {at.partition: decode(at.metadata or "") for at in found}
    return {number: each for number, each in read.items() if isinstance(each, Settled)}


def settled(at: Settled, offset: int) -> bool:
    """Whether an offset was committed, or named beside it."""
    return offset < at.base or any(start <= offset < end for start, end in at.ahead)


def test_a_kill_repeats_little(path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """No record that a commit named, and commits name most: without that all behind the gap would come again.

    How many one commit interval's are, `make chaos` measures.
    """
    vendor = Gatekeeper(path, monkeypatch)
    path.click(CLICKS)
    vendor.slow = path.expected["rocket"][0].lane
    changes = path.overlay(batch=None, rate=f"{RATE}/s", concurrency=CONCURRENCY, timeout="60s", idempotency_header=ID)

    with path.service(changes | {"commit_interval": f"{COMMIT_INTERVAL:g}s"}, "--destination", "rocket") as service:
        eventually_sync(lambda: len(vendor.calls) > 5 * RATE, within=60)
        service.kill()
        before = list(vendor.calls)
        committed = held(path)
        vendor.slow = None
        service.start()
        eventually_sync(lambda: path.committed("rocket") == path.ends(), within=120)
        service.terminate()

    known = {call.delivery for call in before}
    again = [call for call in vendor.calls[len(before) :] if call.delivery in known]
    named = [
        call for call in again if call.record[0] in committed and settled(committed[call.record[0]], call.record[1])
    ]
    stuck = {number: at for number, at in committed.items() if at.ahead}
    behind = [call for call in before if call.record[0] in stuck and call.record[1] > stuck[call.record[0]].base]
    figures = f"{len(before)} accepted, {len(behind)} behind the gap, {len(again)} repeated"
    assert path.judgements()["rocket"].lost == 0
    assert named == []
    assert len(behind) > RATE, figures
    assert len(again) < len(behind) / 2, figures


def test_a_partition_that_is_too_far_ahead_is_named(path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/status` says why it waits and for which offset; the others are read to their ends, and the service lives."""
    vendor = Gatekeeper(path, monkeypatch)
    path.click(FEW)
    vendor.slow = path.expected["rocket"][0].lane
    changes = path.overlay(batch=None, concurrency=CONCURRENCY, timeout="60s", idempotency_header=ID)

    def waiting() -> list[dict[str, Any]]:
        partitions: list[dict[str, Any]] = service.status()["rocket"]["partitions"]
        return [partition for partition in partitions if partition["lag"] != 0]

    with path.service(changes | {"max_ahead": 100}, "--destination", "rocket") as service:
        service.ready(within=120)
        eventually_sync(lambda: len(waiting()) == 1 and waiting()[0]["waiting_for"], within=240)
        (partition,), alive = waiting(), service.get("/live")[0]

    blocking = partition["settled_up_to"]
    assert partition["paused"]
    assert partition["waiting_for"].endswith(f"(max_ahead: 100) are settled behind offset {blocking}, which is not")
    assert path.committed("rocket")[partition["partition"]] == blocking
    assert alive == 200
