"""Who does something that others will ask about, and why."""

import argparse
import getpass
import os
import socket


def add_who(parser: argparse.ArgumentParser, *, why: bool) -> None:
    """Add `--reason`, which must be given where `why` is true, and `--by`."""
    parser.add_argument(
        "--reason",
        type=_reason if why else str.strip,
        required=why,
        default="",
        metavar="TEXT",
        help="why; goes to the audit topic and the log",
    )
    parser.add_argument("--by", metavar="NAME", help="who does it (default: the user of this process)")


def who(options: argparse.Namespace) -> tuple[str, str]:
    """Who, and on which host."""
    return options.by or _user(), socket.gethostname()


def _reason(text: str) -> str:
    if text.strip():
        return text.strip()
    raise argparse.ArgumentTypeError("it says nothing")


def _user() -> str:
    """The user's name; in a container there may be none, only a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
