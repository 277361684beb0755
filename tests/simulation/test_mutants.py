import pytest

from tests.simulation.charges import Charge
from tests.simulation.mutants import MUTANTS
from tests.simulation.themes import themed
from tests.simulation.world import World
from tests.support.convictions import Mutant, conviction_of

SEEDS = 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_service_that_breaks_a_rule_is_convicted_of_it(mutant: Mutant) -> None:
    """The first conviction within a few seeds is by the broken rule's own charge."""
    with mutant.at_large():
        for seed in range(SEEDS):
            conviction = conviction_of(World(themed(mutant.theme, seed), seed).run)
            if conviction is not None:
                assert conviction.charge is mutant.charge, f"seed {seed}: {conviction}"
                return
    pytest.fail(f"{mutant} is acquitted on {SEEDS} seeds")


def test_every_charge_can_be_brought() -> None:
    """There is a mutant for each charge: one that cannot fail would be worth nothing."""
    assert {mutant.charge for mutant in MUTANTS} == set(Charge)
