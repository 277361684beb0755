"""SIGTERM to the service as a process of its own, on a real Kafka: how it ends, and what the next one finds."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions
from tests.support.background import in_background
from tests.support.broker import Broker
from tests.support.conversations import listening
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.service import STOP_TIMEOUT, ServiceProcess
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

WITHIN = 90.0
"""Seconds for what a busy machine has to do."""
FOR_EVER = 3600.0
"""Seconds that a vendor takes for an answer which nobody waits for."""
ROCKET = ("--destination", "rocket")


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.01)) as path:
        yield path


def single(path: WholePath, **destination: Any) -> dict[str, Any]:
    """Calls with one delivery each, a few at a time."""
    return path.overlay(batch=None, concurrency=8, **destination)


def committed(path: WholePath) -> int:
    """Records below the committed offsets, of all partitions."""
    return sum(max(offset, 0) for offset in path.committed("rocket").values())


def next_one(path: WholePath) -> None:
    """Another process takes up all that is left."""
    path.vendors.rocket.faults = Faults()
    with path.service(single(path), *ROCKET) as service:
        eventually_sync(lambda: path.committed("rocket") == path.ends(), WITHIN)
        assert service.terminate() == 0, service.log


def in_flight(service: ServiceProcess) -> int:
    """Requests that wait for their answer."""
    found: int = service.status()["rocket"]["deliveries"]["requests_in_flight"]
    return found


def test_in_the_middle_of_sending_everything_that_settled_is_committed(path: WholePath) -> None:
    """Exit code 0, and the next process delivers the rest: what comes twice are lines of orders that were begun."""
    path.click(3000)

    with path.service(single(path), *ROCKET) as service:
        eventually_sync(lambda: len(path.accepted("rocket")) > 500, WITHIN)
        code = service.terminate()
        at_the_end = len(path.accepted("rocket"))
        next_one(path)

    assert code == 0, service.log
    assert '"stopped"' in service.log
    judgement = path.judgements()["rocket"]
    assert at_the_end < len(path.accepted("rocket")), "it was over before it could be interrupted"
    assert judgement.clean, judgement
    assert {one.method for one, times in Counter(path.accepted("rocket")).items() if times > 1} <= {"order"}


def test_while_a_schema_is_awaited_it_ends_before_the_registry_answers(path: WholePath) -> None:
    """A question that nobody answers for a minute keeps neither the list nor the process."""
    path.click(50)

    async def silent(reader: Any, _: Any) -> None:
        await reader.read()

    with in_background(listening(silent)) as port:
        registry = {"registry": {"url": f"http://127.0.0.1:{port}", "timeout": f"{10 * STOP_TIMEOUT:g}"}}
        with path.service(single(path) | registry, *ROCKET) as service:
            service.ready()
            eventually_sync(lambda: any(p["waiting_for"] for p in service.status()["rocket"]["partitions"]), WITHIN)
            code = service.terminate()
    next_one(path)

    assert code == 0, service.log
    assert path.judgements()["rocket"].clean


def test_in_a_hold_it_ends_as_ever(path: WholePath) -> None:
    """A vendor that is away keeps nobody: exit code 0, and what waited is delivered by the next process, once."""
    path.vendors.rocket.faults = Faults(status=503)
    path.click(300)

    with path.service(single(path), *ROCKET) as service:
        service.ready()
        eventually_sync(lambda: service.status()["rocket"]["holds"], WITHIN)
        code = service.terminate()
    committed_then = committed(path)
    next_one(path)

    assert code == 0, service.log
    assert committed_then <= 0
    judgement = path.judgements()["rocket"]
    assert (judgement.clean, judgement.duplicates) == (True, 0), judgement


def test_requests_that_hang_are_given_up_in_time(path: WholePath) -> None:
    """With a time-out beyond `shutdown_timeout`: exit code 1 with what it means, all that settled is committed."""
    path.click(300)
    changes = single(path, timeout=f"{FOR_EVER:g}s") | {"shutdown_timeout": "8s"}

    with path.service(changes, *ROCKET) as service:
        eventually_sync(lambda: path.committed("rocket") == path.ends(), WITHIN)
        path.vendors.rocket.faults = Faults(delay=FOR_EVER)
        path.click(300, seed=2)
        eventually_sync(lambda: in_flight(service) == 8, WITHIN)
        code = service.terminate()
    settled = committed(path)
    next_one(path)

    assert code == 1, service.log
    assert "not all was done within shutdown_timeout (8 s): rocket: 8 requests had no answer. So nothing" in service.log
    assert "Kafka client" not in service.log.splitlines()[-1]
    assert settled >= 300
    assert path.judgements()["rocket"].clean


def test_a_second_signal_ends_at_once(path: WholePath) -> None:
    """While the first one drains it lives, is not ready and answers; the second one ends it with 128 + its number."""
    path.vendors.rocket.faults = Faults(delay=FOR_EVER)
    path.click(300)
    changes = single(path, timeout=f"{FOR_EVER:g}s") | {"shutdown_timeout": f"{FOR_EVER:g}s"}

    with path.service(changes, *ROCKET) as service:
        service.ready()
        eventually_sync(lambda: in_flight(service), WITHIN)
        service.process.send_signal(signal.SIGTERM)
        eventually_sync(lambda: service.get("/ready") == (503, "shutting down\n"), WITHIN)
        alive, still = service.get("/live")[0], in_flight(service)
        service.process.send_signal(signal.SIGINT)
        code = service.process.wait(STOP_TIMEOUT)
    next_one(path)

    assert alive == 200
    assert still
    assert code == 128 + signal.SIGINT
    last = service.log.splitlines()[-1]
    assert last.startswith("clickstream: ended at once by a second SIGINT, and given up: rocket: ")
    assert path.judgements()["rocket"].clean
