"""Deliveries, channels and requests as the tests of this folder need them."""

from random import Random

from processor.records import Assignment, Channel, Delivery, Record, Request
from processor.send.pace import Pace
from processor.send.replies import Answered, Reply
from processor.send.scheduler import BatchLimits, Result, Scheduler

ACCEPTED = Answered(200, "")
REFUSED = Answered(400, "no")
BROKEN = Answered(500, "oops")
TOO_FAST = Answered(429, "")

WALL = 1_800_000_000.0
"""The wall's time when the clock says 0."""
DELAYS = (10.0, 30.0, 60.0)
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


def scheduler(batch: BatchLimits | None = None, *, rate: float | None = None, jitter: float = 0.0) -> Scheduler:
    """A scheduler that has just begun, at the time 0."""
    return Scheduler(batch, DELAYS, Pace(rate, 0.0), steady(jitter))


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


def answer(of: Scheduler, reply: Reply, now: float = 0.0) -> Result:
    """Take the next request and have it answered at once."""
    return of.answered(taken(of, now), reply, now, WALL + now)


def fates(result: Result) -> dict[str, list[Delivery]]:
    """What became of which deliveries; those that wait again are in none."""
    every = {"accepted": result.accepted, "buried": result.buried, "stale": result.stale}
    return {fate: list(found) for fate, found in every.items() if found}
