"""`clickstream dlq list`: a line for each letter."""

import argparse
import heapq
from typing import Any

from processor.cli.columns import NONE, columns, cut, grouped
from processor.cli.letters import add_common, open_letters, tell, tell_passed_over
from processor.cli.options import positive, print_json
from processor.cli.selecting import add_selectors, selectors_of
from processor.replay.facts import facts
from processor.replay.history import History, State
from processor.replay.letter import DeadLetter

LIMIT = 100
MESSAGE = 80
"""Characters of a message that people see in a line."""
HEAD = ("letter", "written", "route", "stage", "class", "status", "replays", "state", "message")
NUMBERS = (5, 6)

Row = tuple[int, int, int, dict[str, Any]]
"""When it was written, partition and offset, and what is shown."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "list",
        help="a line for each letter, newest last",
        description="Lists letters, newest last; `show` takes the first column.",
    )
    add_common(parser)
    parser.add_argument(
        "--limit", type=positive, default=LIMIT, metavar="N", help=f"the newest so many letters (default: {LIMIT})"
    )
    parser.add_argument("--state", choices=[state.value for state in State], help="only letters in this state")
    add_selectors(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print the letters.

    Raises:
        ConfigError: the file or an argument is wrong.
        FatalError: the topic is missing, or Kafka does not answer.
    """
    with open_letters(options) as letters:
        walk = letters.walk(selectors_of(options))
        bounds, history = letters.look()
        newest = Newest(options.limit, history, options.state)
        for letter in letters.pick(walk, bounds):
            newest.add(letter)
    rows = newest.rows()
    if options.format == "json":
        for row in rows:
            print_json(row)
    elif rows:
        print("\n".join(columns([HEAD, *map(_cells, rows)], NUMBERS)))
    tell_passed_over(walk)
    if newest.older:
        tell(f"older letters, not shown: {grouped(newest.older)}; `--limit` shows more")
    elif not rows:
        tell(f"no such letter in {letters.access.topic}")
    return 0


class Newest:
    """Keeps the newest letters, and counts the others.

    Attributes:
        older: how many others there were.
    """

    def __init__(self, limit: int, history: History, state: str | None) -> None:
        self.older = 0
        self._limit = limit
        self._history = history
        self._state = state
        self._heap: list[Row] = []

    def add(self, letter: DeadLetter) -> None:
        """Take a letter."""
        state = self._history.state_of(letter.partition, letter.offset)
        if self._state not in {None, state.value}:
            return
        place = letter.written, letter.partition, letter.offset
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, (*place, as_json(letter, state)))
            return
        self.older += 1
        if place > self._heap[0][:3]:
            heapq.heapreplace(self._heap, (*place, as_json(letter, state)))

    def rows(self) -> list[dict[str, Any]]:
        """What is shown, newest last."""
        return [row for *_, row in sorted(self._heap, key=lambda row: row[:3])]


def as_json(letter: DeadLetter, state: State) -> dict[str, Any]:
    """A letter as scripts read it; the vendor's reply may quote what it was sent, and is left to `show`."""
    shown = {name: value for name, value in facts(letter).items() if name != "response"}
    return {**shown, "state": state.value}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    status, written = row["status"], row["written"]
    return (
        row["letter"],
        NONE if written is None else written,
        row["route"] or NONE,
        row["stage"],
        row["class"],
        NONE if status is None else str(status),
        str(row["replays"]),
        row["state"],
        cut(row["message"], MESSAGE),
    )
