import pytest

from tests.simulation.charges import Charge, ConvictionError
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.themes import themed
from tests.simulation.world import World

SEEDS = 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_service_that_breaks_a_rule_is_convicted_of_it(mutant: Mutant) -> None:
    """The first conviction within a few seeds is by the broken rule's own charge."""
    with mutant.at_large():
        for seed in range(SEEDS):
            conviction = conviction_of(mutant.theme, seed)
            if conviction is not None:
                assert conviction.charge is mutant.charge, f"seed {seed}: {conviction}"
                return
    pytest.fail(f"{mutant} is acquitted on {SEEDS} seeds")


def conviction_of(theme: str, seed: int) -> ConvictionError | None:
    """What a service is found guilty of in this world."""
    try:
        World(themed(theme, seed), seed).run()
    except ConvictionError as conviction:
        return conviction
    return None


def test_every_charge_can_be_brought() -> None:
    """There is a mutant for each charge: one that cannot fail would be worth nothing."""
    assert {mutant.charge for mutant in MUTANTS} == set(Charge)
