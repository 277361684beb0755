"""What was done, what the replicas tell of themselves, and where events lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

LOST = ("partitions_lost", "stood_still", "consumer_failed", "drain_timed_out", "commit_failed")
"""Events of the log after which others may read again what was sent."""
LATE = "no answer in time"


class Place(NamedTuple):
    """Where an event lies.

    Attributes:
        appended: when the broker wrote it into its log, seconds since 1970.
    """

    partition: int
    offset: int
    appended: float


@dataclass
class Fault:
    """Something that was done; times are seconds since 1970.

    Attributes:
        kind: killed, frozen, left, broker or vendor; or what a replica itself tells of: lost (partitions, or a commit),
            or late (an answer it did not wait for).
        ended: when it was over; for a replica that is gone: the same moment.
        agent: which replica it was done to, as its requests call themselves.
        partitions: what that replica had.
    """

    kind: str
    begun: float
    ended: float
    agent: str = ""
    partitions: frozenset[int] = frozenset()


def told(agent: str, line: Mapping[str, Any]) -> Fault | None:
    """What one line of a replica's log tells of."""
    kind = "lost" if line["event"] in LOST else "late" if line.get("reply") == LATE else ""
    at = datetime.fromisoformat(line["timestamp"]).timestamp()
    return Fault(kind, at, at, agent) if kind else None
