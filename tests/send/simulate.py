"""Runs seeds of the simulation by hand.

    python -m tests.send.simulate 17              one seed, again exactly as it was
    python -m tests.send.simulate 0 2000          from a seed up to, but not including, another
    python -m tests.send.simulate --seconds 3600  new seeds for so long; a first seed may be named

Ends with 1 where a seed convicted the scheduler.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.send.simulation import World
from tests.send.themes import drawn
from tests.support.seeds import Sums, chunks_of, command_line, run_many, tell_all

CHUNK = 50
"""Seeds that a process takes at a time."""


@dataclass(slots=True)
class Session(Sums):
    """What many seeds came to.

    Attributes:
        stuck: deliveries that no rule could move in the end: poison alone, without a stalemate.
    """

    deliveries: int = 0
    requests: int = 0
    stuck: int = 0
    blamed: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        blamed = ", ".join(f"{why} {number:,}" for why, number in sorted(self.blamed.items()))
        return (
            f"{self.seeds:,} seeds, {self.deliveries:,} deliveries, {self.requests:,} requests, "
            f"{1000 * self.seconds / max(self.seeds, 1):.0f} ms each; {self.stuck:,} left that no rule could move\n"
            f"buried: {blamed}\n{len(self.failures)} convictions"
        )


def run_seeds(seeds: Iterable[int]) -> Session:
    """Run some, one after another."""
    session = Session()
    began = time.process_time()
    for seed in seeds:
        setup, random = drawn(seed)
        try:
            account = World(setup, random).run()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong belongs to a seed, and the others go on
            again = f"again: python -m tests.send.simulate {seed}"
            session.failures.append(f"seed {seed}: {type(error).__name__}: {error}\n  {setup}\n  {again}")
        else:
            session.deliveries += account.deliveries
            session.requests += account.requests
            session.stuck += account.stuck
            session.blamed += account.blamed
        session.seeds += 1
    session.seconds = time.process_time() - began
    return session


def main(words: list[str]) -> int:
    """Run what was asked for, and tell."""
    asked = command_line("python -m tests.send.simulate").parse_args(words)
    end = asked.end if asked.end is not None or asked.seconds is not None else asked.first + 1
    return tell_all(Session(), run_many(run_seeds, chunks_of(asked.first, end, asked.seconds, CHUNK)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
