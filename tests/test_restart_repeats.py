"""What is sent twice after kill -9, while one slow lane holds the committed offset back; on a real Kafka."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from confluent_kafka import Consumer, TopicPartition

from processor.demo.rules import Accepted, Refusal
from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions
from processor.settle.metadata import Settled, decode
from tests.support.broker import Broker
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

ID = "X-Delivery"
CLICKS = 4000
RATE = 300
CONCURRENCY = 16
COMMIT_INTERVAL = 1.0
SLACK = 0.5
"""Seconds between what is settled and the commit that names it, on a busy machine."""


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.01)) as path:
        yield path


@dataclass(frozen=True)
class Call:
    """One that the vendor took: when, and the delivery's topic, partition, offset, route and index."""

    at: float
    delivery: tuple[str, ...]

    @property
    def record(self) -> tuple[int, int]:
        """Partition and offset."""
        return int(self.delivery[1]), int(self.delivery[2])


class Gatekeeper:
    """Stands before a vendor's stub: notes what it takes, and never answers one lane.

    Attributes:
        slow: the lane.
        calls: what was taken.
    """

    def __init__(self, path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slow: str | None = None
        self.calls: list[Call] = []
        stub = path.vendors.rocket
        self._judge, self._work = stub._judge, stub._work
        monkeypatch.setattr(stub, "_judge", self.judge)
        monkeypatch.setattr(stub, "_work", self.work)

    def judge(self, request: web.BaseRequest, body: bytes, faults: Faults, now: float) -> list[Accepted] | Refusal:
        """Note what is taken."""
        verdict = self._judge(request, body, faults, now)
        if isinstance(verdict, list):
            self.calls.append(Call(time.monotonic(), tuple(request.headers[ID].split(":"))))
        return verdict

    async def work(self, where: str, verdict: Any, faults: Faults) -> None:
        """Take for ever for the slow lane."""
        if isinstance(verdict, list) and any(one.lane == self.slow for one in verdict):
            await asyncio.sleep(3600)
        await self._work(where, verdict, faults)


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
    """No record that a commit named; of the others at most what was in flight and one commit interval's."""
    vendor = Gatekeeper(path, monkeypatch)
    path.click(CLICKS)
    vendor.slow = path.expected["rocket"][0].lane
    changes = path.overlay(batch=None, rate=f"{RATE}/s", concurrency=CONCURRENCY, timeout="60s", idempotency_header=ID)

    with path.service(changes | {"commit_interval": f"{COMMIT_INTERVAL:g}s"}, "--destination", "rocket") as service:
        eventually_sync(lambda: len(vendor.calls) > 5 * RATE, within=60)
        service.kill()
        before, killed = list(vendor.calls), time.monotonic()
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
    recent = [call for call in before if call.at > killed - COMMIT_INTERVAL - SLACK]
    figures = f"{len(before)} accepted, {len(behind)} behind the gap, {len(again)} repeated, {len(recent)} at the end"
    assert path.judgements()["rocket"].lost == 0
    assert named == []
    assert len(behind) > RATE, figures
    assert len(again) <= CONCURRENCY + len(recent), figures


def test_a_partition_that_is_too_far_ahead_is_named(path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/status` says why it waits and for which offset; the others are read to their ends, and the service lives."""
    vendor = Gatekeeper(path, monkeypatch)
    path.click(CLICKS)
    vendor.slow = path.expected["rocket"][0].lane
    changes = path.overlay(batch=None, concurrency=CONCURRENCY, timeout="60s", idempotency_header=ID)

    def waiting() -> list[dict[str, Any]]:
        partitions: list[dict[str, Any]] = service.status()["rocket"]["partitions"]
        return [partition for partition in partitions if partition["lag"] != 0]

    with path.service(changes | {"max_ahead": 200}, "--destination", "rocket") as service:
        service.ready()
        eventually_sync(lambda: len(waiting()) == 1 and waiting()[0]["unsettled"] < 200, within=60)
        eventually_sync(lambda: waiting()[0]["waiting_for"], within=20)
        (partition,), alive = waiting(), service.get("/live")[0]

    blocking = partition["settled_up_to"]
    assert partition["paused"]
    assert partition["waiting_for"].endswith(f"(max_ahead: 200) are settled behind offset {blocking}, which is not")
    assert path.committed("rocket")[partition["partition"]] == blocking
    assert alive == 200
