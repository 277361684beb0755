"""The command line: `clickstream`. One file per command; here they are put together.

Exit codes: 0 all right, 1 it ended badly, 2 bad configuration or arguments, 130 interrupted by its user.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from processor import __version__
from processor.errors import ConfigError, FatalError, Level

INTERRUPTED = 130
"""As shells have it: 128 and the number of SIGINT."""
COMMANDS = ("run", "check", "test", "dlq", "replay", "explain", "functions", "schema", "demo")
"""Modules of this package, in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a user's mistake never shows a traceback."""
    parser = argparse.ArgumentParser(
        prog="clickstream",
        description="Sends Avro click events from Kafka topics to Voyado Engage and Retail Rocket.",
    )
    parser.add_argument("--version", action="version", version=f"clickstream {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    given = sys.argv[1:] if arguments is None else list(arguments)
    # The one that is meant is imported alone: all of them cost several times the processor's time of a small one.
    named = given[:1] if given and given[0] in COMMANDS else COMMANDS
    for name in named:
        import_module(f"processor.cli.{name}").add_to(commands)
    options, unknown = parser.parse_known_args(given, argparse.Namespace(arguments=given))
    if unknown:
        parser.error(_not_known(given, unknown))
    try:
        code: int = options.execute(options)
        sys.stdout.flush()
    except ConfigError as error:
        print(error, file=sys.stderr)
        count = sum(fault.level is Level.ERROR for fault in error.faults)
        print(f"\n{count} {'error' if count == 1 else 'errors'}; nothing was started", file=sys.stderr)
        return 2
    except FatalError as error:
        print(f"clickstream: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("clickstream: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
        print("clickstream: nobody reads the output any more", file=sys.stderr)
        return 1
    return code


def _not_known(given: Sequence[str], unknown: Sequence[str]) -> str:
    """The arguments that a command does not have, and where those that it has are told."""
    words = [word for word in given if not word.startswith("-")]
    command = " ".join(words[: 2 if words[0] == "dlq" else 1])
    return f"unrecognized arguments: {' '.join(unknown)}; `clickstream {command} --help` shows what it takes"
