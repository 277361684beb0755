"""`clickstream functions`: the functions that expressions have."""

import argparse

from processor.cli.options import add_format, print_json
from processor.expressions.reference import functions


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "functions",
        help="the functions of expressions",
        description="Lists every function that an expression may call.",
    )
    add_format(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print them all."""
    every = sorted(functions(), key=lambda each: each.name)
    width = max(len(each.signature) for each in every)
    for each in every:
        example, gives = each.example
        if options.format == "json":
            plain = {"name": each.name, "signature": each.signature, "result": each.result, "meaning": each.meaning}
            print_json(plain | {"example": example, "gives": gives})
        else:
            shown = f"   {example} → {gives}" if example else ""
            print(f"{each.signature:{width}}  {each.meaning}{shown}")
    return 0
