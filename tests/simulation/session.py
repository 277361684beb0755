"""Many seeds, one after another or side by side, and what they came to."""

import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count

from tests.simulation.themes import drawn, themed
from tests.simulation.world import World
from tests.simulation.worlds import Setup

CHUNK = 25
"""Seeds that a process takes at a time."""


@dataclass(slots=True)
class Session:
    """What many seeds came to.

    Attributes:
        repeats: deliveries that the vendor took more than once.
        seconds: of CPU time; `simulated` those of the worlds.
        failures: in words, with the seed and how to run it again.
    """

    seeds: int = 0
    records: int = 0
    requests: int = 0
    letters: int = 0
    repeats: int = 0
    processes: int = 0
    seconds: float = 0.0
    simulated: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Session") -> None:
        """Sum up."""
        self.seeds += other.seeds
        self.records += other.records
        self.requests += other.requests
        self.letters += other.letters
        self.repeats += other.repeats
        self.processes += other.processes
        self.seconds += other.seconds
        self.simulated += other.simulated
        self.failures += other.failures

    def __str__(self) -> str:
        told = (
            f"{self.seeds:,} seeds, {self.processes:,} processes, {self.records:,} records, {self.requests:,} requests"
        )
        more = f"{self.letters:,} letters, {self.repeats:,} repeats; {self.simulated / 3600:.1f} h simulated"
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


def run_many(chunks: Iterable[range], theme: str | None = None) -> Iterator[Session]:
    """Run chunks of seeds in as many processes as there are processors."""
    processes = os.cpu_count() or 1
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = []
        for chunk in chunks:
            running.append(pool.submit(run_seeds, chunk, theme))
            if len(running) > processes:
                yield running.pop(0).result()
        for each in running:
            yield each.result()


def chunks_of(first: int, end: int | None, seconds: float | None) -> Iterator[range]:
    """Seeds up to `end`, or as many as begin in so many seconds."""
    until = None if seconds is None else time.monotonic() + seconds
    for start in count(first, CHUNK):
        if (end is not None and start >= end) or (until is not None and time.monotonic() > until):
            return
        yield range(start, start + CHUNK if end is None else min(start + CHUNK, end))
