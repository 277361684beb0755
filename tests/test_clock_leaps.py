"""The wall's clock leaps by an hour amid trouble, on a real Kafka: what people read changes, nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from processor.app import build_service
from processor.demo.accounting import account_of
from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions
from processor.plan import load_plans
from processor.service import Service
from tests.support.broker import Broker
from tests.support.metrics import counted
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.service import write_config
from tests.support.topics import TopicFactory
from tests.support.waiting import INTERVAL, eventually_sync

HOUR = 3600.0
DELAY = 2.0
"""Seconds between two tries."""
CLICKS = 60
WITHIN = 60.0


class LeapingClock:
    """The machine's clocks, of which the wall's may leap.

    Attributes:
        leap: seconds by which it did.
    """

    def __init__(self) -> None:
        self.leap = 0.0

    def now(self) -> float:
        """Seconds on a clock that never jumps."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, or what it takes for them."""
        return time.time() + self.leap


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield path


async def audited(service: Service, faults: list[str]) -> None:
    """Look again and again whether every delivery that was made is somewhere (invariant 7)."""
    while True:
        for pipeline in service.pipelines:
            account = account_of(pipeline, service.metrics)
            if not account.balanced:
                faults.append(f"{pipeline.plan.name}: {account}")
        await asyncio.sleep(INTERVAL)


@asynccontextmanager
async def running(path: WholePath, clock: LeapingClock, routes: Mapping[str, Any]) -> AsyncIterator[Service]:
    """The service in this process, with this clock, for as long as the block runs."""
    changes = path.overlay(batch=None, retry={"delays": [f"{DELAY}s"]})
    ops = {"host": "127.0.0.1", "port": "0"}
    changes = {**changes, "group_prefix": path.prefix, "ops": ops, "routes": routes}
    environment = {
        "KAFKA_BOOTSTRAP": path.broker.bootstrap,
        "SCHEMA_REGISTRY_URL": path.registry.url,
        "VOYADO_URL": path.vendors.voyado_url,
        "ROCKET_URL": path.vendors.rocket_url,
        "CLICKSTREAM_TOPIC": path.topic,
    }
    ready = load_plans([write_config(path.folder, changes)], environment)
    service, stop = build_service(ready, ready.plans, clock), asyncio.Event()
    work = asyncio.create_task(service.run(stop))
    try:
        yield service
    finally:
        stop.set()
        await work
        registry: Any = service.pipelines[0].schemas._registry
        registry.__exit__(None, None, None)  # a process takes its connections along when it ends


def rocket(service: Service) -> dict[str, Any]:
    """What it says of one pipeline."""
    found: dict[str, Any] = service.status()["pipelines"]["rocket"]
    return found


def count(service: Service, name: str, **labels: str) -> float:
    """The sum of a metric's samples."""
    return counted(service.metrics.render().decode(), f"clickstream_{name}", **labels)


def probed(service: Service) -> dict[str, Any] | None:
    """A hold of which it is known when it is probed."""
    return next((hold for hold in rocket(service)["holds"] if hold["next_probe"]), None)


def leap_in_a_hold(path: WholePath, service: Service, clock: LeapingClock, leap: float) -> None:
    """The vendor is down, and the clock leaps; the next probe stays as near as it was."""
    path.vendors.rocket.faults = Faults(status=503)
    path.click(CLICKS, seed=2)
    eventually_sync(lambda: rocket(service)["holds"], WITHIN)
    clock.leap = leap
    hold = eventually_sync(
        lambda: next((each for each in rocket(service)["holds"] if each["next_probe"]), None), WITHIN
    )
    ahead = datetime.fromisoformat(hold["next_probe"]).timestamp() - clock.wall()
    assert -WITHIN < ahead <= 1.25 * DELAY
    refused = path.vendors.account.rocket.refused.total()
    eventually_sync(lambda: path.vendors.account.rocket.refused.total() > refused, WITHIN)


def throttled_by_date(path: WholePath, service: Service) -> None:
    """The vendor names a date by its own clock, which is right."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)
    path.vendors.rocket.faults = Faults(status=429, retry_after=date)
    words = eventually_sync(lambda: rocket(service)["waiting_for"].get("rate"), WITHIN)
    assert int(words.rpartition(" in ")[2].removesuffix(" s")) <= 10
    path.vendors.rocket.faults = Faults()


def through_a_leap(path: WholePath, service: Service, clock: LeapingClock, leap: float) -> None:
    """Clicks before, in the middle of and after the leap."""
    path.click(CLICKS, seed=1)
    path.settled(WITHIN)
    leap_in_a_hold(path, service, clock, leap)
    throttled_by_date(path, service)
    path.settled(WITHIN)
    path.click(CLICKS, seed=3)
    path.settled(WITHIN)


@pytest.mark.parametrize("leap", [HOUR, -HOUR], ids=["forward", "back"])
async def test_no_delay_and_no_letter_depends_on_the_wall_s_clock(path: WholePath, leap: float) -> None:
    """All is delivered in order, nobody is blamed (invariant 9), all is accounted for at any time (invariant 7)."""
    clock, unbalanced = LeapingClock(), list[str]()
    async with running(path, clock, {}) as service:
        audit = asyncio.create_task(audited(service, unbalanced))
        await asyncio.to_thread(through_a_leap, path, service, clock, leap)
        audit.cancel()
        lag, commits = count(service, "lag_records"), count(service, "last_commit_timestamp_seconds", pipeline="rocket")
        dead, late = count(service, "dead_letters_total"), count(service, "filtered_total", reason="too_old")
        ages = count(service, "end_to_end_seconds_sum", pipeline="rocket")
        balances = [count(service, "records_total", result=result) for result in ("read", "settled")]

    assert all(judgement.clean for judgement in path.judgements().values()), path.judgements()
    assert (dead, late, lag, unbalanced) == (0, 0, 0, [])
    assert balances[0] == balances[1] == 2 * 3 * CLICKS
    assert abs(commits - time.time() - leap) < HOUR / 2, "a commit has the time that the clock says"
    assert ages >= 0


@pytest.mark.parametrize(("leap", "filtered"), [(HOUR, True), (-HOUR, False)], ids=["forward", "back"])
async def test_the_age_of_an_event_is_what_the_wall_s_clock_says(path: WholePath, leap: float, filtered: bool) -> None:  # noqa: FBT001 - a parameter of a table
    """An hour ahead, events are too old for a route that wants them within half an hour: filtered, and no letters."""
    clock = LeapingClock()
    routes = {"views-to-rocket": {"max_event_age": "30m"}}
    async with running(path, clock, routes) as service:
        await asyncio.to_thread(path.click, CLICKS)
        await asyncio.to_thread(path.settled, WITHIN)
        assert count(service, "filtered_total", reason="too_old") == 0
        clock.leap = leap
        await asyncio.to_thread(path.click, CLICKS, 2)
        await asyncio.to_thread(path.settled, WITHIN)
        dead, late = count(service, "dead_letters_total"), count(service, "filtered_total", reason="too_old")

    judgement = path.judgements()["rocket"]
    assert dead == 0
    assert (late > 0) == filtered
    assert judgement.lost == late
    assert path.judgements()["voyado"].clean
