"""Many seeds of a simulation, side by side, and the command line that asks for them."""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields
from itertools import count
from typing import Self, TypeVar


@dataclass(slots=True)
class Sums:
    """What many seeds came to; a simulation adds its own figures.

    Attributes:
        seconds: of CPU time.
        failures: in words, with the seed, its setup and how to run it again.
    """

    seeds: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, other: Self) -> None:
        """Sum up."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


S = TypeVar("S", bound=Sums)


def run_many(run: Callable[[range], S], chunks: Iterable[range]) -> Iterator[S]:
    """Run chunks of seeds in as many processes as there are processors."""
    processes = os.cpu_count() or 1
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = []
        for chunk in chunks:
            running.append(pool.submit(run, chunk))
            if len(running) > processes:
                yield running.pop(0).result()
        for each in running:
            yield each.result()


def chunks_of(first: int, end: int | None, seconds: float | None, size: int) -> Iterator[range]:
    """Seeds up to `end`, or as many as begin in so many seconds; `size` of them at a time."""
    until = None if seconds is None else time.monotonic() + seconds
    for start in count(first, size):
        if (end is not None and start >= end) or (until is not None and time.monotonic() > until):
            return
        yield range(start, start + size if end is None else min(start + size, end))


def command_line(program: str) -> argparse.ArgumentParser:
    """What a simulation can be asked by hand."""
    parser = argparse.ArgumentParser(prog=program, description="Runs seeds of the simulation.")
    parser.add_argument("first", type=int, nargs="?", default=0, help="the first seed")
    parser.add_argument("end", type=int, nargs="?", help="the seed after the last one")
    parser.add_argument("--seconds", type=float, help="go on for so long")
    return parser


def tell_all(total: S, sessions: Iterable[S]) -> int:
    """Sum up and print, failures as they come; 1 where there was one."""
    for session in sessions:
        for failure in session.failures:
            print(failure, flush=True)  # noqa: T201 - a command line prints
        total.add(session)
    print(total)  # noqa: T201
    return 1 if total.failures else 0
