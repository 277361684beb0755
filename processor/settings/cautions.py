"""Warns of what can be run and is hardly meant, or what a person should know at start."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from processor.errors import Fault, FaultPath, Level
from processor.settings.avro_files import LocalSchemas
from processor.settings.cross import destination_of, reads
from processor.settings.models import DestinationSettings, RouteSettings, Settings
from processor.settings.wording import did_you_mean
from processor.settings.yaml import Node

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

PATH = re.compile(r"(?!true$|false$)[a-z_]\w*(\.\w+|\[\d*\])*|@")
"""A field, or a path, as most write them; capitals are rather a country or a name."""

AFTER_DRAIN = 8.0
"""Seconds of a stop that are for its last commit, for leaving the group and for letters, once all replies are there."""

MODES = {
    "shadow": "shadow: everything but the calls; events count as done and are not sent later",
    "paused": "paused: nothing is read, sent or committed; the backlog grows",
}
"""What a mode does that is not `live`."""


def idle_faults(settings: Settings) -> Iterator[Fault]:
    """Warn of destinations that no route leads to, once no route leads nowhere: it may be meant for one of them."""
    reached = {destination_of(target) for route in settings.routes.values() for target in route.to}
    if reached <= settings.destinations.keys():
        for name in settings.destinations.keys() - reached:
            message = "no route leads here, so nothing is delivered"
            yield Fault(("destinations", name), message, "add a route, or remove it", Level.WARNING)


def plain_http_faults(destinations: Mapping[str, DestinationSettings]) -> Iterator[Fault]:
    """Warn of keys and personal data that travel in clear beyond this machine."""
    for name, destination in destinations.items():
        url = urlsplit(destination.base_url)
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            message = "plain http: the key and personal data travel in clear"
            yield Fault(("destinations", name, "base_url"), message, "use https", Level.WARNING)


def mode_faults(destinations: Mapping[str, DestinationSettings]) -> Iterator[Fault]:
    """Warn of destinations that nothing is sent to, for somebody will wonder."""
    for name, destination in destinations.items():
        if message := MODES.get(destination.mode):
            yield Fault(("destinations", name, "mode"), message, "`mode: live` delivers", Level.WARNING)


def unconditional_faults(
    routes: Mapping[str, RouteSettings], destinations: Mapping[str, DestinationSettings]
) -> Iterator[Fault]:
    """Warn of routes that are freed of a condition which no destination of theirs has."""
    for name, route in routes.items():
        reached = [destinations.get(destination_of(target)) for target in route.to]
        if route.unconditional and all(destination and destination.when is None for destination in reached):
            message = "frees from nothing: no destination of this route has a `when`"
            fix = "remove it, or write the condition as the destination's `when`"
            yield Fault(("routes", name, "unconditional"), message, fix, Level.WARNING)


def let_faults(routes: Mapping[str, RouteSettings], schemas: LocalSchemas) -> Iterator[Fault]:
    """Warn of names that hide a field, as far as `schemas` tells the fields.

    Args:
        routes: those that are right by themselves.
        schemas: complete.
    """
    for name, route in routes.items():
        for event in route.events:
            reader = schemas.reader_of(event)
            fields = {field["name"] for field in reader.parsed["fields"]} if reader else set()
            for hiding in route.let.keys() & fields:
                message = f"hides the field `{hiding}` of {event}"
                fix = f"choose another name; `event().{hiding}` is the field"
                yield Fault(("routes", name, "let", hiding), message, fix, Level.WARNING)


def constant_faults(written: Node) -> Iterator[Fault]:
    """Warn of YAML lists and mappings that read like an expression whose quotes were forgotten.

    Args:
        written: the file; in constants that are meant so, quoted texts are beyond doubt.
    """
    for path, value in _mapped(written):
        if (
            value.value
            and not isinstance(value.value, str)
            and not _is_const(value)
            and any(map(_is_path, _leaves(value)))
        ):
            message = "is a constant, the same for every event, and looks like an expression"
            fix = "put the whole in quotes for an expression; or each text in it, for a constant"
            yield Fault(path, message, fix, Level.WARNING)


def _mapped(written: Node) -> Iterator[tuple[FaultPath, Node]]:
    for section, keys in (("destinations", ("map",)), ("routes", ("let", "map"))):
        for path in ((section, name, key) for name in _keys(written, (section,)) for key in keys):
            mapping = written.at(path)
            yield from (((*path, field), node) for field, node in mapping.children()) if mapping else ()


def _keys(written: Node, path: FaultPath) -> list[str | int]:
    section = written.at(path)
    return [key for key, _ in section.children()] if section else []


def _is_const(node: Node) -> bool:
    return isinstance(node.value, dict) and node.value.keys() == {"const"}


def _leaves(node: Node) -> Iterator[Node]:
    for _, child in node.children():
        yield from _leaves(child)
    if not node.children():
        yield node


def _is_path(node: Node) -> bool:
    """Tell whether a text without quotes could be a field or a path to one."""
    text = node.value
    return node.bare and isinstance(text, str) and PATH.fullmatch(text) is not None


def slow_end_faults(settings: Settings) -> Iterator[Fault]:
    """Warn of requests that may take longer than a stop waits: each stop would cut some off, and repeat them."""
    for name, destination in settings.destinations.items():
        needed = destination.timeout + AFTER_DRAIN
        if settings.shutdown_timeout < needed:
            message = f"a stop cannot wait so long for a reply: shutdown_timeout is {settings.shutdown_timeout:g} s"
            fix = f"set shutdown_timeout to {needed:g}s or more, or a shorter timeout"
            yield Fault(("destinations", name, "timeout"), message, fix, Level.WARNING)


def unread_format_faults(settings: Settings) -> Iterator[Fault]:
    """Warn of formats for topics that no route reads."""
    read = {topic for route in settings.routes.values() for topic in settings.route_topics(route)}
    for topic in settings.formats:
        if not any(reads(pattern, topic) for pattern in read):
            yield Fault(("formats", topic), "no route reads this topic", did_you_mean(topic, read), Level.WARNING)


def unknown_schema_faults(settings: Settings) -> Iterator[Fault]:
    """Warn where there are no writers' schemas at all."""
    if settings.registry is None and not settings.schemas:
        message = "no registry and no schemas: nothing can be decoded, and every record is a dead letter"
        yield Fault(("registry",), message, "set registry.url", Level.WARNING)
