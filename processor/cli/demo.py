"""`clickstream demo`: everything in one process; no broker, no account."""

import argparse
import asyncio
import contextlib
import logging
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvloop

from processor.cli.options import add_format, positive
from processor.cli.signals import KILLED, leave
from processor.demo.desk import Desk
from processor.demo.facts import Fact
from processor.demo.opening import running_demo
from processor.demo.options import VENDORS, DemoOptions
from processor.demo.run import Demo
from processor.demo.screen import LogAbove, Screen
from processor.demo.script import play
from processor.demo.terminal import Keys, can_draw, has_colour
from processor.demo.troubles import private_folder
from processor.demo.views import JsonLines, Lines, View
from processor.logs import configure

MOST_POISON = 0.2
"""Of all clicks. Where most events fail the service holds, for that is a bad file and not bad events."""
AT = {"voyado": VENDORS[:1], "rocket": VENDORS[1:], "both": VENDORS}


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        help="everything in one process, no broker and no account needed",
        description="Runs the service with an embedded Kafka, stub vendors that enforce the vendors' rules, and a shop "
        "that clicks. On a terminal keys make trouble; the options do the same by themselves, one after another. Ends "
        "with an account per destination; exit code 0 when it balances.",
    )
    parser.add_argument("--events", type=positive, metavar="N", help="stop after so many clicks")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="stop clicking after so many seconds")
    parser.add_argument("--outage", type=_seconds, default=0.0, metavar="S", help="for so long a vendor answers 503")
    parser.add_argument(
        "--revoke",
        type=_seconds,
        default=0.0,
        metavar="S",
        help="a key is revoked; its file is replaced S seconds later",
    )
    parser.add_argument(
        "--poison", type=_share, default=0.0, metavar="SHARE", help="of the clicks that nobody takes, such as 1%%"
    )
    parser.add_argument("--restart", action="store_true", help="the service is stopped and started again")
    parser.add_argument("--at", choices=AT, default="rocket", help="who has the outage and the key (default: rocket)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="where /status listens (default: 127.0.0.1; in a container 0.0.0.0)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same clicks (default: 1)")
    add_format(parser)
    parser.set_defaults(execute=lambda given: execute(given, parser.error))


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0 seconds")
    return number


def _share(text: str) -> float:
    percent = text.endswith("%")
    share = float(text.removesuffix("%")) / (100 if percent else 1)
    if not 0 <= share <= MOST_POISON:
        words = (
            f"must be from 0% to {MOST_POISON:.0%}: where most events fail the service holds, and nothing is settled"
        )
        raise argparse.ArgumentTypeError(words)
    return share


def execute(given: argparse.Namespace, refuse: Callable[[str], NoReturn]) -> int:
    """Run the demo.

    Args:
        given: what the command line says.
        refuse: ends the process with a message about it.

    Raises:
        FatalError: the service failed, or could not end in order.
    """
    options = DemoOptions(
        events=given.events,
        seconds=given.seconds,
        seed=given.seed,
        outage=given.outage,
        revoke=given.revoke,
        poison=given.poison,
        restart=given.restart,
        at=AT[given.at],
        host=given.host,
    )
    if options.troubled and options.seconds is not None and options.seconds < options.length:
        refuse(f"--seconds: these troubles take some {options.length:.0f} seconds")
    return uvloop.run(_run(options, as_json=given.format == "json"))


async def _run(options: DemoOptions, *, as_json: bool) -> int:
    stop = asyncio.Event()
    desk = Desk(stop.set, options.at, options.poison)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(private_folder())
        keys = stack.enter_context(Keys(desk.press))
        stack.enter_context(_ended_by_signals(stop, keys, Path(folder)))
        view = _view(desk, keys, stack, as_json=as_json)
        configure(logging.ERROR)  # what happens is told in words
        view.fact(Fact("starting", "starting Kafka, the vendors and the service; its groups take some seconds to form"))
        async with running_demo(options, Path(folder), view.fact) as demo:
            view.begin(demo)
            desk.open(demo)
            showing = asyncio.create_task(_show(view, demo))
            showing.add_done_callback(lambda _: stop.set())  # nobody reads it any more
            try:
                account = await demo.run(stop, play(demo, options))
            finally:
                showing.cancel()
                await asyncio.gather(showing, return_exceptions=True)
        view.end(account)
    return 0 if account.balanced else 1


def _view(desk: Desk, keys: Keys, stack: contextlib.ExitStack, *, as_json: bool) -> View:
    if as_json:
        return JsonLines()
    if not can_draw():
        return Lines()
    screen = Screen(colour=has_colour(), targets=lambda: desk.targets, keys=keys.active)
    if sys.stderr.isatty():
        stack.enter_context(contextlib.redirect_stderr(LogAbove(screen, asyncio.get_running_loop())))
    return screen


async def _show(view: View, demo: Demo) -> None:
    while not demo.closed:
        view.show(demo, demo.conditions())
        await asyncio.sleep(view.refresh)


@contextlib.contextmanager
def _ended_by_signals(stop: asyncio.Event, keys: Keys, folder: Path) -> Iterator[None]:
    """The first signal ends the demo in order, with its account; another one, or one behind `q`, at once.

    Args:
        stop: set by the first one.
        keys: sets the terminal as it was, also at once.
        folder: does not stay.
    """
    loop = asyncio.get_running_loop()
    told = False

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal told
        if told or stop.is_set() or number == signal.SIGQUIT:
            keys.restore()
            shutil.rmtree(folder, ignore_errors=True)
            leave(KILLED + number, f"ended at once by {signal.Signals(number).name}, without an account")
        told = True
        loop.call_soon_threadsafe(stop.set)

    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
