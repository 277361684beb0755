"""`clickstream explain`: what a vendor's method takes, and what a wrong value leads to."""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from processor.cli.options import add_format, print_json
from processor.destinations import VENDORS
from processor.destinations.vendor import Method
from processor.fields import Field
from processor.settings.wording import nearest

WIDTH = 100
ONCE = "It reaches a shopper, so it is sent once: where nobody knows whether it was done, it is dead-lettered."


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "explain",
        help="what a method takes",
        description="Shows a method's fields, their types and rules, and what a wrong value leads to.",
    )
    parser.add_argument("method", nargs="?", metavar="METHOD", help="like voyado.cart; without it, all are listed")
    add_format(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print one method, or the list of all."""
    methods = {
        f"{vendor.name}.{method.name}": method for vendor in VENDORS.values() for method in vendor.methods.values()
    }
    if options.method is None:
        _list(methods, options.format)
        return 0
    found = methods.get(options.method)
    if found is None:
        near = nearest(options.method, methods)
        hint = f"did you mean {near}?" if near else "`clickstream explain` lists them"
        print(f"clickstream: there is no method {options.method}; {hint}", file=sys.stderr)
        return 2
    if options.format == "json":
        print_json(as_json(options.method, found))
    else:
        print("\n".join(in_words(options.method, found)))
    return 0


def _list(methods: Mapping[str, Method], form: str) -> None:
    width = max(map(len, methods))
    for name, method in methods.items():
        if form == "json":
            print_json({"method": name, "summary": method.summary})
        else:
            print(f"{name:{width}}  {method.summary}")


def as_json(name: str, method: Method) -> dict[str, Any]:
    """A method as scripts read it."""
    return {
        "method": name,
        "summary": method.summary,
        "path": method.path,
        "batch_path": method.batch.path if method.batch else None,
        "order_key": method.order_key,
        "time": method.time,
        "once": method.once,
        "fields": {field: _field_as_json(each) for field, each in method.fields.items()},
    }


def _field_as_json(field: Field) -> dict[str, Any]:
    plain = {"type": field.type, "required": field.required, "rule": field.rule, "source": field.source}
    inner = {name: _field_as_json(each) for name, each in field.fields.items()}
    return plain | ({"fields": inner} if inner else {})


def in_words(name: str, method: Method) -> Iterator[str]:
    """A method as people read it."""
    yield f"{name}   POST {method.path}" + (f"   in batches {method.batch.path}" if method.batch else "")
    yield from textwrap.wrap(method.summary, WIDTH)
    if method.order_key:
        yield f"In order per {method.order_key}, unless `order_key` says otherwise."
    if method.once:
        yield from textwrap.wrap(ONCE, WIDTH)
    yield ""
    yield from _fields(method.fields, 0)


def _fields(fields: Mapping[str, Field], indent: int) -> Iterator[str]:
    width = max(map(len, fields))
    for name, field in fields.items():
        need = "required" if field.required else "optional"
        yield f"{' ' * indent}{name:{width}}  {need}  {field.type}"
        margin = " " * (indent + width + 12)
        words = " ".join(filter(None, (field.rule, f"[{field.source}]" if field.source else "")))
        yield from textwrap.wrap(words, WIDTH, initial_indent=margin, subsequent_indent=margin)
        if field.fields:
            yield from _fields(field.fields, indent + 4)
