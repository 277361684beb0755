"""The worlds that the simulation runs: every combination of limits, lanes, traffic, weather and poison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from processor.records import Assignment
from processor.send.outlet import BatchLimits

SHORT = (1.0, 3.0, 10.0)
PRODUCTION = (10.0, 30.0, 60.0, 300.0)
TIMEOUT = 10.0
"""Seconds after which a request without an answer is given up, as by default."""


class Ill(Enum):
    """What the vendor says to everything while it is ill; a value is its status, if it has one."""

    ERROR = 500
    BAD_GATEWAY = 502
    TIMEOUT = -1
    NOT_SENT = -2
    KEY = 401
    FORBIDDEN = 403
    MISSING = 404
    INVALID = 400
    BUSY = 429
    BUSY_UNTIL = -429
    AWAY_UNTIL = -503


FAILURES = (Ill.ERROR, Ill.BAD_GATEWAY, Ill.TIMEOUT, Ill.NOT_SENT)
THROTTLES = (Ill.BUSY, Ill.BUSY_UNTIL, Ill.AWAY_UNTIL)
POISONS = (Ill.INVALID, Ill.FORBIDDEN, Ill.MISSING, Ill.ERROR, Ill.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Episode:
    """The vendor is ill in this way from `start` to `end`, in seconds; on one path, or on all (None)."""

    ill: Ill
    start: float
    end: float
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """One world.

    Attributes:
        slots: requests in flight at most.
        batch: None = single calls only; else two paths in three are batched.
        once: share of deliveries for the path whose calls may not be repeated.
        lanes: order keys that deliveries choose from.
        keyless: share of deliveries without order.
        records: per partition.
        spacing: seconds between two records of all partitions.
        latency: seconds that the vendor needs, about.
        poison: share of deliveries that the vendor refuses for good, as one of `poisons`.
        first, tail: the first record is poison; the last so many are.
        banned: one order key is answered 403 for ever.
        dice: share of requests that the vendor answers with 500, for ever and for no reason.
        lifetime: seconds after which two deliveries in seven are too old; None = never.
        drops: how likely a partition leaves, and comes back, at a step.
        memory: unsettled records of a partition at which no more are read.
    """

    slots: int = 16
    batch: BatchLimits | None = None
    rate: float | None = None
    once: float = 0.0
    lanes: int = 100
    keyless: float = 0.2
    partitions: int = 2
    records: int = 60
    spacing: float = 0.05
    latency: float = 0.05
    delays: Sequence[float] = SHORT
    max_attempts: int = 8
    stalemate: float | None = 300.0
    poison: float = 0.0
    poisons: Sequence[Ill] = POISONS
    first: bool = False
    tail: int = 0
    banned: bool = False
    dice: float = 0.0
    lifetime: float | None = None
    drops: float = 0.0
    memory: int = 100_000
    weather: Sequence[Episode] = ()

    @property
    def span(self) -> float:
        """Seconds until all has arrived."""
        return self.records * self.partitions * self.spacing

    @property
    def longest(self) -> float:
        """Seconds of the longest delay, with its jitter."""
        return max(self.delays) * 1.25


@dataclass(slots=True)
class Partition:
    """One partition's records, as the member that owns it reads them.

    Attributes:
        next: offset of the next record to read.
        done: offsets whose delivery was accepted or buried.
    """

    assignment: Assignment
    next: int = 0
    done: set[int] = field(default_factory=set)


def any_world(random: Random) -> Setup:
    """Tiny and large limits, many lanes and one, quiet and busy topics, healthy and ill vendors."""
    records = random.choice((1, 5, 10, 20, 40, 60))
    partitions = random.randint(1, 3)
    spacing = random.choice((0.0005, 0.005, 0.05, 0.3, 2.0, 20.0))
    delays = random.choice((SHORT, SHORT, PRODUCTION))
    span = records * partitions * spacing
    return Setup(
        slots=random.choice((1, 2, 8, 64)),
        batch=random.choice((None, batch_limits(random))),
        rate=random.choice((None, None, None, 0.5, 10.0, 200.0)),
        once=random.choice((0.0, 0.0, 0.1)),
        lanes=random.choice((1, 3, 20, 400)),
        keyless=random.choice((0.0, 0.2, 1.0)),
        partitions=partitions,
        records=records,
        spacing=spacing,
        latency=random.choice((0.005, 0.05, 0.5)),
        delays=delays,
        max_attempts=random.choice((2, 3, 8)),
        stalemate=random.choice((None, 30 * delays[0])),  # 5 min with production delays
        poison=random.choice((0.0, 0.0, 0.01, 0.05, 0.2)),
        poisons=random.choice((POISONS, (random.choice(POISONS),))),
        first=random.random() < 0.1,
        tail=random.choice((0, 0, 0, 1, 5)),
        banned=random.random() < 0.1,
        dice=random.choice((0.0, 0.0, 0.02, 0.3)),
        lifetime=random.choice((None, None, None, 0.0, 3.0, 60.0)),
        drops=random.choice((0.0, 0.0, 0.02)),
        memory=random.choice((100_000, 100_000, 15)),
        weather=random.choice((fine, one_outage, one_outage, blips, flapping, storms, mixture))(random, span, delays),
    )


def batch_limits(random: Random) -> BatchLimits:
    """From pairs to hundreds."""
    return BatchLimits(
        max_events=random.choice((2, 7, 100, 500)),
        max_bytes=random.choice((60, 1000, 100_000)),
        max_wait=random.choice((0.0, 0.2, 3.0)),
    )


# Weather: from the span of seconds in which records arrive, and the delays.

Weather = Callable[[Random, float, Sequence[float]], Sequence[Episode]]


def fine(random: Random, span: float, delays: Sequence[float]) -> Sequence[Episode]:
    """The vendor is well."""
    del random, span, delays
    return ()


def one_outage(random: Random, span: float, delays: Sequence[float]) -> Sequence[Episode]:
    """One, of any class and length; half of them on one path only."""
    start = random.uniform(-0.1, 0.9) * span
    lasts = delays[0] * random.choice((0.3, 2.0, 10.0, 60.0)) * random.uniform(0.5, 1.5)
    ill = random.choice([ill for ill in Ill if ill not in THROTTLES])
    path = None if ill is Ill.KEY else random.choice((None, None, "/a", "/b", "/o"))
    return [Episode(ill, max(start, 0.0), start + lasts, path)]


def blips(random: Random, span: float, delays: Sequence[float]) -> Sequence[Episode]:
    """Many, shorter than a request."""
    del delays
    ills = random.choice((FAILURES, (Ill.FORBIDDEN, Ill.MISSING), (Ill.INVALID,), (Ill.KEY,)))
    starts = [random.random() * max(span, 1.0) for _ in range(random.randint(1, 15))]
    return [Episode(random.choice(ills), start, start + random.uniform(0.001, 0.3)) for start in starts]


def flapping(random: Random, span: float, delays: Sequence[float]) -> Sequence[Episode]:
    """Well and ill by turns."""
    ill, at = random.choice([ill for ill in Ill if ill not in THROTTLES]), random.random() * span * 0.5
    period = random.choice((0.2, 2.0, delays[0] * 2))
    found = []
    for _ in range(random.randint(2, 12)):
        lasts = period * random.uniform(0.2, 1.5)
        found.append(Episode(ill, at, at + lasts))
        at += lasts + period * random.uniform(0.2, 1.5)
    return found


def storms(random: Random, span: float, delays: Sequence[float]) -> Sequence[Episode]:
    """Too fast, says the vendor, of a part of the time."""
    del delays
    starts = [random.random() * span for _ in range(random.randint(1, 3))]
    return [Episode(random.choice(THROTTLES), start, start + random.choice((0.1, 5.0, 40.0))) for start in starts]


def mixture(random: Random, span: float, delays: Sequence[float]) -> Sequence[Episode]:
    """Several outages of all classes, which may overlap; the first one counts."""
    kinds: Sequence[Weather] = (one_outage, one_outage, blips, storms)
    return [each for _ in range(2) for each in random.choice(kinds)(random, span, delays)]
