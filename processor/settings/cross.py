"""Checks what several keys say together."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from processor.errors import Fault, Level
from processor.settings.avro_files import LocalSchemas
from processor.settings.models import DestinationSettings, RouteSettings, Settings
from processor.settings.wording import did_you_mean
from processor.settings.yaml import Node

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def target_faults(routes: Mapping[str, RouteSettings], destinations: Mapping[str, object]) -> Iterator[Fault]:
    """Convict routes to destinations that are not there.

    Args:
        routes: those that are right by themselves.
        destinations: all that the file names, right or not.
    """
    for name, route in routes.items():
        for at, target in enumerate(route.to):
            if (destination := _destination(target)) not in destinations:
                message = f"`{target}`: there is no destination `{destination}`"
                yield Fault(("routes", name, "to", at), message, did_you_mean(destination, destinations))


def idle_faults(settings: Settings) -> Iterator[Fault]:
    """Warn of destinations that no route leads to, once no route leads nowhere: it may be meant for one of them."""
    reached = {_destination(target) for route in settings.routes.values() for target in route.to}
    if reached <= settings.destinations.keys():
        for name in settings.destinations.keys() - reached:
            message = "no route leads here, so nothing is delivered"
            yield Fault(("destinations", name), message, "add a route, or remove it", Level.WARNING)


def topic_faults(routes: Mapping[str, RouteSettings], topics: object) -> Iterator[Fault]:
    """Convict routes that read no topic."""
    for name, route in routes.items():
        if not topics and not route.topics:
            yield Fault(("routes", name), "reads no topic", "set `topics` here, or for all routes at the top")


def plain_http_faults(destinations: Mapping[str, DestinationSettings]) -> Iterator[Fault]:
    """Warn of keys and personal data that travel in clear beyond this machine."""
    for name, destination in destinations.items():
        url = urlsplit(destination.base_url)
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            message = "plain http: the key and personal data travel in clear"
            yield Fault(("destinations", name, "base_url"), message, "use https", Level.WARNING)


def loop_faults(settings: Settings) -> Iterator[Fault]:
    """Convict routes that would read their own destination's dead letters, for ever."""
    for name, route in settings.routes.items():
        for destination in {_destination(target) for target in route.to} & settings.destinations.keys():
            letters = settings.dead_letter_topic(destination)
            if any(_reads(topic, letters) for topic in settings.route_topics(route)):
                message = f"reads `{letters}`, to which its own dead letters go"
                fix = "narrow its topics, or choose another dead_letter.topic"
                yield Fault(("routes", name, "topics"), message, fix)


def format_faults(formats: Mapping[str, object], schemas: LocalSchemas) -> Iterator[Fault]:
    """Convict formats of a type that `schemas` does not define, or not in one way only.

    Args:
        formats: what the file has, right or not.
        schemas: complete.
    """
    names = {schema.name for schema in schemas.all}
    for topic, written in formats.items():
        name = written.get("raw") if isinstance(written, dict) else None
        if not isinstance(name, str) or len(schemas.named(name)) == 1:
            continue
        path = ("formats", topic, "raw")
        if files := ", ".join(schema.file for schema in schemas.named(name)):
            yield Fault(path, f"`{name}` is ambiguous: {files} define it differently", "keep the one that is written")
        elif not names:
            yield Fault(path, f"`{name}` is not defined: `schemas` has no records", "name its .avsc file in `schemas`")
        else:
            message = f"`{name}` is not defined by the files of `schemas`"
            yield Fault(path, message, _right_name(name, schemas) or did_you_mean(name, names))


def alias_faults(routes: Mapping[str, RouteSettings], schemas: LocalSchemas, written: Node) -> Iterator[Fault]:
    """Convict routes that want an event by an alias: an event has the name of its reader's schema.

    Args:
        routes: those that are right by themselves.
        schemas: complete.
        written: the file, for the name of the key.
    """
    for route, settings in routes.items():
        key = "event" if written.at(("routes", route, "event")) else "events"
        for event in settings.events:
            if fix := _right_name(event, schemas):
                message = f"`{event}` is only an alias in `schemas`, so that no event has this name"
                yield Fault(("routes", route, key), message, fix)


def unread_format_faults(settings: Settings) -> Iterator[Fault]:
    """Warn of formats for topics that no route reads."""
    read = {topic for route in settings.routes.values() for topic in settings.route_topics(route)}
    for topic in settings.formats:
        if not any(_reads(pattern, topic) for pattern in read):
            yield Fault(("formats", topic), "no route reads this topic", did_you_mean(topic, read), Level.WARNING)


def unknown_schema_faults(settings: Settings) -> Iterator[Fault]:
    """Warn where there are no writers' schemas at all."""
    if settings.registry is None and not settings.schemas:
        message = "no registry and no schemas: nothing can be decoded, and every record is a dead letter"
        yield Fault(("registry",), message, "set registry.url", Level.WARNING)


def _right_name(alias: str, schemas: LocalSchemas) -> str:
    """Tell what to write in place of an alias; nothing where it is none."""
    reader = schemas.reader_of(alias)
    return f"write `{reader.name}`, of which it is an alias" if reader and reader.name != alias else ""


def _destination(target: str) -> str:
    return target.partition(".")[0]


def _reads(topic: str, name: str) -> bool:
    return re.match(topic, name) is not None if topic.startswith("^") else topic == name
