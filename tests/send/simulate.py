"""Runs seeds of the simulation by hand.

    python -m tests.send.simulate 17              one seed, again exactly as it was
    python -m tests.send.simulate 0 2000          from a seed up to, but not including, another
    python -m tests.send.simulate --seconds 3600  new seeds for so long; a first seed may be named

Ends with 1 where a seed convicted the scheduler.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count

from tests.send.simulation import World
from tests.send.themes import drawn

CHUNK = 50
"""Seeds that a process takes at a time."""


@dataclass(slots=True)
class Session:
    """What many seeds came to.

    Attributes:
        failures: in words, with the seed, its setup and how to run it again.
        stuck: deliveries that no rule could move in the end: poison alone, without a stalemate.
    """

    seeds: int = 0
    deliveries: int = 0
    requests: int = 0
    stuck: int = 0
    seconds: float = 0.0
    blamed: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Session") -> None:
        """Sum up."""
        self.seeds += other.seeds
        self.deliveries += other.deliveries
        self.requests += other.requests
        self.stuck += other.stuck
        self.seconds += other.seconds
        self.blamed += other.blamed
        self.failures += other.failures

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


def run_many(chunks: Iterable[range]) -> Iterator[Session]:
    """Run chunks of seeds in as many processes as there are processors."""
    processes = os.cpu_count() or 1
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = []
        for chunk in chunks:
            running.append(pool.submit(run_seeds, chunk))
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


def main(words: list[str]) -> int:
    """Run what was asked for, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.send.simulate", description="Runs seeds of the simulation.")
    parser.add_argument("first", type=int, nargs="?", default=0, help="the first seed")
    parser.add_argument("end", type=int, nargs="?", help="the seed after the last one")
    parser.add_argument("--seconds", type=float, help="go on for so long")
    asked = parser.parse_args(words)
    end = asked.end if asked.end is not None or asked.seconds is not None else asked.first + 1
    total = Session()
    for session in run_many(chunks_of(asked.first, end, asked.seconds)):
        for failure in session.failures:
            print(failure, flush=True)  # noqa: T201 - a command line prints
        total.add(session)
    print(total)  # noqa: T201
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
