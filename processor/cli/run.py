"""`clickstream run`: the service."""

import argparse
import asyncio
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace

import uvloop

from processor.app import build_service
from processor.cli.options import add_config
from processor.cli.signals import Signals, leave
from processor.clock import SystemClock
from processor.errors import ConfigError, FatalError, Fault
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
    """Run until SIGTERM or SIGINT; once the service has run, the process ends here.

    Raises:
        ConfigError: the configuration cannot be run.
    """
    with Signals() as signals:
        ready = load_plans(config_paths(options.config, os.environ), os.environ)
        for warning in ready.warnings:
            print(warning, file=sys.stderr)
        settings = ready.settings
        if options.ops_port is not None:
            settings = settings.model_copy(update={"ops": settings.ops.model_copy(update={"port": options.ops_port})})
        configure()
        service = build_service(
            replace(ready, settings=settings), _chosen(ready.plans, options.destination), SystemClock()
        )
        # Never closed, and the process not ended as others are: both would wait for threads that may wait for a
        # registry or a broker that does not answer. All that counts was ended by the service.
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        try:
            runner.run(_serve(service, signals))
        except FatalError as error:
            leave(1, str(error))
        except BaseException:  # noqa: BLE001 - a defect, or a hook's SystemExit
            leave(1, f"ended by a defect of the service: {traceback.format_exc()}")
        leave(0)


def _chosen(plans: Sequence[Plan], names: Sequence[str]) -> list[Plan]:
    known = {plan.name: plan for plan in plans}
    unknown = [name for name in names if name not in known]
    if unknown:
        fix = f"the file has routes for: {', '.join(known) or 'none'}"
        raise ConfigError([Fault(("--destination",), f"no pipeline named {name}", fix) for name in unknown])
    return [plan for plan in plans if not names or plan.name in names]


async def _serve(service: Service, signals: Signals) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    signals.running(lambda: loop.call_soon_threadsafe(stop.set), service.shutdown_timeout, service.unsettled)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    await service.run(stop)
