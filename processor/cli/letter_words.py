"""One letter as people read it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from processor.cli.columns import NONE, printable

WIDTH = 13
"""Of the first column."""


def in_words(shown: Mapping[str, Any], topic: str) -> Iterator[str]:
    """The lines of a letter.

    Args:
        shown: as `show --format json` has it.
        topic: the dead-letter topic.
    """
    yield _line("letter", f"{shown['letter']} of {topic}, written {shown['written'] or NONE}")
    yield _line("state", "; ".join([shown["state"], *(f"run {run['run']}: {run['outcome']}" for run in shown["runs"])]))
    yield _line("delivery", f"{shown['id']} ({shown['destination']})")
    yield _line("record", f"{shown['topic']}[{shown['partition']}]@{shown['offset']}, {shown['time'] or 'no time'}")
    yield _line("key", NONE if shown["key"] is None else shown["key"])
    yield from _headers(shown["headers"])
    status = "" if shown["status"] is None else f", HTTP {shown['status']}"
    yield _line("failed", f"{shown['stage']}, {shown['class']}{status}: {shown['message']}")
    if shown["response"] is not None:
        yield _line("reply", shown["response"])
    if shown["attempts"]:
        yield _line("attempts", f"{shown['attempts']}, {shown['first_attempt']} to {shown['last_attempt']}")
    yield _line("replays", str(shown["replays"]))
    versions = f"configuration {shown['config_version']}, service {shown['service_version']}"
    yield _line("written by", f"{versions}; the configuration is {shown['config_now']} now")
    yield ""
    yield from _event(shown)
    for fate in shown["now"]:
        yield ""
        yield from _fate(fate)


def _line(name: str, text: str) -> str:
    return f"{name:{WIDTH}}{printable(text)}"


def _headers(headers: Mapping[str, str | None]) -> Iterator[str]:
    for number, (name, text) in enumerate(headers.items()):
        yield _line("" if number else "headers", f"{name}: {NONE if text is None else text}")


def _event(shown: Mapping[str, Any]) -> Iterator[str]:
    if shown["event"] is None:
        yield _line("event", f"not decoded: {shown['undecoded']}")
        return
    schema = "" if shown["schema_id"] is None else f" (schema {shown['schema_id']})"
    yield _line("event", f"{shown['event']['name']}{schema}")
    yield from _json(shown["event"]["value"])


def _fate(fate: Mapping[str, Any]) -> Iterator[str]:
    item = f", item {fate['index']}" if fate["index"] else ""  # 0 is also that of a route without items
    route = f"{fate['route'] or 'all routes'}{item}"
    if request := fate.get("request"):
        yield _line("request now", f"{route}: {request['method']} {request['path']}")
        yield from _json(request["body"])
    elif filtered := fate.get("filtered"):
        yield _line("request now", f"{route}: none, it is filtered ({filtered})")
    else:
        yield _line("request now", f"{route}: none: {fate['error']}")


def _json(value: Any) -> Iterator[str]:
    for line in json.dumps(value, indent=2, ensure_ascii=False).splitlines():
        yield f"  {line}"
