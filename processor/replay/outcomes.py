"""What can become of a record in a run."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a record: of its deliveries, the first of these that one of them met."""

    FAILED = "failed"
    """It is in the dead-letter topic again, with its new reason."""
    DELIVERED = "delivered"
    TOO_OLD = "too_old"
    FILTERED = "filtered"
    """A rule of today's file wants nothing sent."""
    GONE = "gone"
    """Kafka had deleted it before it was sent."""


RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


def worse(one: Outcome | None, other: Outcome) -> Outcome:
    """What a record is told to be that met both."""
    return other if one is None or RANK[other] < RANK[one] else one
