"""`clickstream check`: whether the configuration can be run."""

import argparse
import os

from processor.cli.options import add_config, add_format, count, print_findings
from processor.errors import ConfigError, Fault, Level
from processor.plan import Ready, load_plans
from processor.settings.load import config_paths


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check",
        help="check the configuration",
        description="Shows everything that is wrong with the configuration. Ends with 2 where it found errors.",
    )
    add_config(parser)
    parser.add_argument(
        "--offline", action="store_true", required=True, help="look at the file only, connect to nothing"
    )
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    add_format(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Check, print, and give the exit code."""
    paths = config_paths(options.config, os.environ)
    try:
        ready = load_plans(paths, os.environ, offline=True)
        findings = tuple(ready.warnings)
    except ConfigError as error:
        ready, findings = None, error.faults
    print_findings(findings, options.format)
    if options.format == "text":
        print(_summary(", ".join(map(str, paths)), ready, findings))
    wrong = any(fault.level is Level.ERROR or options.strict for fault in findings)
    return 2 if wrong else 0


def _summary(files: str, ready: Ready | None, findings: tuple[Fault, ...]) -> str:
    errors = sum(fault.level is Level.ERROR for fault in findings)
    counts = f"{count(errors, 'error')}, {count(len(findings) - errors, 'warning')}"
    if ready is None:
        return f"{files}: {counts}"
    what = f"{count(len(ready.settings.routes), 'route')}, {count(len(ready.settings.destinations), 'destination')}"
    return f"{files}: {what}; {counts if findings else 'offline ok'}"
