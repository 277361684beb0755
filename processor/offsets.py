"""What is known of a partition's offsets where it is assigned: words that consuming and settling share."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

TopicId = Callable[[], str | None]
"""Asks which topic of that name it is; None while nobody knows."""


def no_topic_id() -> None:
    """Nobody knows which topic of that name it is."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What the group's coordinator keeps of a partition.

    Attributes:
        offset: everything below it is settled.
        metadata: the text beside it; ours says what is settled beyond it.
    """

    offset: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class PartitionLog:
    """What the broker has of a partition.

    Attributes:
        first: its lowest offset; None where that could not be had.
        end: the offset that its next record will get; None likewise.
        topic_id: the answer may come later than the rest.
    """

    first: int | None = None
    end: int | None = None
    topic_id: TopicId = no_topic_id


class Finding(StrEnum):
    """What a committed offset was found to be."""

    GOOD = "good"
    """It is in the log, or there is none, or the log could not be looked at."""
    EXPIRED = "expired"
    """The broker has deleted records behind it."""
    RECREATED = "recreated"
    """It belongs to an earlier topic of the same name."""
    BEYOND_END = "beyond_end"
    """The log is shorter than that."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where an assignment goes on.

    Attributes:
        committed: the group's offset; None where it has none that counts.
        offset: nothing below it is to be read; None until the first record tells.
        ahead: spans beyond it that are settled already: first offset, and the one behind the last.
        topic_id: which topic it is.
        finding: what the committed offset was found to be.
        expired: offsets that were not settled and are gone; of an earlier topic nobody knows how many, so 1.
        ignored: why the text beside the committed offset was not used; empty where it was, or where there is none.
    """

    committed: int | None = None
    offset: int | None = None
    ahead: tuple[tuple[int, int], ...] = ()
    topic_id: TopicId = no_topic_id
    finding: Finding = Finding.GOOD
    expired: int = 0
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class PartitionView:
    """What the ledger knows of one assigned partition, for people and for back-pressure.

    Attributes:
        committed: what the group coordinator holds; None = nothing yet.
        frontier: everything received below it is settled.
        next: where the next record is expected.
        records, size: unsettled records and their bytes.
        ahead: settled records' spans beyond the frontier.
        oldest: Kafka timestamp (ms) of the record at the frontier; None while nothing is unsettled.
        settled_ahead: offsets read beyond the frontier, less the unsettled records.
        metadata_fill: how full the commit's metadata is with spans; 1 = at its limit.
    """

    committed: int | None
    frontier: int | None
    next: int | None
    records: int
    size: int
    ahead: int
    oldest: int | None
    settled_ahead: int = 0
    metadata_fill: float = 0.0
