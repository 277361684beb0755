"""One route's mapping to one method, compiled once into one function.

Beside the payload that function makes what stands beside it: `lane`, `time` (seconds since 1970 when it happened) and
`end` (when it expires).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from processor.clock import Clock
from processor.expressions.language import Compiled, ExpressionError, Scope
from processor.expressions.source import define
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

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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

    Attributes:
        map: maps one event, or one of its items, from what expressions see and the event itself; what cannot be mapped
            is a `Failure` that names every wrong field.

    Args:
        route: its name.
        values: makes the payload.
        order_key: the route's own expression; None = none.
        order_field: the payload's field whose value keeps the order; None = none, or `order_key` is given.
    """

    map: Callable[[Scope, Event], Payload | Filtered | Failure]

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
        self._timing = timing
        names = {
            **values.names,
            "Error": ExpressionError,
            "Payload": Payload,
            "channel": target.channel,
            "prefix": target.prefix,
            "suffix": target.suffix,
            "dumps": orjson.dumps,
            "moment": datetime.fromisoformat,
            "EPOCH": EPOCH,
            "order_key": order_key,
            "expires": self._expires,
            "wall": clock.wall,
            "too_old": too_old,
            "nothing": Filtered(FilterReason.PYTHON, route),
            "old": Filtered(FilterReason.TOO_OLD, route),
            "unmapped": _unmapped,
            "laneless": _laneless,
        }
        enveloped = target.prefix or target.suffix
        body = [
            *values.lines,
            "if o is None: return nothing",
            "if x: return unmapped(x)",
            *_lane(order_key, order_field),
            f"time = o.get({timing.field!r})",
            "if time is not None: time = (moment(time) - EPOCH).total_seconds()",
            *_age(timing.max_age),
            f"return Payload(channel, {'prefix + dumps(o) + suffix' if enveloped else 'dumps(o)'}, lane, time, end)",
        ]
        self.map = define("map", "s, ev", body, names)

    def _expires(self, payload: Mapping[str, Any], happened: float | None, event: Event) -> float | None:
        """When it will be too old: by its own time, else by the record's."""
        never, max_age = self._timing.never, self._timing.max_age
        if max_age is None or (never is not None and payload.get(never) == []):
            return None
        stamp = event.record.timestamp
        since = happened if happened is not None else stamp / 1000 if stamp >= 0 else None
        return None if since is None else since + max_age


def _lane(order_key: Compiled | None, order_field: str | None) -> Iterator[str]:
    if order_field is not None:
        yield f"lane = o[{order_field!r}]"
    elif order_key is not None:
        yield "try: lane = order_key(s, ev)"
        yield "except Error as e: return laneless(e)"
    else:
        yield "lane = None"
    yield "if lane is not None: lane = str(lane)"


def _age(max_age: float | None) -> Iterator[str]:
    if max_age is None:
        yield "end = None"
    else:
        yield "end = expires(o, time, ev)"
        yield "if too_old(end, wall()): return old"


def _unmapped(wrong: Sequence[str]) -> Failure:
    return Failure(Stage.MAP, ErrorClass.UNMAPPED, "; ".join(wrong))


def _laneless(error: ExpressionError) -> Failure:
    return Failure(Stage.ROUTE, ErrorClass.UNMAPPED, f"order_key: {error}")
