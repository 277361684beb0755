"""`clickstream dlq`: dead letters, read and judged. One file per subcommand; here they are put together."""

from typing import TYPE_CHECKING

from processor.cli import dlq_discard, dlq_export, dlq_list, dlq_show, dlq_stats, replay

if TYPE_CHECKING:
    import argparse

SUBCOMMANDS = (dlq_list, dlq_show, dlq_stats, dlq_discard, dlq_export, replay)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its subcommands."""
    parser = commands.add_parser(
        "dlq", help="read and judge dead letters", description="Reads and judges dead letters; delivers nothing."
    )
    subcommands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for subcommand in SUBCOMMANDS:
        subcommand.add_to(subcommands)
