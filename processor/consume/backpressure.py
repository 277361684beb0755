"""When to stop fetching a partition. Pure.

Each partition may hold its share of `in_memory`; at its share it is paused alone, at the total all are (invariant 6).
Pausing throws librdkafka's fetched messages away, so toggling at one mark would fetch everything many times over:
a partition is paused when full and resumed when half empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from processor.records import Key, PartitionView


@dataclass(frozen=True, slots=True)
class Limits:
    """`in_memory` of the file: unsettled records and bytes per pipeline; no records = nothing is ever fetched."""

    max_records: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Which partitions to pause and which to resume now."""

    pause: frozenset[Key]
    resume: frozenset[Key]


RESUME_AT = 0.5


def decide(limits: Limits, view: Mapping[Key, PartitionView], paused: frozenset[Key]) -> Decision:
    """Say what to pause and resume, given what each assigned partition holds."""
    fill = {key: _fill(limits, held.records, held.size, len(view)) for key, held in view.items()}
    total = _fill(limits, sum(held.records for held in view.values()), sum(held.size for held in view.values()), 1)
    full = {key for key, level in fill.items() if level >= 1 or total >= 1}
    # Not `total <= RESUME_AT`: one partition that stands still with its share would keep all others paused.
    free = {key for key, level in fill.items() if level <= RESUME_AT and total < 1}
    return Decision(frozenset(full - paused), frozenset(free & paused))


def _fill(limits: Limits, records: int, size: int, shares: int) -> float:
    """How full one of so many shares is: 1 = at its limit."""
    if not limits.max_records:
        return 1.0
    return max(records * shares / limits.max_records, size * shares / limits.max_bytes)
