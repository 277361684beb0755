"""Runs seeds of the whole-path simulation by hand.

    python -m tests.simulation 17                  one seed, again exactly as it was, with what the service said
    python -m tests.simulation 0 2000              from a seed up to, but not including, another
    python -m tests.simulation 0 --seconds 3600    new seeds for so long
    python -m tests.simulation 17 --theme frozen   the same of one theme

Ends with 1 where a seed convicted the service.
"""

import os
import sys
from functools import partial

from tests.simulation.session import CHUNK, Session, run_seeds, tell
from tests.support.seeds import chunks_of, command_line, run_many, tell_all

HASH_SEED = "0"
"""Sets of texts are gone through in the order of their hashes, which Python else draws anew for each process."""


def main(words: list[str]) -> int:
    """Run what was asked for, and tell."""
    parser = command_line("python -m tests.simulation")
    parser.add_argument("--theme", help="worlds of this theme only")
    asked = parser.parse_args(words)
    if asked.end is None and asked.seconds is None:
        return tell(asked.first, asked.theme)
    run = partial(run_seeds, theme=asked.theme)
    return tell_all(Session(), run_many(run, chunks_of(asked.first, asked.end, asked.seconds, CHUNK)))


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])  # noqa: S606 - itself
    sys.exit(main(sys.argv[1:]))
