"""Where an assignment goes on: the group's offset, its metadata, and what the broker has, put together. Pure.

no offset                  the client begins at the earliest
of an earlier topic        the earliest: nothing of this topic was read yet
beyond the end             nowhere: the log was cut, or somebody wrote that offset; a person must say
records behind it expired  the earliest that is left
all is well                there, and what its metadata names is not sent again
"""

from processor.offsets import Bookmark, Finding, PartitionLog, Start
from processor.settle.metadata import Settled, Spans, Unread, decode


def remembers_topic(held: Bookmark) -> bool:
    """Whether this says which topic it is of."""
    memory = _recall(held)
    return isinstance(memory, Settled) and memory.topic_id is not None


def resume(held: Bookmark | None, log: PartitionLog) -> Start:
    """Say where a partition goes on.

    Args:
        held: what the coordinator keeps; None where the group has no offset.
        log: what the broker has, as far as it is known.
    """
    if held is None:
        return Start(topic_id=log.topic_id)
    memory = _recall(held)
    if isinstance(memory, Unread):
        return _checked(held, (), log, memory.why if held.metadata else "")
    before, now = memory.topic_id, log.topic_id()
    if before and now and before != now:
        return Start(None, log.first, (), log.topic_id, Finding.RECREATED, expired=1)
    known = PartitionLog(log.first, log.end, lambda: log.topic_id() or before)
    return _checked(held, memory.ahead, known, "")


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
    gone = sum(max(min(end, log.first) - start, 0) for start, end in ahead)
    offset = max([log.first, *(end for start, end in ahead if start <= log.first)])
    left = tuple(span for span in ahead if span[0] > offset)
    return Start(
        held.offset,
        offset,
        left,
        log.topic_id,
        Finding.EXPIRED,
        expired=log.first - held.offset - gone,
        ignored=ignored,
    )
