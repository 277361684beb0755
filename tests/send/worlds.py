"""The worlds that the simulation runs: every combination of limits, lanes and trouble."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from processor.records import Assignment
from processor.send.replies import Answered, NotSent, Reply, Unknown
from processor.send.scheduler import BatchLimits

DELAYS = (1.0, 3.0, 10.0)
TROUBLE: Sequence[Reply] = (
    Answered(500, ""),
    Answered(503, "", retry_after=4.0),
    Answered(429, ""),
    Answered(429, "", retry_after=0.0),
    Answered(429, "", retry_after=7.0),
    Answered(401, ""),
    Answered(403, ""),
    Answered(404, ""),
    Answered(408, ""),
    Answered(302, ""),
    NotSent("refused"),
    Unknown("no answer in time"),
)
REFUSALS = (400, 409, 410, 413, 422)


@dataclass(frozen=True, slots=True)
class Setup:
    """One world.

    Attributes:
        batch: None = single calls only; else one channel in two is batched.
        lanes: order keys that deliveries choose from; some have none.
        faults: share of requests that go wrong while the vendor is ill.
        poison: share of deliveries that the vendor refuses for good.
        drops: how likely a partition leaves at any step.
        lifetime: seconds after which two deliveries in seven are too old; None = never.
    """

    workers: int
    batch: BatchLimits | None
    rate: float | None
    lanes: int
    partitions: int
    records: int
    faults: float
    poison: float
    drops: float
    lifetime: float | None


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


def drawn(random: Random) -> Setup:
    """Any world: tiny and large limits, many lanes and one, quiet and ill vendors."""
    limits = BatchLimits(
        max_events=random.choice((1, 2, 7, 50)),
        max_bytes=random.choice((10, 60, 300, 10_000)),
        max_wait=random.choice((0.0, 0.2, 3.0)),
    )
    return Setup(
        workers=random.choice((1, 2, 5, 64)),
        batch=random.choice((None, limits, limits)),
        rate=random.choice((None, 0.5, 10.0, 200.0)),
        lanes=random.choice((1, 3, 20, 1000)),
        partitions=random.randint(1, 4),
        records=random.randint(1, 60),
        faults=random.choice((0.0, 0.1, 0.6)),
        poison=random.choice((0.0, 0.02, 0.2)),
        drops=random.choice((0.0, 0.0, 0.02)),
        lifetime=random.choice((None, None, 0.0, 0.1, 3.0, 30.0)),
    )
