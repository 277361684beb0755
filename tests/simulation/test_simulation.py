from functools import partial

import pytest

from tests.simulation.session import CHUNK, Session, run_seeds
from tests.simulation.themes import THEMES, themed
from tests.simulation.world import World
from tests.support.seeds import chunks_of, run_many

SEEDS = 800
ENDS = 200
SEED = 3


def test_whatever_happens_the_invariants_hold() -> None:
    """In every world all eleven invariants hold, and once nothing is wrong any more everything is done."""
    total = _run(0, SEEDS, None)

    assert total.seeds == SEEDS
    assert not total.failures, "\n".join(total.failures)


def test_in_whatever_phase_the_end_is_asked_for_it_is_in_order() -> None:
    """SIGTERM in a hold, in a rebalance, before there is a connection: all that was settled is committed, in time."""
    total = _run(SEEDS, SEEDS + ENDS, "ends")

    assert total.processes > ENDS
    assert not total.failures, "\n".join(total.failures)


@pytest.mark.parametrize("theme", THEMES)
def test_a_world_is_the_same_again_for_the_same_seed(theme: str) -> None:
    """What a seed convicts can be looked at again."""
    first, second = (_run_here(theme) for _ in range(2))

    assert first == second


def _run_here(theme: str) -> tuple[object, list[object]]:
    world = World(themed(theme, SEED), SEED)
    return world.run(), [(entry.sent, entry.ids) for entry in world.vendor.books]


def _run(first: int, end: int, theme: str | None) -> Session:
    total = Session()
    for session in run_many(partial(run_seeds, theme=theme), chunks_of(first, end, None, CHUNK)):
        total.add(session)
    print(total)  # noqa: T201 - `pytest -s` shows what was tried
    return total
