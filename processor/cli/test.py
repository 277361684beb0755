"""`clickstream test`: cases beside a mapping."""

import argparse
import asyncio
import logging
import os
from contextlib import closing
from pathlib import Path

from processor.app import local_types, schema_store
from processor.cases.model import read_cases
from processor.cases.rehearsal import Decoded, PinnedClock, Rehearsal, Verdict
from processor.cli.options import add_config, add_format, count, print_json
from processor.decode.decoder import AwaitSchema, Decoder, undecodable
from processor.decode.schemas import SchemaStore
from processor.logs import configure
from processor.plan import Plan, Ready, load_plans
from processor.records import Record, SchemaId
from processor.settings.load import config_paths

PATIENCE = 30.0
"""Seconds that all cases with messages together wait for a registry that is away."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "test",
        help="try cases: an event in, requests out",
        description="Runs cases through the routes and compares the requests that come out; sends nothing. Ends with 1 "
        "where a case failed, with 2 where a file is wrong.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file of cases, or a folder with such files")
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
    with closing(schema_store(ready, clock)) as schemas:
        rehearsal = Rehearsal(ready, clock, Messages(ready, schemas).decode)
        verdicts = [rehearsal.judge(case) for case in cases]
    for verdict in verdicts:
        _print(verdict, options.format)
    failed = sum(bool(verdict.wrong) for verdict in verdicts)
    if options.format == "text":
        print(f"{count(len(verdicts), 'case')}, {f'{failed} failed' if failed else 'all as expected'}")
    return 1 if failed else 0


def _print(verdict: Verdict, form: str) -> None:
    case = verdict.case
    if form == "json":
        plain = {"name": case.name, "file": case.file, "line": case.line}
        print_json(plain | {"passed": not verdict.wrong, "wrong": verdict.wrong})
    elif verdict.wrong:
        print(f"FAILED {case.file}:{case.line} {case.name}\n{verdict.wrong}\n")


class Messages:
    """Decodes messages as the service does; the registry is asked only where a case has one that needs it."""

    def __init__(self, ready: Ready, schemas: SchemaStore) -> None:
        self._store = schemas
        self._decoder = Decoder(self._store, local_types(ready), lambda _topic, _event: True)
        self._away: str | None = None

    def decode(self, record: Record, _plan: Plan) -> Decoded:
        """Decode one message; what has no schema yet waits for the registry, unless it was waited for already."""
        decoded = self._decoder.decode(record)
        if isinstance(decoded, AwaitSchema):
            self._fetch(decoded.schema_id)
            decoded = self._decoder.decode(record)
        if isinstance(decoded, AwaitSchema):
            return undecodable(f"schema id {decoded.schema_id}: the registry: {self._away}")
        return decoded

    def _fetch(self, schema_id: SchemaId) -> None:
        if self._away is not None:
            return
        try:
            asyncio.run(asyncio.wait_for(self._store.fetch(schema_id), PATIENCE))
        except TimeoutError:
            silent = "it does not answer; look at registry.url, and at the registry"
            self._away = self._store.troubles.get(schema_id, silent)
