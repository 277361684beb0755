"""Many seeds, one after another or side by side, and what they came to."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from tests.simulation.themes import drawn, themed
from tests.simulation.world import World
from tests.simulation.worlds import Setup
from tests.support.seeds import Sums

CHUNK = 25
"""Seeds that a process takes at a time."""


@dataclass(slots=True)
class Session(Sums):
    """What many seeds came to.

    Attributes:
        diced, stalemates, budgeted: letters of valid records, by why there may be such.
        repeats: deliveries that the vendor took more than once.
        simulated: seconds of the worlds.
    """

    records: int = 0
    requests: int = 0
    letters: int = 0
    diced: int = 0
    stalemates: int = 0
    budgeted: int = 0
    repeats: int = 0
    processes: int = 0
    simulated: float = 0.0

    def __str__(self) -> str:
        told = (
            f"{self.seeds:,} seeds, {self.processes:,} processes, {self.records:,} records, {self.requests:,} requests"
        )
        valid = f"{self.diced:,} by dice, {self.stalemates:,} at a stalemate, {self.budgeted:,} within the budgets"
        more = f"{self.letters:,} letters (valid records: {valid}), {self.repeats:,} repeats; "
        more += f"{self.simulated / 3600:.1f} h simulated"
        each = f"{1000 * self.seconds / max(self.seeds, 1):.0f} ms each"
        return f"{told}, {more}, {each}\n{len(self.failures)} convictions"


def run_seeds(seeds: Iterable[int], theme: str | None = None) -> Session:
    """Run some, one after another."""
    session = Session()
    began = time.process_time()
    for seed in seeds:
        name, setup = world_of(seed, theme)
        try:
            account = World(setup, seed).run()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong belongs to a seed, and the others go on
            again = f"again: python -m tests.simulation {seed} --theme {name}"
            session.failures.append(f"{type(error).__name__}: {error}\n  {setup}\n  {again}")
        else:
            session.records += account.records
            session.requests += account.requests
            session.letters += account.letters
            session.diced += account.diced
            session.stalemates += account.stalemates
            session.budgeted += account.budgeted
            session.repeats += account.repeats
            session.processes += account.processes
            session.simulated += account.seconds
        session.seeds += 1
    session.seconds = time.process_time() - began
    return session


def world_of(seed: int, theme: str | None) -> tuple[str, Setup]:
    """The theme of a seed, or the one that is wanted, and its world."""
    return (theme, themed(theme, seed)) if theme else drawn(seed)


def tell(seed: int, theme: str | None) -> int:
    """Run one seed, and print what the service said; 1 = it was convicted."""
    name, setup = world_of(seed, theme)
    world = World(setup, seed)
    failure = None
    try:
        account = world.run()
    except Exception as error:  # noqa: BLE001 - it is told
        failure = f"{type(error).__name__}: {error}"
    lines = [f"{name}: {setup}", *(str(line) for line in world.lines), failure or str(account)]
    print("\n".join(lines))  # noqa: T201 - a command line prints
    return 1 if failure else 0
