"""What must hold for every request and every result, whatever the vendor says."""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING

from processor.records import Delivery, Request
from processor.send.judge import Result
from processor.send.outlet import BatchLimits
from processor.send.scheduler import Scheduler
from tests.send.case_model import Flight
from tests.send.charges import Charge
from tests.support.convictions import ConvictionError

EPSILON = 1e-6

if TYPE_CHECKING:
    from tests.send.simulation import World


def check_request(world: "World", request: Request) -> None:
    """Everything that can be said of a request when it goes out, but for its time."""
    wall = world.clock.wall()
    for delivery in request.deliveries:
        if delivery.expires is not None and delivery.expires < wall:
            raise ConvictionError(Charge.AGE, "sent when too old")
        if delivery.channel is not request.channel:
            raise ConvictionError(Charge.BODY, f"{delivery.channel} in a request for {request.channel}")
    _check_body(request, world.setup.batch)
    _check_order(world, request.deliveries)


def _check_body(request: Request, limits: BatchLimits | None) -> None:
    """The bytes are the payloads', and within the limits of a batch."""
    bodies = [delivery.body for delivery in request.deliveries]
    whole = b"[" + b",".join(bodies) + b"]" if request.channel.batched else b"".join(bodies)
    if request.body != whole:
        raise ConvictionError(Charge.BODY, f"{request.body!r}")
    most = limits.max_events if limits and request.channel.batched else 1
    if not 1 <= len(bodies) <= most or (limits and len(bodies) > 1 and len(whole) > limits.max_bytes):
        raise ConvictionError(Charge.LIMITS, f"{len(bodies)} deliveries, {len(whole)} bytes")


def _check_order(world: "World", found: Sequence[Delivery]) -> None:
    """Per lane one request in flight, and it carries the lane's oldest deliveries, in order (invariant 4)."""
    places: Counter[str] = Counter()
    for delivery in found:
        lane = lane_of(delivery)
        if lane in world.busy:
            raise ConvictionError(Charge.LANE, lane)
        line = world.lanes[lane]
        if places[lane] >= len(line) or line[places[lane]] is not delivery:
            raise ConvictionError(Charge.ORDER, lane)
        places[lane] += 1


def check_result(flight: Flight, result: Result) -> None:
    """What was accepted is told, and what has to be sent again is told apart from what has left."""
    accepted = flight.verdict.cause is None
    buried = {each.delivery for each in result.buried}
    stale = {each for each in flight.request.deliveries if not each.record.assignment.live} - buried
    if accepted and list(result.accepted) != list(flight.request.deliveries):
        raise ConvictionError(Charge.FATE, "accepted, and not told so")
    if set(result.stale) != (set() if accepted else stale):
        raise ConvictionError(Charge.FATE, f"stale are {len(result.stale)}, and it should be {len(stale)}")


def lane_of(delivery: Delivery) -> str:
    """The lane, or a name of its own where there is none."""
    return f"#{id(delivery)}" if delivery.lane is None else delivery.lane


def remains(scheduler: Scheduler) -> Iterator[object]:
    """Deliveries and requests that a scheduler still holds, wherever it does."""
    seen: set[int] = set()
    found: list[object] = [scheduler]
    while found:
        each = found.pop()
        if id(each) in seen or isinstance(each, (type, ModuleType, FunctionType, MethodType)):
            continue
        seen.add(id(each))
        if isinstance(each, (Delivery, Request)):
            yield each
        found += gc.get_referents(each)
