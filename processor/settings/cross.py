"""Checks what several keys say together: errors, and warnings that belong to them."""

import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from processor.errors import Fault, FaultPath, Level
from processor.settings.avro_files import LocalSchemas
from processor.settings.models import DestinationSettings, ReplyRule, RouteSettings, Settings, Vendors
from processor.settings.wording import did_you_mean
from processor.settings.yaml import Node, Positions


def target_faults(
    routes: Mapping[str, RouteSettings], destinations: Mapping[str, object], positions: Positions
) -> Iterator[Fault]:
    """Convict routes to destinations that are not there.

    Args:
        routes: those whose `to` is right by itself.
        destinations: all that the file names, right or not; where there are none, that is the fault.
        positions: of the values, and of what removed one.
    """
    for name, route in routes.items():
        for at, target in enumerate(route.to):
            if destinations and (destination := destination_of(target)) not in destinations:
                message = f"`{target}`: there is no destination `{destination}`"
                file, line = positions.get(("destinations", destination), ("", 0))
                removed = f"{file}:{line} removes it; remove the route there too: `{name}: null` in `routes`"
                fix = removed if file else did_you_mean(destination, destinations)
                yield Fault(("routes", name, "to", at), message, fix)


def topic_faults(routes: Mapping[str, RouteSettings], topics: object) -> Iterator[Fault]:
    """Convict routes that read no topic."""
    for name, route in routes.items():
        if not topics and not route.topics:
            yield Fault(("routes", name), "reads no topic", "set `topics` here, or for all routes at the top")


def loop_faults(settings: Settings) -> Iterator[Fault]:
    """Convict routes that would read their own destination's dead letters, for ever."""
    for name, route in settings.routes.items():
        for destination in {destination_of(target) for target in route.to} & settings.destinations.keys():
            letters = settings.dead_letter_topic(destination)
            if any(reads(topic, letters) for topic in settings.route_topics(route)):
                message = f"reads `{letters}`, to which its own dead letters go"
                fix = "narrow its topics, or choose another dead_letter.topic"
                yield Fault(("routes", name, "topics"), message, fix)


def foreign_key_faults(path: FaultPath, value: Mapping[str, object], kind: str, vendors: Vendors) -> Iterator[Fault]:
    """Convict keys of a destination that only another type of destination has.

    Args:
        path: the destination's.
        value: what it says.
        kind: its type.
        vendors: all types.
    """
    for key in value.keys() - vendors[kind].model_fields.keys():
        if others := sorted(name for name, vendor in vendors.items() if key in vendor.model_fields):
            yield Fault(
                (*path, key), f"is a key of type {', '.join(others)}, not of {kind}", "remove it, or mend `type`"
            )


def header_faults(destinations: Mapping[str, DestinationSettings]) -> Iterator[Fault]:
    """Convict an idempotency header that is the key's, and warn where one request carries many deliveries."""
    for name, destination in destinations.items():
        header = destination.idempotency_header
        path = ("destinations", name, "idempotency_header")
        if header and header.lower() == str(getattr(destination, "key_header", "")).lower():
            yield Fault(path, f"`{header}` carries the key", "choose another header")
        elif header and destination.batch:
            message = "is not sent with batches: one request carries many deliveries"
            yield Fault(path, message, "remove it, or write `batch: null`", Level.WARNING)


def reply_faults(destinations: Mapping[str, DestinationSettings]) -> Iterator[Fault]:
    """Convict rules for replies that an earlier one always takes first."""
    for name, destination in destinations.items():
        rules = destination.replies
        for at, rule in enumerate(rules):
            before = next((before for before in range(at) if _takes_all(rules[before], rule)), None)
            if before is not None:
                message = f"never holds: `replies.{before}` fits all replies that it is about"
                fix = "put it first, or remove one of the two"
                yield Fault(("destinations", name, "replies", at), message, fix)


def _takes_all(rule: ReplyRule, other: ReplyRule) -> bool:
    """Tell whether a rule fits whatever another one fits."""
    return rule.status == other.status and (rule.body is None or rule.body in (other.body or ""))


def ca_faults(destinations: Mapping[str, DestinationSettings], *, offline: bool) -> Iterator[Fault]:
    """Convict files of authorities that are not there or hold none; offline, a missing one is a warning."""
    for name, destination in destinations.items():
        path = ("destinations", name, "http", "ca_file")
        file = destination.http.ca_file
        try:
            if file is not None:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except FileNotFoundError:
            level = Level.WARNING if offline else Level.ERROR
            yield Fault(path, f"the file {file} does not exist", "create or mount it, or mend the path", level)
        except ssl.SSLError:
            fix = "convert it: openssl x509 -inform DER -in FILE -out FILE.pem"
            yield Fault(path, f"the file {file} holds no certificate in PEM form", fix)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            yield Fault(path, f"the file {file} cannot be read: {reason}", "mend its permissions or the path")


def location_faults(section: str, values: Mapping[str, object], *, offline: bool) -> Iterator[Fault]:
    """Convict files of a client that are not there: it would not say which one; offline it is a warning."""
    level = Level.WARNING if offline else Level.ERROR
    for name, value in values.items():
        named = name.endswith(".location") and isinstance(value, str) and value not in {"probe", "false"}
        if named and not Path(str(value)).exists():
            message = f"the file {value} does not exist"
            yield Fault((section, name), message, "create or mount it, or mend the path", level)


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


def _right_name(alias: str, schemas: LocalSchemas) -> str:
    """Tell what to write in place of an alias; nothing where it is none."""
    reader = schemas.reader_of(alias)
    return f"write `{reader.name}`, of which it is an alias" if reader and reader.name != alias else ""


def destination_of(target: str) -> str:
    """Give the destination of `destination.method`."""
    return target.partition(".")[0]


def reads(topic: str, name: str) -> bool:
    """Tell whether a topic, or the regular expression of topics, is or matches a topic's name."""
    return re.match(topic, name) is not None if topic.startswith("^") else topic == name
