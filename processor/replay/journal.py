"""Tells the audit topic what became of records, and lets their offsets go only after it has acknowledged that.

So a run that is killed knows at its resumption what was sent: a mark may be ahead of the commit, never behind it.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress

from processor.feed import Post
from processor.records import Key, Record, Span
from processor.replay.outcomes import Outcome, worse
from processor.replay.spans import Spans

INTERVAL = 0.2
"""Seconds for which marks are gathered; well below a commit interval, so that a crash repeats no more than that."""
NOTHING = Spans()

Mark = Callable[[Key, Mapping[str, Spans], Callable[[], None]], None]
"""Writes what became of records of one partition, by outcome; the function is called once it is safe, on any thread."""


class Batch:
    """Spans that wait for their marks; `marks` is how many of those are not acknowledged."""

    __slots__ = ("marks", "spans")

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans
        self.marks = 0


class Journal:
    """Lives on the event loop.

    Args:
        mark: writes to the audit topic.
        wanted: the offsets that the run is about; nothing is noted of others.
    """

    def __init__(self, mark: Mark, wanted: Mapping[Key, Spans]) -> None:
        self._write = mark
        self._wanted = wanted
        self._left = wanted
        self._mine: defaultdict[Key, Spans] = defaultdict(Spans)
        self._outcomes: defaultdict[Key, dict[int, Outcome]] = defaultdict(dict)
        self._post: Post = lambda _: None
        self._settled: list[Span] = []
        self._waiting: deque[Batch] = deque()
        self._empty = asyncio.Event()
        self._flushing: asyncio.TimerHandle | None = None

    def to(self, post: Post) -> Post:
        """What takes settled spans in the place of `post`, which gets them later."""
        self._post = post
        return self._take

    def note(self, record: Record, outcome: Outcome) -> None:
        """One of a record's deliveries met this; known before the record is settled."""
        key = record.assignment.key
        if key in self._wanted and record.offset in self._wanted[key]:
            outcomes = self._outcomes[key]
            outcomes[record.offset] = worse(outcomes.get(record.offset), outcome)

    def left(self, left: Mapping[Key, Spans]) -> None:
        """Take what the audit topic knows no outcome of yet, whoever of the run's workers wrote there."""
        self._left = left

    def told(self, record: Record) -> bool:
        """Whether a record's outcome is written down, or on its way there.

        A partition that was lost is read again from the last commit, which may be long ago where the group's
        coordinator refuses commits; the marks know better.
        """
        key, offset = record.assignment.key, record.offset
        return offset in self._mine[key] or offset not in self._left.get(key, NOTHING)

    def gone(self, key: Key, offsets: Spans) -> None:
        """Note that these will never come."""
        self._mark(Batch([]), key, {Outcome.GONE: offsets})

    async def drained(self) -> None:
        """Wait until all that is settled so far is told and let go. The caller sets the deadline."""
        self._flush()
        while self._waiting:
            self._empty.clear()
            await self._empty.wait()

    def forget(self, key: Key) -> None:
        """A partition leaves: what is not settled of it becomes somebody else's."""
        self._outcomes.pop(key, None)

    def _take(self, spans: list[Span]) -> None:
        self._settled += spans
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(INTERVAL, self._flush)

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        batch, self._settled = Batch(self._settled), []
        self._waiting.append(batch)
        for key, outcomes in self._told(batch.spans).items():
            self._mark(batch, key, outcomes)
        self._let_go()

    def _told(self, spans: list[Span]) -> dict[Key, dict[Outcome, Spans]]:
        """What became of the records of these spans that the run is about."""
        told: defaultdict[Key, dict[Outcome, Spans]] = defaultdict(dict)
        for span in spans:
            key = span.assignment.key
            outcomes = self._outcomes.get(key)
            if not outcomes:
                continue
            few = len(outcomes) < span.end - span.start
            within = (
                sorted(at for at in outcomes if span.start <= at < span.end) if few else range(span.start, span.end)
            )
            for offset in within:
                outcome = outcomes.pop(offset, None)
                if outcome is not None:
                    told[key].setdefault(outcome, Spans()).add(offset, offset + 1)
                    self._mine[key].add_offset(offset)
        return told

    def _mark(self, batch: Batch, key: Key, outcomes: Mapping[Outcome, Spans]) -> None:
        loop = asyncio.get_running_loop()

        def acknowledged() -> None:
            batch.marks -= 1
            self._let_go()

        batch.marks += 1
        told = {outcome.value: spans for outcome, spans in outcomes.items()}
        self._write(key, told, lambda: _soon(loop, acknowledged))

    def _let_go(self) -> None:
        """In the order in which they were settled: a later span may name what an earlier one may not."""
        while self._waiting and not self._waiting[0].marks:
            spans = self._waiting.popleft().spans
            if spans:
                self._post(spans)
        if not self._waiting:
            self._empty.set()


def _soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(callback)
