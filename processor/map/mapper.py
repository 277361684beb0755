"""One route's mapping to one method, compiled once into one function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from processor.clock import Clock
from processor.expressions.language import Compiled, ExpressionError, Scope
from processor.fields import event_time
from processor.map.values import Values
from processor.records import (
    Channel,
    ErrorClass,
    Event,
    Failure,
    Filtered,
    FilterReason,
    Payload,
    Stage,
    too_old,
)


class Target(Protocol):
    """Where the payloads of a mapping go; `destinations.vendor.Wiring` has the documentation."""

    @property
    def channel(self) -> Channel: ...  # noqa: D102
    @property
    def prefix(self) -> bytes: ...  # noqa: D102
    @property
    def suffix(self) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Timing:
    """When a payload is too old to be sent.

    Attributes:
        field: of the payload, which says when it happened.
        max_age: seconds; None = never.
        never: of the payload, which makes it never too old where it is an empty list.
    """

    field: str
    max_age: float | None = None
    never: str | None = None


class Mapper:
    """Maps what one route let through.

    Args:
        route: its name.
        values: makes the payload.
        order_key: the route's own expression; None = none.
        order_field: the payload's field whose value keeps the order; None = none, or `order_key` is given.
    """

    def __init__(
        self,
        *,
        route: str,
        target: Target,
        values: Values,
        order_key: Compiled | None,
        order_field: str | None,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._route = route
        self._channel = target.channel
        self._prefix = target.prefix
        self._suffix = target.suffix
        self._values = values
        self._order_key = order_key
        self._order_field = order_field
        self._timing = timing
        self._clock = clock

    def map(self, scope: Scope, event: Event) -> Payload | Filtered | Failure:
        """Map one event, or one of its items; what cannot be mapped is a `Failure` that names every wrong field."""
        payload, wrong = self._values(scope, event)
        if payload is None:
            return Filtered(FilterReason.PYTHON, self._route)
        if wrong:
            return Failure(Stage.MAP, ErrorClass.UNMAPPED, "; ".join(wrong))
        try:
            lane = self._lane(scope, event, payload)
        except ExpressionError as error:
            return Failure(Stage.ROUTE, ErrorClass.UNMAPPED, f"order_key: {error}")
        time = payload.get(self._timing.field)
        happened = None if time is None else event_time(time)
        expires = None
        if self._timing.max_age is not None:
            expires = self._expires(self._timing.max_age, payload, happened, event)
            if too_old(expires, self._clock.wall()):
                return Filtered(FilterReason.TOO_OLD, self._route)
        body = self._prefix + orjson.dumps(payload) + self._suffix
        return Payload(self._channel, body, lane, happened, expires)

    def _lane(self, scope: Scope, event: Event, payload: Mapping[str, Any]) -> str | None:
        if self._order_field is not None:
            key = payload[self._order_field]
        elif self._order_key is not None:
            key = self._order_key(scope, event)
        else:
            return None
        return None if key is None else str(key)

    def _expires(
        self, max_age: float, payload: Mapping[str, Any], happened: float | None, event: Event
    ) -> float | None:
        """When it will be too old: by its own time, else by the record's."""
        never = self._timing.never
        if never is not None and payload.get(never) == []:
            return None
        stamp = event.record.timestamp
        since = happened if happened is not None else stamp / 1000 if stamp >= 0 else None
        return None if since is None else since + max_age
