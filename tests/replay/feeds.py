"""Feeds of a replay with a journal that keeps what it is told."""

from typing import Any

from processor.clock import ManualClock
from processor.metrics import Metrics
from processor.records import Assignment, Record
from processor.replay.letter_feed import LetterFeed, RecordFeed
from processor.replay.outcomes import Outcome
from processor.replay.spans import Spans
from tests.support.logs import Lines

AT = Assignment("dlq", 3, 1)


class Noted:
    """A journal that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.done: set[int] = set()

    def told(self, one: Record) -> bool:
        """Whether its outcome is known."""
        return one.offset in self.done

    def note(self, one: Record, outcome: Outcome) -> None:
        """A delivery met this."""
        self.calls.append((one.offset, outcome.value))

    def to(self, post: Any) -> Any:
        """What takes settled spans."""
        return lambda spans: self.calls.append((post, spans))

    async def drained(self) -> None:
        """All is told."""
        self.calls.append("drained")

    def forget(self, key: Any) -> None:
        """A partition leaves."""
        self.calls.append(("forget", key))


def feed(noted: Noted, kind: type[RecordFeed] = LetterFeed, at: Assignment = AT) -> RecordFeed:
    """A feed that is about the offsets 1, 2 and 5."""
    journal: Any = noted
    return kind({at.key: Spans((1, 3), (5, 6))}, journal)


class Told:
    """A replay's scorekeeper, with its metrics."""

    def __init__(self, noted: Noted) -> None:
        self.metrics = Metrics()
        self.keeper = feed(noted).scorekeeper(self.metrics, "shop", ManualClock(), Lines().log)

    def total(self, *declarations: Any) -> list[int]:
        """How many were counted."""
        return [self.metrics.total(each, pipeline="shop") for each in declarations]
