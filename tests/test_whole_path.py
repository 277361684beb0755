"""From Kafka to both vendors, with real parts: the service runs as a process of its own."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.path import DESTINATIONS, WholePath, running_path
from tests.support.registry import Registry
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

EVENTS = int(os.environ.get("WHOLE_PATH_EVENTS", "6000"))
"""Clicks per test; 100,000 once by hand."""
WITHIN = 30 + EVENTS / 200
"""Seconds for all of them, on a busy machine."""
LATENCY = 0.05
MODES: dict[str, dict[str, Any] | None] = {
    "single": None,
    "batch": {"max_events": 500, "max_bytes": "1MiB", "max_wait": "100ms"},
}


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=LATENCY)) as path:
        yield path


def report(path: WholePath, what: str, seconds: float) -> None:
    """Say what was seen; shown with `pytest -s`."""
    for name, judgement in path.judgements().items():
        print(f"{what} {name}: {judgement} in {seconds:.1f} s")


def check(path: WholePath) -> None:
    """Nothing lost, nothing made up, order kept, every payload valid, never two of a session in flight."""
    for name, judgement in path.judgements().items():
        assert judgement.clean, (name, judgement)
    for account in (path.vendors.account.voyado, path.vendors.account.rocket):
        assert not account.violations
        assert not account.refused


@pytest.mark.parametrize("mode", MODES)
def test_every_click_is_delivered_once_and_committed(path: WholePath, mode: str) -> None:
    """All clicks of six types reach both vendors once, in order per lane, and then the ends are committed."""
    path.click(EVENTS)
    begun = time.monotonic()

    with path.service(path.overlay(batch=MODES[mode])) as service:
        path.settled(WITHIN)
        seconds = time.monotonic() - begun
        code = service.terminate()

    report(path, mode, seconds)
    check(path)
    assert code == 0, service.log
    assert all(judgement.duplicates == 0 for judgement in path.judgements().values())
    assert path.all_committed()


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_lost_when_the_process_is_killed(path: WholePath, mode: str) -> None:
    """After kill -9 in the middle and a restart nothing is missing; only what was not committed came twice."""
    path.click(EVENTS)
    overlay = path.overlay(batch=MODES[mode])

    with path.service(overlay) as service:
        eventually_sync(lambda: len(path.accepted("rocket")) > EVENTS / 3, WITHIN)
        service.kill()
        service.start()
        path.settled(WITHIN)
        service.terminate()

    report(path, f"{mode} killed", 0)
    check(path)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_lost_by_a_clean_end(path: WholePath, mode: str) -> None:
    """After SIGTERM in the middle and a restart nothing is missing; what was in flight had its reply."""
    path.click(EVENTS)
    overlay = path.overlay(batch=MODES[mode])

    with path.service(overlay) as service:
        eventually_sync(lambda: len(path.accepted("rocket")) > EVENTS / 3, WITHIN)
        code = service.terminate()
        at_the_end = {name: len(path.accepted(name)) for name in DESTINATIONS}
        service.start()
        path.settled(WITHIN)
        service.terminate()

    report(path, f"{mode} terminated", 0)
    check(path)
    assert code == 0, service.log
    assert at_the_end["rocket"] < len(path.accepted("rocket")), "it was over before it could be interrupted"
    assert '"stopped"' in service.log
