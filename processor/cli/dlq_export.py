"""`clickstream dlq export`: letters in a file, all bytes intact."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from processor.cli.columns import grouped
from processor.cli.letters import add_common, open_letters, tell_passed_over
from processor.cli.options import count, print_json
from processor.cli.selecting import add_selectors, selectors_of
from processor.records import Record
from processor.replay.export import write_export
from processor.replay.history import History, State
from processor.replay.letter import DeadLetter
from processor.replay.walk import Walk


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "export",
        help="letters in a file, all bytes intact",
        description="Writes letters to an Avro object container file, which any Avro tool reads. It holds what "
        "the events hold, personal data included: only its owner may read it. Nothing is changed in Kafka. "
        "`replay --from-file` replays what is in it, also after Kafka has deleted that.",
    )
    add_common(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    parser.add_argument("--force", action="store_true", help="replace the file where it is there already")
    parser.add_argument("--state", choices=[state.value for state in State], help="only letters in this state")
    add_selectors(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Write the file.

    Raises:
        ConfigError: the configuration or an argument is wrong.
        FatalError: the topic is missing, Kafka does not answer, or the file cannot be written.
    """
    with open_letters(options) as letters:
        walk = letters.walk(selectors_of(options))
        bounds, history = letters.look()
        picked = Picked(letters.pick(walk, bounds), history, options.state)
        written = write_export(options.file, picked, letters.access.audit.topic_id, force=options.force)
    if options.format == "json":
        print_json(_as_json(options.file, walk, picked, written))
    else:
        states = ", ".join(f"{grouped(number)} {state.value}" for state, number in picked.states.items())
        print(f"{count(written, 'letter')} in {options.file}" + (f": {states}" if states else ""))
    tell_passed_over(walk)
    return 0


class Picked:
    """The letters that are exported, counted by state as they go by.

    Attributes:
        states: of those that are exported.
    """

    def __init__(self, letters: Iterator[DeadLetter], history: History, state: str | None) -> None:
        self.states: Counter[State] = Counter()
        self._letters = letters
        self._history = history
        self._state = state

    def __iter__(self) -> Iterator[Record]:
        for letter in self._letters:
            state = self._history.state_of(letter.partition, letter.offset)
            if self._state in {None, state.value}:
                self.states[state] += 1
                yield letter.record


def _as_json(file: Path, walk: Walk, picked: Picked, written: int) -> dict[str, Any]:
    letters = walk.letters + walk.elsewhere.total()
    counts = {
        "read": letters + walk.strangers.total() + walk.tombstones,
        "not_a_letter": walk.strangers.total(),
        "tombstone": walk.tombstones,
        "not_selected": letters - picked.states.total(),
        "exported": written,
    }
    balanced = written == picked.states.total()
    states = {state.value: picked.states[state] for state in State}
    return {"type": "account", "balanced": balanced, "letters": counts, "states": states, "file": str(file)}
