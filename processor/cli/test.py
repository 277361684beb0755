"""`clickstream test`: cases beside a mapping."""

import argparse
import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from processor.app import schema_store
from processor.cases.model import read_cases
from processor.cases.rehearsal import Decoded, PinnedClock, Rehearsal, Verdict
from processor.cli.options import add_config, add_format, print_json
from processor.decode.decoder import AwaitSchema, Decoder, undecodable
from processor.decode.local import LocalTypes
from processor.logs import configure
from processor.plan import Plan, Ready, load_plans
from processor.records import Record
from processor.settings.load import config_paths

PATIENCE = 30.0
"""Seconds that a case with a message waits for the registry."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "test",
        help="try cases: an event in, requests out",
        description="Runs cases through the routes and compares the requests that come out; sends nothing. Ends with 1 "
        "where a case failed, with 2 where a file is wrong.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file of cases, or a folder of such files")
    add_config(parser)
    add_format(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Run all cases.

    Raises:
        ConfigError: the configuration or a file of cases is wrong.
    """
    configure(logging.ERROR)  # to stderr: why a case waits for the registry
    clock = PinnedClock()
    cases = read_cases([Path(path) for path in options.paths])
    ready = load_plans(config_paths(options.config, os.environ), os.environ, clock, offline=True, singly=True)
    rehearsal = Rehearsal(ready, clock, _decoding(ready, clock))
    verdicts = [rehearsal.judge(case) for case in cases]
    for verdict in verdicts:
        _print(verdict, options.format)
    failed = sum(bool(verdict.wrong) for verdict in verdicts)
    if options.format == "text":
        print(f"{len(verdicts)} cases, {failed} failed" if failed else f"{len(verdicts)} cases, all as expected")
    return 1 if failed else 0


def _print(verdict: Verdict, form: str) -> None:
    case = verdict.case
    if form == "json":
        plain = {"name": case.name, "file": case.file, "line": case.line}
        print_json(plain | {"passed": not verdict.wrong, "wrong": verdict.wrong})
    elif verdict.wrong:
        print(f"FAILED {case.file}:{case.line} {case.name}\n{verdict.wrong}\n")


def _decoding(ready: Ready, clock: PinnedClock) -> Callable[[Record, Plan], Decoded]:
    """What decodes messages as the service does; the registry is asked only where a case has one."""
    formats = {topic: each.raw for topic, each in ready.settings.formats.items()}
    local = LocalTypes(ready.schemas, formats)
    store = schema_store(ready, clock)
    decoder = Decoder(store, local, lambda _topic, _event: True)

    def decode(record: Record, _plan: Plan) -> Decoded:
        decoded = decoder.decode(record)
        if isinstance(decoded, AwaitSchema):
            try:
                asyncio.run(asyncio.wait_for(store.fetch(decoded.schema_id), PATIENCE))
            except TimeoutError:
                reason = store.troubles.get(decoded.schema_id, "it does not answer")
                return undecodable(f"schema id {decoded.schema_id}: the registry: {reason}")
            decoded = decoder.decode(record)
        return undecodable("its schema did not come") if isinstance(decoded, AwaitSchema) else decoded

    return decode
