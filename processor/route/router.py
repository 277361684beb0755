"""From an event to what is to be mapped: every matching route fires, once, or once per item of its `for_each`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from processor.expressions.language import Compiled, ExpressionError, Scope, is_true
from processor.records import ErrorClass, Event, Failure, Filtered, FilterReason, Stage


@dataclass(frozen=True, slots=True)
class Route:
    """One rule of the file, compiled.

    Attributes:
        events: Avro full names.
        topics: names, or regular expressions that start with `^`.
        when: the route's own condition; None = always.
        for_each: None = once per event.
        let: names for `when` and the mapping, in order; each may use those before it.
        general: the destination's condition, which comes before all of the route's own; None = always.
        filtered: the fate of what a condition does not let through.
    """

    name: str
    events: frozenset[str]
    topics: tuple[str, ...]
    when: Compiled | None
    for_each: Compiled | None
    let: tuple[tuple[str, Compiled], ...] = ()
    general: Compiled | None = None
    filtered: Filtered = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "filtered", Filtered(FilterReason.WHEN, self.name))

    def reads(self, topic: str) -> bool:
        """Whether the route reads this topic."""
        return any(re.match(at, topic) if at.startswith("^") else at == topic for at in self.topics)


@dataclass(slots=True)
class Routed:
    """One delivery to be mapped; made for every event, so not frozen, which would cost thrice the time.

    Attributes:
        index: position in the `for_each` array; 0 without.
        scope: what the route's expressions see: the event's fields, and the item as `item`.
    """

    route: str
    index: int
    scope: Scope


@dataclass(slots=True)
class NotRouted:
    """A route that fires, but not for this event or item; made as often as `Routed`, so not frozen either.

    Attributes:
        index: as in `Routed`; None where it is the fate of all items: `for_each` failed, or found none.
        fate: filtered by a rule, or an expression that failed.
    """

    route: str
    index: int | None
    fate: Filtered | Failure


class Router:
    """The routes of one pipeline."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._matching: dict[tuple[str, str], tuple[Route, ...]] = {}

    def wants(self, topic: str, event: str) -> bool:
        """Whether any route reads this event from this topic."""
        return bool(self._match(topic, event))

    def reads(self, topic: str) -> bool:
        """Whether any route reads this topic."""
        return any(route.reads(topic) for route in self._routes)

    def route(self, event: Event) -> Sequence[Routed | NotRouted]:
        """What all matching routes make of an event, in the file's order."""
        found: list[Routed | NotRouted] = []
        key = event.record.topic, event.name
        for route in self._matching.get(key) or self._match(*key):
            if route.for_each is None:
                found.append(_judge(route, 0, event.value, event))
            else:
                found += _judge_items(route, route.for_each, event)
        return found

    def _match(self, topic: str, event: str) -> tuple[Route, ...]:
        key = (topic, event)
        matching = self._matching.get(key)
        if matching is None:
            matching = tuple(route for route in self._routes if event in route.events and route.reads(topic))
            self._matching[key] = matching
        return matching


def _judge_items(route: Route, for_each: Compiled, event: Event) -> Iterable[Routed | NotRouted]:
    try:
        items = for_each(event.value, event)
    except ExpressionError as error:
        return (NotRouted(route.name, None, _failure("for_each", error)),)
    if items is None or items == []:
        return (NotRouted(route.name, None, Filtered(FilterReason.EMPTY, route.name)),)
    if not isinstance(items, list):
        return (NotRouted(route.name, None, _failure("for_each", "the expression gives no array")),)
    return [_judge(route, index, {**event.value, "item": item}, event) for index, item in enumerate(items)]


def _judge(route: Route, index: int, scope: Scope, event: Event) -> Routed | NotRouted:
    expression = "when"
    try:
        if route.general is not None and not is_true(route.general(scope, event)):
            return NotRouted(route.name, index, route.filtered)
        if route.let:
            expression = "let"
            scope = _named(route, scope, event)
            expression = "when"
        if route.when is not None and not is_true(route.when(scope, event)):
            return NotRouted(route.name, index, route.filtered)
    except ExpressionError as error:
        return NotRouted(route.name, index, _failure(expression, error))
    return Routed(route.name, index, scope)


def _named(route: Route, scope: Scope, event: Event) -> Scope:
    """What expressions see with the names of `let`.

    Raises:
        ExpressionError: one of them fails on this event.
    """
    seen = dict(scope)
    for name, expression in route.let:
        seen[name] = expression(seen, event)
    return seen


def _failure(expression: str, reason: object) -> Failure:
    return Failure(Stage.ROUTE, ErrorClass.UNMAPPED, f"{expression}: {reason}")
