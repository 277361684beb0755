"""Nothing lost, nobody blamed wrongly, with real parts; `make chaos` does far more of it, and longer."""

from pathlib import Path

import pytest

from tests.chaos.arena import BATCHES, SINGLE, running_arena
from tests.chaos.everything import everything
from tests.reliability.scene import Mode
from tests.support.broker import Broker
from tests.support.registry import Registry
from tests.support.topics import TopicFactory

BROKEN_ELSEWHERE = ("broker",)
"""The run's broker is everybody's."""


@pytest.mark.parametrize(("mode", "seed"), [(SINGLE, 73), (BATCHES, 58)], ids=["single", "batches"])
def test_nothing_is_lost_in_chaos(
    tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory, mode: Mode, seed: int
) -> None:
    """Kill -9, SIGSTOP, replicas that come and go and every trouble with the vendor (invariants 1, 3, 5, 8, 9, 10)."""
    with running_arena(tmp_path, broker, registry, topic, mode) as arena:
        finding = everything(arena, seed=seed, seconds=8, steady=1, without=BROKEN_ELSEWHERE)

    assert not finding.broken, finding
