"""Where an assignment goes on: the group's offset, its metadata, and what the broker has, put together. Pure.

no offset                  the earliest
of an earlier topic        the earliest: nothing of this topic was read yet
beyond the end             nowhere: the log was cut, or somebody wrote that offset; a person must say
records behind it expired  the earliest that is left
all is well                there, and what its metadata names is not sent again
"""

from dataclasses import dataclass

from processor.offsets import Bookmark, Finding, PartitionLog, Start
from processor.settle.metadata import Settled, Spans, Unread, decode


@dataclass(frozen=True, slots=True)
class Reading:
    """Where an assignment stands.

    Attributes:
        committed: the group's offset, as far as it is known.
        at: what it reads next; None where it has not begun.
        settled: spans that need not be read, ascending.
        topic_id: which topic it reads; None where that is not known.
    """

    committed: int | None
    at: int | None
    settled: Spans
    topic_id: str | None


def remembers_topic(held: Bookmark) -> bool:
    """Whether this says which topic it is of."""
    memory = _recall(held)
    return isinstance(memory, Settled) and memory.topic_id is not None


def resume(held: Bookmark | None, log: PartitionLog, earlier: str | None = None) -> Start:
    """Say where a partition goes on.

    Args:
        held: what the coordinator keeps; None where the group has no offset.
        log: what the broker has, as far as it is known.
        earlier: which topic of that name this process has read before; None where it has not.
    """
    if held is None:  # brokers forget a group's offsets together with a deleted topic
        now = log.topic_id()
        return _recreated(log) if earlier and now and earlier != now else Start(topic_id=log.topic_id)
    memory = _recall(held)
    if isinstance(memory, Unread):
        return _checked(held, (), log, memory.why if held.metadata else "")
    before, now = memory.topic_id, log.topic_id()
    if before and now and before != now:
        return _recreated(log)
    known = PartitionLog(log.first, log.end, lambda: log.topic_id() or before)
    return _checked(held, memory.ahead, known, "")


def recheck(reading: Reading, log: PartitionLog) -> Start:
    """Say where an assignment goes on whose client found nothing to read where it stood.

    Args:
        reading: where it stands.
        log: what the broker has, as far as it is known.
    """
    before, now, at = reading.topic_id, log.topic_id(), reading.at
    if before and now and before != now:
        return _recreated(log)
    if at is None or log.first is None or log.end is None:
        return Start(reading.committed, at, (), log.topic_id)
    if at > log.end:
        return Start(reading.committed, at, (), log.topic_id, Finding.BEYOND_END)
    gone = _expired(at, log.first, reading.settled)
    finding = Finding.EXPIRED if gone else Finding.GOOD
    return Start(reading.committed, max(at, log.first), (), log.topic_id, finding, expired=gone)


def _recreated(log: PartitionLog) -> Start:
    return Start(None, log.first, (), log.topic_id, Finding.RECREATED, expired=1)


def _expired(at: int, first: int, settled: Spans) -> int:
    """Offsets from `at` on that are gone, and were not settled."""
    known = sum(max(min(end, first) - max(start, at), 0) for start, end in settled)
    return max(first - at, 0) - known


def _recall(held: Bookmark) -> Settled | Unread:
    memory = decode(held.metadata)
    if isinstance(memory, Settled) and memory.base != held.offset:
        return Unread(f"it belongs to offset {memory.base}")
    return memory


def _checked(held: Bookmark, ahead: Spans, log: PartitionLog, ignored: str) -> Start:
    """Compare the offset with the ends of the log."""
    if log.end is not None and held.offset > log.end:
        return Start(held.offset, held.offset, (), log.topic_id, Finding.BEYOND_END, ignored=ignored)
    if log.end is not None and ahead and ahead[-1][1] > log.end:
        ahead, ignored = (), "it names records beyond the end of the partition"
    if log.first is None or held.offset >= log.first:
        return Start(held.offset, held.offset, ahead, log.topic_id, ignored=ignored)
    offset = max([log.first, *(end for start, end in ahead if start <= log.first)])
    left = tuple(span for span in ahead if span[0] > offset)
    return Start(
        held.offset,
        offset,
        left,
        log.topic_id,
        Finding.EXPIRED,
        expired=_expired(held.offset, log.first, ahead),
        ignored=ignored,
    )
