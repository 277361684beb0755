"""A file with two destinations, routes for it, and what becomes of events."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from processor.clock import Clock, SystemClock
from processor.errors import ConfigError, Fault
from processor.plan import Plan, Ready, load_plans
from processor.records import Assignment, Event, Failure, Filtered, Payload
from processor.route.router import NotRouted, Router
from tests.support.records import record

CLOCK = SystemClock()
HEAD = """\
kafka: {bootstrap.servers: "localhost:9092"}
registry: {url: "http://localhost:8081"}
topics: [shop.clicks]
start_from: latest
destinations:
  voyado:
    type: voyado
    base_url: https://acme.voyado.com
    api_key: hunter2
    user_agent: Shop/1.0
  rocket:
    type: retail_rocket
    partner_id: 5ba1feda97a5252320437f20
    api_key: hunter3
    user_agent: Shop/1.0
routes:
"""
FIRST = HEAD.count("\n") + 1
"""The line of the first route."""
VIEW = "  views: {event: a.View, to: voyado.product_view, map: {itemId: sku, contactId: contact}}\n"
ROCKET = (
    "  rocket: {event: a.View, to: rocket.category_view, map: {sessionExternalId: s, timestamp: t, categoryId: c}}\n"
)


def plans(folder: Path, routes: str, head: str = HEAD, clock: Clock = CLOCK) -> Ready:
    """Load a file with these routes."""
    path = folder / "clickstream.yaml"
    path.write_text(head + routes, encoding="utf-8")
    return load_plans([path], {}, clock)


def faults(folder: Path, routes: str, head: str = HEAD) -> Sequence[Fault]:
    """What is wrong with a file with these routes, which something must be."""
    with pytest.raises(ConfigError) as caught:
        plans(folder, routes, head)
    assert {fault.file for fault in caught.value.faults} == {str(folder / "clickstream.yaml")}
    return caught.value.faults


EVENT = {"sku": "1", "contact": "c" * 22, "s": "v1", "t": "2026-11-22T09:31:07Z", "c": 5}
"""What both routes can map."""


def mapped(plan: Plan, value: dict[str, Any]) -> Payload | Filtered | Failure:
    """What the first route of a plan makes of an event, whatever its conditions say."""
    return plan.mappers[plan.routes[0].name].map(value, Event(record(), "a.View", value, None))


def made(ready: Ready, value: dict[str, Any]) -> list[dict[str, Any] | str]:
    """What all routes make of an event: what is sent, or in words why it is not."""
    at = Assignment("shop.clicks", 0, 1)
    event = Event(record(at=at, key=b"k-1", headers=[("tenant", b"acme")]), "a.View", value, None)
    found: list[dict[str, Any] | str] = []
    for plan in ready.plans:
        for routed in Router(plan.routes).route(event):
            if isinstance(routed, NotRouted):
                found.append(_words(routed.fate))
                continue
            fate = plan.mappers[routed.route].map(routed.scope, event)
            found.append(orjson.loads(fate.body) if isinstance(fate, Payload) else _words(fate))
    return found


def _words(fate: Filtered | Failure) -> str:
    return fate.reason.value if isinstance(fate, Filtered) else fate.message
