"""Arguments that several commands have, and how findings are printed."""

import argparse
import json
import sys
from collections.abc import Iterable

from processor.errors import Fault


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `-c/--config`."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="configuration file; repeat it to lay one over the other "
        "(default: $CLICKSTREAM_CONFIG, else ./clickstream.yaml)",
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add `--format`."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json prints one JSON object per line, for scripts"
    )


def print_json(value: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(value, ensure_ascii=False))


def print_findings(faults: Iterable[Fault], form: str) -> None:
    """Print faults: as JSON lines to stdout, in words to stderr."""
    for fault in faults:
        if form == "json":
            print_json(fault.as_json())
        else:
            print(fault, file=sys.stderr)


def positive(text: str) -> int:
    """Read a number that makes sense from 1 on.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if text.isascii() and text.isdigit() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a number above 0")


def count(number: int, what: str) -> str:
    """Say how many there are: `1 case`, `2 cases`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
