"""What the gates are for, with real parts and short delays; `make reliability` measures it with those of production."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.reliability import outages, poison, pressure
from tests.reliability.scene import BATCHES, SINGLE, Mode, Scene, running_scene
from tests.reliability.verdict import Finding
from tests.support.broker import Broker
from tests.support.registry import Registry
from tests.support.topics import TopicFactory

SHORT = ("0.5s", "1s", "2s")
OUTAGE: dict[str, Any] = {"seconds": 3, "delays": SHORT, "steady": 1}
LONGER = OUTAGE | {"seconds": 5}
"""Where a time-out is waited for, which must be none that a busy process misses: what was answered counts as read."""
CASES: Mapping[str, tuple[Mode, Callable[[Scene], Finding]]] = {
    "an outage": (SINGLE, partial(outages.outage, **OUTAGE)),
    "a refused key": (BATCHES, partial(outages.refused_key, **OUTAGE)),
    "a method without answers": (SINGLE, partial(outages.method_down, silent=True, timeout=3, **LONGER)),
    "poison in a backlog": (BATCHES, partial(poison.backlog, status=400, events=1000)),
    "a quiet topic that begins with poison": (
        SINGLE,
        partial(poison.quiet, status=403, first=True, every=0.5, events=6, delays=SHORT),
    ),
    "throttling": (BATCHES, partial(pressure.throttled, retry_after=1, seconds=3)),
}


AT_ONCE = 3
"""Cases that run side by side: most of their time is waiting."""


@pytest.fixture(scope="module")
def findings(
    tmp_path_factory: pytest.TempPathFactory, broker: Broker, registry: Registry
) -> Iterator[Mapping[str, Future[Finding]]]:
    """What the cases show, each with a topic, a service and a vendor of its own; all begin with the first one."""
    topics = TopicFactory(broker)

    def run(mode: Mode, case: Callable[[Scene], Finding]) -> Finding:
        with running_scene(tmp_path_factory.mktemp("scene"), broker, registry, topics, mode) as scene:
            return case(scene)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(run, *case) for name, case in CASES.items()}
    topics.close()


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_or_blamed_that_is_not_at_fault(findings: Mapping[str, Future[Finding]], case: str) -> None:
    """Few requests into the trouble, healthy events on their way, exactly the poison in the dead letters.

    What is said in seconds is judged by `make reliability`, on a machine that does nothing else.
    """
    finding = findings[case].result()

    assert not finding.broken, finding
