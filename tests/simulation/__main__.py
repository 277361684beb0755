"""Runs seeds of the whole-path simulation by hand.

    python -m tests.simulation 17                  one seed, again exactly as it was, with what the service said
    python -m tests.simulation 0 2000              from a seed up to, but not including, another
    python -m tests.simulation 0 --seconds 3600    new seeds for so long
    python -m tests.simulation 17 --theme frozen   the same of one theme

Ends with 1 where a seed convicted the service.
"""

import argparse
import os
import sys

from tests.simulation.session import Session, chunks_of, run_many, tell

HASH_SEED = "0"
"""Sets of texts are gone through in the order of their hashes, which Python else draws anew for each process."""


def main(words: list[str]) -> int:
    """Run what was asked for, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Runs seeds of the simulation.")
    parser.add_argument("first", type=int, nargs="?", default=0, help="the first seed")
    parser.add_argument("end", type=int, nargs="?", help="the seed after the last one")
    parser.add_argument("--seconds", type=float, help="go on for so long")
    parser.add_argument("--theme", help="worlds of this theme only")
    asked = parser.parse_args(words)
    if asked.end is None and asked.seconds is None:
        return tell(asked.first, asked.theme)
    total = Session()
    for session in run_many(chunks_of(asked.first, asked.end, asked.seconds), asked.theme):
        for failure in session.failures:
            print(failure, flush=True)  # noqa: T201 - a command line prints
        total.add(session)
    print(total)  # noqa: T201
    return 1 if total.failures else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])  # noqa: S606 - itself
    sys.exit(main(sys.argv[1:]))
