"""The end of a service in all its states: what it says, what is committed, and what the next one finds."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from processor.demo.vendor_stub import Faults
from tests.support.town import CLICKS, WITHIN, Run, Town, running_town
from tests.support.waiting import eventually

HOUR = 3600.0


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """What surrounds a service; its topic holds clicks."""
    async with running_town(tmp_path) as town:
        yield town


class State(NamedTuple):
    """One that a service comes into.

    Attributes:
        reached: whether it is there.
        faults: of the vendor.
        destination, changes: keys of its file.
        twice: deliveries that may come twice.
    """

    reached: Callable[[Run], object]
    faults: Faults = Faults()
    destination: Mapping[str, Any] = MappingProxyType({})
    changes: Mapping[str, Any] = MappingProxyType({})
    twice: int = 0


def held(reason: str) -> Callable[[Run], bool]:
    """Whether it is in a hold for this reason."""
    return lambda run: reason in {hold["reason"] for hold in run.state["holds"]}


STATES = {
    "outage": State(held("outage"), Faults(status=503)),
    "refused key": State(held("credential"), Faults(status=401)),
    "refused": State(held("refused"), Faults(status=404)),
    "throttled": State(lambda run: "rate" in run.state["waiting_for"], Faults(status=429, retry_after="600")),
    "no registry": State(
        lambda run: "registry" in run.state["waiting_for"], changes={"registry": {"url": "http://127.0.0.1:9"}}
    ),
    "paused": State(lambda run: run.service.ready, destination={"mode": "paused"}),
    "batch that waits": State(
        lambda run: run.pipeline.scheduler.waiting and not run.in_flight and run.state["deliveries"]["last_replies"],
        destination={"batch": {"max_events": 500, "max_wait": "1h"}},
    ),
    "requests that hang": State(
        lambda run: run.in_flight, Faults(delay=HOUR), {"timeout": "1s", "retry": {"delays": ["1h"]}}, twice=1
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
async def test_it_ends_well_in_every_state(town: Town, state: State) -> None:
    """Nobody waits for what waits: it ends without a word, and the next one delivers all, in order, and only once.

    Beyond that a request may come again that had no answer within its time-out: the vendor has it already.
    """
    town.vendors.rocket.faults = state.faults
    async with town.service(state.changes, **state.destination) as run:
        await eventually(lambda: state.reached(run), WITHIN)

    assert run.ended is None
    assert not run.service.ready
    assert await town.committed() == len(set(town.vendors.account.rocket.accepted)) - state.twice
    judgement = await town.next_one()
    assert judgement.clean, judgement
    assert judgement.duplicates == state.twice, judgement


LEAVING = 0
"""A partition that the second replica gets: what is in flight must be of one of these, or the drain is over at once."""


async def test_in_a_rebalance_the_drain_ends_with_the_process(tmp_path: Path) -> None:
    """A revocation that waits for a request is cut in time for the commit; the other replica takes all of it over."""
    async with running_town(tmp_path, LEAVING) as town:
        await _cut_a_drain(town)


async def _cut_a_drain(town: Town) -> None:
    town.vendors.rocket.faults = Faults(delay=HOUR)
    async with town.service({"shutdown_timeout": "15s"}, timeout="1h") as first:
        await eventually(lambda: first.in_flight, WITHIN)
        async with town.service(timeout="1h") as second:
            await eventually(lambda: first.pipeline.bridge.draining, WITHIN)
            town.vendors.rocket.faults = Faults()
            first.stop.set()
            await eventually(lambda: first.ended, WITHIN)
            await eventually(town.all_accepted, WITHIN)

    assert "shutdown_timeout (15 s): rocket: 1 requests had no answer" in str(first.ended)
    assert second.ended is None
    assert await town.committed() == CLICKS


async def test_a_kafka_that_is_gone_gets_no_last_commit(town: Town) -> None:
    """Where nobody acknowledges it the process ends in time all the same, and says what that means."""
    async with town.service({"commit_interval": "1h", "shutdown_timeout": "60s"}) as run:
        await eventually(town.all_accepted, WITHIN)
        town.lose_kafka()

    assert re.search(
        r"rocket: the last commit of \d partitions was not acknowledged. So nothing is lost", str(run.ended)
    )
