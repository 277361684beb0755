"""`clickstream schema`: the configuration file's JSON schema, for editors."""

import argparse
import json

from processor.destinations import VENDORS
from processor.settings.schema import json_schema


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "schema",
        help="the file's JSON schema",
        description="Prints the JSON schema of the configuration file. With it in schema.json beside your file, "
        "`# yaml-language-server: $schema=schema.json` as the file's first line gives completion in editors.",
    )
    parser.set_defaults(execute=execute)


def execute(_options: argparse.Namespace) -> int:
    """Print it."""
    print(json.dumps(json_schema({name: vendor.settings for name, vendor in VENDORS.items()}), indent=2))
    return 0
