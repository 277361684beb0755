"""When to stop fetching a partition. Pure.

Each partition may hold its share of `in_memory`; at its share it is paused alone, at the total all are (invariant 6).
So is one that settles too much beyond its first gap: a restart should repeat little, and the commit's metadata can name
only so many spans.
Pausing throws librdkafka's fetched messages away, so toggling at one mark would fetch everything many times over:
a partition is paused when full and resumed when half empty.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf

from processor.offsets import PartitionView
from processor.records import Key


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be held.

    Attributes:
        max_records, max_bytes: unsettled ones per pipeline, `in_memory` of the file; no records = nothing is ever
            fetched.
        max_ahead: offsets per partition that are settled beyond its first gap.
    """

    max_records: int
    max_bytes: int
    max_ahead: float = inf


@dataclass(frozen=True, slots=True)
class Decision:
    """Which partitions to pause and which to resume now."""

    pause: frozenset[Key]
    resume: frozenset[Key]


RESUME_AT = 0.5
METADATA_FULL = 0.75
"""Of the metadata's limit: what is read before the pause takes effect must fit as well."""


def decide(
    limits: Limits, view: Mapping[Key, PartitionView], paused: frozenset[Key], held: Collection[Key] = ()
) -> Decision:
    """Say what to pause and resume.

    Args:
        limits: what may be held.
        view: what each assigned partition holds.
        paused: those that are paused now.
        held: those that must not be read at all.
    """
    fill = {
        key: max(_fill(limits, each.records, each.size, len(view)), _ahead(limits, each)) for key, each in view.items()
    }
    total = _fill(limits, sum(each.records for each in view.values()), sum(each.size for each in view.values()), 1)
    full = {key for key, level in fill.items() if level >= 1 or total >= 1 or key in held}
    # Not `total <= RESUME_AT`: one partition that stands still with its share would keep all others paused.
    free = {key for key, level in fill.items() if level <= RESUME_AT and total < 1 and key not in held}
    return Decision(frozenset(full - paused), frozenset(free & paused))


def too_far_ahead(limits: Limits, held: PartitionView, *, already: bool) -> str:
    """Why a paused partition waits, where that is for what it settled beyond a gap; empty where it is not.

    Args:
        limits: what may be held.
        held: what the partition holds.
        already: whether it waits for that reason; it does until it may be resumed.
    """
    level = _ahead(limits, held)
    if level < 1 and (level <= RESUME_AT or not already):
        return ""
    if held.settled_ahead / limits.max_ahead >= held.metadata_fill / METADATA_FULL:
        much = f"{held.settled_ahead} records (max_ahead: {limits.max_ahead:.0f})"
    else:
        much = f"{held.ahead} spans of records ({held.metadata_fill:.0%} of what a commit can name)"
    return f"{much} are settled behind offset {held.frontier}, which is not"


def _fill(limits: Limits, records: int, size: int, shares: int) -> float:
    """How full one of so many shares is: 1 = at its limit."""
    if not limits.max_records:
        return 1.0
    return max(records * shares / limits.max_records, size * shares / limits.max_bytes)


def _ahead(limits: Limits, held: PartitionView) -> float:
    """How far one partition is beyond its first gap, of how far it may be."""
    return max(held.settled_ahead / limits.max_ahead, held.metadata_fill / METADATA_FULL)
