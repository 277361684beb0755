"""`clickstream run`: the service."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

import uvloop

from processor.app import build_service
from processor.cli.options import add_config
from processor.clock import SystemClock
from processor.errors import ConfigError, Fault
from processor.logs import configure
from processor.plan import Plan, load_plans
from processor.service import Service
from processor.settings.load import config_paths

HIGHEST_PORT = 65_535

GC_THRESHOLD = 50_000
"""Objects before the collector looks. Records and deliveries make no cycles; looking at them often costs 6-12 %."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("run", help="run the service", description="Runs the service until SIGTERM.")
    add_config(parser)
    parser.add_argument(
        "--destination",
        action="append",
        default=[],
        metavar="NAME",
        help="run only this destination's pipeline; repeat it for more (default: all of the file)",
    )
    parser.add_argument("--ops-port", type=_port, metavar="N", help="port for /live /ready /metrics /status")
    parser.set_defaults(execute=execute)


def _port(text: str) -> int:
    """A port; 0 takes any free one."""
    if text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port (0 to {HIGHEST_PORT})")


def execute(options: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT.

    Raises:
        ConfigError: the configuration cannot be run.
        FatalError: the service could not go on.
    """
    ready = load_plans(config_paths(options.config, os.environ), os.environ)
    for warning in ready.warnings:
        print(warning, file=sys.stderr)
    settings = ready.settings
    if options.ops_port is not None:
        settings = settings.model_copy(update={"ops": settings.ops.model_copy(update={"port": options.ops_port})})
    configure()
    ready = replace(ready, settings=settings)
    service = build_service(ready, _chosen(ready.plans, options.destination), SystemClock())
    uvloop.run(_serve(service))
    return 0


def _chosen(plans: Sequence[Plan], names: Sequence[str]) -> list[Plan]:
    known = {plan.name: plan for plan in plans}
    unknown = [name for name in names if name not in known]
    if unknown:
        fix = f"the file has routes for: {', '.join(known) or 'none'}"
        raise ConfigError([Fault(("--destination",), f"no pipeline named {name}", fix) for name in unknown])
    return [plan for plan in plans if not names or plan.name in names]


async def _serve(service: Service) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    await service.run(stop)
