"""Deliveries, channels and requests as the tests of this folder need them."""

from collections.abc import Callable
from random import Random

from processor.records import Assignment, Channel, Delivery, Record, Request
from processor.send.blame import RetryPolicy
from processor.send.gate import Gate
from processor.send.judge import Result
from processor.send.outlet import BatchLimits, Outlet
from processor.send.pace import Pace
from processor.send.replies import Answered, NotSent, Reply, Unknown, classify
from processor.send.scheduler import Scheduler

ACCEPTED = Answered(200, "")
REFUSED = Answered(400, "no")
FORBIDDEN = Answered(403, "not you")
MISSING = Answered(404, "not here")
BROKEN = Answered(500, "oops")
BAD_KEY = Answered(401, "who?")
TOO_FAST = Answered(429, "")
LOST = Unknown("no answer in time")
NO_CONNECTION = NotSent("connection refused")

WALL = 1_800_000_000.0
"""The wall's time when the clock says 0."""
DELAYS = (10.0, 30.0, 60.0)
RETRY = RetryPolicy(DELAYS, max_attempts=3, stalemate=300.0)
PATIENT = RetryPolicy(DELAYS, max_attempts=3, stalemate=None)
OTHERS = 1000
"""Offset of deliveries that only matter by how they are answered."""
LIMITS = BatchLimits(max_events=3, max_bytes=1000, max_wait=0.2)


class Steady(Random):
    """Always gives the same number: delays are easy to read."""

    value = 0.0

    def random(self) -> float:
        """A number from 0 to 1."""
        return self.value


def steady(value: float) -> Steady:
    """Randomness that always gives this number."""
    made = Steady()
    made.value = value
    return made


def channel(name: str = "view", *, batched: bool = False, once: bool = False) -> Channel:
    """A URL path of its own."""
    return Channel(name, f"/{name}", batched, once)


def assignment(partition: int = 0, epoch: int = 1) -> Assignment:
    """A partition that this member owns."""
    return Assignment("shop", partition, epoch)


def deliveries(
    to: Channel,
    *lanes: str | None,
    of: Assignment | None = None,
    first: int = 0,
    size: int = 2,
    route: str = "views",
    expires: float | None = None,
) -> list[Delivery]:
    """One delivery for each lane, in offset order from `first`, with bodies of `size` bytes (at least 2).

    They expire when the clock says `expires`.
    """
    owner = of or assignment()
    return [
        Delivery(
            record=Record(owner, first + at, 0, None, b"", None),
            schema_id=1,
            route=route,
            index=0,
            channel=to,
            body=b'"' + b"x" * (size - 2) + b'"',
            lane=lane,
            event_time=None,
            made=0.0,
            expires=None if expires is None else WALL + expires,
        )
        for at, lane in enumerate(lanes)
    ]


def one(to: Channel, lane: str | None = None, *, first: int = 0, size: int = 2) -> Delivery:
    """A single delivery, of a partition of its own."""
    [delivery] = deliveries(to, lane, first=first, size=size)
    return delivery


def scheduler(
    batch: BatchLimits | None = None, *, rate: float | None = None, jitter: float = 0.0, retry: RetryPolicy = RETRY
) -> Scheduler:
    """A scheduler that has just begun, at the time 0: its gates probe."""
    return Scheduler(batch, retry, Pace(rate, 0.0), classify, steady(jitter))


def opened(
    *channels: Channel,
    batch: BatchLimits | None = None,
    rate: float | None = None,
    jitter: float = 0.0,
    retry: RetryPolicy = RETRY,
) -> Scheduler:
    """A scheduler that accepted one delivery on each of these paths, at the time 0: their gates are open."""
    of = scheduler(batch, rate=rate, jitter=jitter, retry=retry)
    for each in channels:
        of.add(deliveries(each, None, first=-1), 0.0)
        answer(of, ACCEPTED)
    return of


def step(of: Scheduler, now: float) -> Request | float | None:
    """What the scheduler says at this time; nothing may be too old."""
    found = of.take(now, WALL + now)
    assert not of.expired()
    return found


def taken(of: Scheduler, now: float = 0.0) -> Request:
    """The next request, which must be there."""
    found = step(of, now)
    assert isinstance(found, Request), f"no request, but {found}"
    return found


def all_taken(of: Scheduler, now: float = 0.0) -> list[Request]:
    """Every request that can go out now."""
    requests = []
    while isinstance(found := step(of, now), Request):
        requests.append(found)
    return requests


def batches(of: Scheduler, now: float = 0.0) -> list[list[int]]:
    """The offsets of the deliveries in every request that can go out now."""
    return [[delivery.record.offset for delivery in request.deliveries] for request in all_taken(of, now)]


def reply_to(of: Scheduler, request: Request, reply: Reply, now: float = 0.0) -> Result:
    """This request is answered."""
    return of.answered(request, reply, now, WALL + now)


def answer(of: Scheduler, reply: Reply, now: float = 0.0) -> Result:
    """Take the next request and have it answered at once."""
    return reply_to(of, taken(of, now), reply, now)


def sent(of: Scheduler, delivery: Delivery, now: float = 0.0) -> Request:
    """A delivery comes and goes out at once."""
    of.add([delivery], now)
    request = taken(of, now)
    assert list(request.deliveries) == [delivery]
    return request


def another(of: Scheduler, to: Channel, reply: Reply, now: float) -> Result:
    """Another delivery of this path comes, goes out, and is answered so."""
    [delivery] = deliveries(to, None, first=OTHERS)
    return reply_to(of, sent(of, delivery, now), reply, now)


def played(
    of: Scheduler, vendor: Callable[[Request], Reply], begin: float, end: float
) -> list[tuple[float, Request, Result]]:
    """Everything that goes out in this time, answered at once: when, what, and what became of it."""
    found, now = [], begin
    while now < end:
        next_step = step(of, now)
        if isinstance(next_step, Request):
            found.append((now, next_step, reply_to(of, next_step, vendor(next_step), now)))
        else:
            now = end if next_step is None else next_step
    return found


def outlet_of(of: Scheduler, path: Channel) -> Outlet:
    """Where what goes through this path waits."""
    return next(outlet for outlet in of.outlets if outlet.channel is path)


def gate_of(of: Scheduler, path: Channel) -> Gate:
    """This path's gate."""
    return outlet_of(of, path).gate


def fates(result: Result) -> dict[str, list[Delivery]]:
    """What became of which deliveries; those that wait again are in none."""
    buried = [each.delivery for each in result.buried]
    every = {"accepted": result.accepted, "buried": buried, "stale": result.stale}
    return {fate: list(found) for fate, found in every.items() if found}
