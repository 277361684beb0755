import pytest

from tests.send.charges import Charge
from tests.send.mutants import MUTANTS
from tests.send.simulation import World
from tests.send.themes import THEMES, themed
from tests.support.convictions import Mutant, conviction_of

SEEDS = 20


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_scheduler_that_breaks_a_rule_is_convicted_of_it(mutant: Mutant) -> None:
    """The first conviction within a few seeds is by the broken rule's own charge."""
    with mutant.at_large():
        for seed in range(SEEDS):
            conviction = conviction_of(World(*themed(mutant.theme, seed)).run)
            if conviction is not None:
                assert conviction.charge is mutant.charge, f"seed {seed}: {conviction}"
                return
    pytest.fail(f"{mutant} is acquitted on {SEEDS} seeds")


@pytest.mark.parametrize("theme", THEMES)
def test_a_scheduler_that_breaks_no_rule_is_acquitted(theme: str) -> None:
    """On the same seeds the real one is convicted of nothing."""
    for seed in range(SEEDS):
        World(*themed(theme, seed)).run()


def test_every_charge_can_be_brought() -> None:
    """There is a mutant for each charge: one that cannot fail would be worth nothing."""
    assert {mutant.charge for mutant in MUTANTS} == set(Charge)
