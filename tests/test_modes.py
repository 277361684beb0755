"""A destination that sends nothing, on a real Kafka: in shadow all is done but the calls, paused nothing is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.metrics import counted
from tests.support.path import DESTINATIONS, WholePath, running_path
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

MODES: dict[str, dict[str, Any] | None] = {"single": None, "batch": {"max_events": 100, "max_wait": "50ms"}}


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield path


def said(service: ServiceProcess, event: str) -> list[dict[str, Any]]:
    """The log's lines of one event name."""
    lines = [json.loads(line) for line in service.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def lag(service: ServiceProcess, destination: str) -> int | None:
    """Records between what is settled and the topic's end, as `/status` has it; None while it is not known."""
    lags = [partition["lag"] for partition in service.status()[destination]["partitions"]]
    return sum(lags) if lags and None not in lags else None


@pytest.mark.parametrize("batch", MODES)
def test_a_shadow_does_all_but_the_call(path: WholePath, batch: str) -> None:
    """Every delivery is made and ends as shadowed, offsets are committed, and no vendor hears of it."""
    path.click(300)

    with path.service(path.overlay(mode="shadow", batch=MODES[batch])) as service:
        path.settled(within=60)
        status, metrics = service.status(), service.get("/metrics")[1]
        code = service.terminate()

    for name in DESTINATIONS:
        deliveries, wanted = "clickstream_deliveries_total", len(path.expected[name])
        assert counted(metrics, deliveries, pipeline=name, outcome="shadowed") == wanted
        assert counted(metrics, deliveries, pipeline=name) == wanted
        requests = counted(metrics, "clickstream_requests_total", pipeline=name, **{"class": "shadowed"})
        assert requests == wanted if batch == "single" else 0 < requests < wanted
        assert status[name]["mode"] == "shadow"
        assert status[name]["waiting_for"] == {}
        assert path.accepted(name) == []
    assert path.vendors.account.voyado.refused.total() == path.vendors.account.rocket.refused.total() == 0
    assert {(line["pipeline"], line["mode"]) for line in said(service, "not_live")} == {
        ("voyado", "shadow"),
        ("rocket", "shadow"),
    }
    assert code == 0, service.log


def test_paused_means_that_nothing_moves(path: WholePath) -> None:
    """It is ready and alive, fetches and commits nothing, shows its lag; and live again it delivers all, once."""
    path.click(100)

    with path.service(path.overlay(mode="paused")) as service:
        service.ready()
        eventually_sync(lambda: lag(service, "rocket") == 100, within=40)
        path.click(50, seed=2)
        eventually_sync(lambda: all(lag(service, name) == 150 for name in DESTINATIONS), within=40)
        status, metrics = service.status(), service.get("/metrics")[1]
        assert service.get("/live")[0] == service.get("/ready")[0] == 200
        code = service.terminate()

    for name in DESTINATIONS:
        assert set(path.committed(name).values()) == {0}, "where the group begins, and not a record further"
        assert status[name]["mode"] == "paused"
        assert "mode: paused" in status[name]["waiting_for"]["mode"]
        assert all(partition["paused"] for partition in status[name]["partitions"])
        assert counted(metrics, "clickstream_records_total", pipeline=name, result="read") == 0
        assert counted(metrics, "clickstream_commits_total", pipeline=name) == 0
        assert counted(metrics, "clickstream_lag_records", pipeline=name) == 150
        assert path.accepted(name) == []
    assert [line["mode"] for line in said(service, "not_live")] == ["paused", "paused"]
    assert code == 0, service.log

    with path.service(path.overlay()) as service:
        path.settled(within=60)
        service.terminate()

    assert all(judgement.clean and not judgement.duplicates for judgement in path.judgements().values())


def test_one_destination_may_be_paused_alone(path: WholePath) -> None:
    """The other one of the same file goes on."""
    path.click(100)
    changes = path.overlay()
    changes["destinations"]["voyado"]["mode"] = "paused"

    with path.service(changes) as service:
        eventually_sync(lambda: path.committed("rocket") == path.ends(), within=40)
        service.terminate()

    assert path.judgements()["rocket"].clean
    assert path.accepted("voyado") == []
