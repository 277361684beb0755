"""The event loop's side of consuming: records that wait to be decoded, partition by partition.

Partitions take turns, a slice each, so that a busy one does not starve a quiet one. A partition whose next record
waits for its schema stands still alone.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter

from processor.records import Assignment, Record, SchemaId

SLICE = 100
"""Records that are worked on before the event loop gets its turn: some 3 ms."""

_assignment = attrgetter("assignment")


@dataclass(frozen=True, slots=True)
class Stall:
    """A partition stands still because its next record waits for this schema; `since` is in seconds since 1970."""

    schema_id: SchemaId
    since: float


class Intake:
    """Queues per assignment, served in turns. Pure: awaiting is the caller's.

    Attributes:
        stalled: assignments that stand still, and why.
    """

    def __init__(self) -> None:
        self._queues: dict[Assignment, deque[Record]] = {}
        self._turns: deque[Assignment] = deque()
        self.stalled: dict[Assignment, Stall] = {}

    def put(self, records: Iterable[Record]) -> None:
        """Take one poll's records; those of one partition follow each other, in offset order."""
        for assignment, run in groupby(records, _assignment):
            queue = self._queues.get(assignment)
            if queue is None:
                queue = self._queues[assignment] = deque()
                self._turns.append(assignment)
            queue.extend(run)

    def take(self) -> list[Record]:
        """The next slice, of one partition; empty when nothing may be worked on."""
        if not self._turns:
            return []
        assignment = self._turns.popleft()
        queue = self._queues[assignment]
        records = list(islice(queue, SLICE))
        if len(records) == len(queue):
            del self._queues[assignment]
        else:
            for _ in records:
                queue.popleft()
            self._turns.append(assignment)
        return records

    def stall(self, assignment: Assignment, rest: Iterable[Record], stall: Stall) -> None:
        """Put these back in front; the partition gets no turn until `resume`."""
        queue = self._queues.setdefault(assignment, deque())
        queue.extendleft(reversed(list(rest)))
        self.stalled[assignment] = stall
        if assignment in self._turns:
            self._turns.remove(assignment)

    def resume(self, assignment: Assignment) -> None:
        """Let the partition have its turns again."""
        if self.stalled.pop(assignment, None) is not None:
            self._turns.append(assignment)

    def drop(self, assignments: Iterable[Assignment]) -> None:
        """Forget what waits of ended assignments."""
        for assignment in assignments:
            self._queues.pop(assignment, None)
            self.stalled.pop(assignment, None)
            if assignment in self._turns:
                self._turns.remove(assignment)
