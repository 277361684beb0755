"""Checks what several keys say together."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from processor.errors import Fault, Level
from processor.settings.models import DestinationSettings, RouteSettings, Settings
from processor.settings.wording import did_you_mean

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


def _destination(target: str) -> str:
    return target.partition(".")[0]


def _reads(topic: str, name: str) -> bool:
    return re.match(topic, name) is not None if topic.startswith("^") else topic == name
