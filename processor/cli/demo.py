"""`clickstream demo`: everything in one process; no broker, no account."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Any

import uvloop

from processor.demo.run import Demo, DemoOptions, load_canonical, running_demo
from processor.logs import configure

REFRESH = 1.0
"""Seconds between two summaries."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        help="everything in one process, no broker and no account needed",
        description="Runs the service with an embedded Kafka, stub vendors that enforce the vendors' rules, and a shop "
        "that clicks. Ends with an account per destination; exit code 0 when it balances.",
    )
    parser.add_argument("--events", type=_positive, metavar="N", help="stop after so many clicks")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop clicking after so many seconds")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same clicks (default: 1)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json prints JSON lines")
    parser.set_defaults(execute=execute)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def execute(options: argparse.Namespace) -> int:
    """Run the demo.

    Raises:
        FatalError: the events do not settle, or a port cannot be had.
    """
    configure(logging.WARNING)
    return uvloop.run(
        _run(DemoOptions(options.events, options.seconds, options.seed), as_json=options.format == "json")
    )


async def _run(options: DemoOptions, *, as_json: bool) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_demo(load_canonical) as (demo, encoder):
        with _quit_key(stop) as key:
            if not as_json:
                print(_addresses(demo, key=key), flush=True)
            summary = asyncio.create_task(_summarize(demo, as_json=as_json))
            try:
                await demo.click(options, encoder, stop)
            finally:
                summary.cancel()
        account = demo.account()
    print(json.dumps(account) if as_json else _account_text(account, demo.produced), flush=True)
    return 0 if account["balanced"] else 1


def _addresses(demo: Demo, *, key: bool) -> str:
    parts = [
        f"Kafka (embedded) {demo.kafka.bootstrap}",
        f"Voyado stub {demo.vendors.voyado_url}",
        f"Retail Rocket stub {demo.vendors.rocket_url}",
        f"status http://127.0.0.1:{demo.service.port}/status",
    ]
    return "   ".join([*parts, *(["keys: [q]uit"] if key else [])])


async def _summarize(demo: Demo, *, as_json: bool) -> None:
    before = demo.accounts()
    while True:
        await asyncio.sleep(REFRESH)
        now = demo.accounts()
        rates = {name: (now[name].delivered - before[name].delivered) / REFRESH for name in now}
        before = now
        if as_json:
            progress = {n: {"delivered": a.delivered, "dead_lettered": a.dead_lettered} for n, a in now.items()}
            print(json.dumps({"type": "progress", "produced": demo.produced, "destinations": progress}), flush=True)
        else:
            print("  | ".join(_progress(n, rates[n], a.dead_lettered, demo.produced - a.read) for n, a in now.items()))


def _progress(name: str, rate: float, dead_lettered: int, lag: int) -> str:
    return f"  {name:8} {_grouped(round(rate)):>7}/s delivered   {dead_lettered} dlq   lag {_grouped(lag)}"


def _account_text(account: dict[str, Any], produced: int) -> str:
    columns = ("read", "filtered", "deliveries", "delivered", "dead_lettered", "open")
    lines = [f"{'':10}" + "".join(f"{column.replace('_', ' '):>15}" for column in columns)]
    for name, books in account["destinations"].items():
        lines.append(f"{name:10}" + "".join(f"{_grouped(books[column]):>15}" for column in columns))
    verdict = (
        "all accounted for, order kept at both vendors, 0 lost, 0 twice"
        if account["balanced"]
        else "THE ACCOUNT DOES NOT BALANCE"
    )
    return "\n".join([*lines, f"checked: {_grouped(produced)} clicks in, {verdict}"])


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


@contextlib.contextmanager
def _quit_key(stop: asyncio.Event) -> Iterator[bool]:
    """Let `q` end the demo where a person can type it; False where nobody can."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield False
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def read_key() -> None:
        if sys.stdin.read(1) in ("q", "Q"):
            stop.set()

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read_key)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
