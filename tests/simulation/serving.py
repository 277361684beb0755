"""What waits to be served in a consumer's `consume()`: answers of fetches, errors, and callbacks, in one order."""

from collections import deque
from collections.abc import Callable

from confluent_kafka import Message

from tests.simulation.fetching import Fetcher, Run

Callback = Callable[[], None]
Op = Run | Message | Callback
Taken = list[tuple[Run | None, Message]]
"""Messages that one `consume()` has so far, each with the answer that it came in."""


class Queue:
    """One consumer's queue."""

    def __init__(self) -> None:
        self._ops: deque[Op] = deque()

    def __bool__(self) -> bool:
        return bool(self._ops)

    def put(self, op: Op) -> None:
        """Let this be served after all that waits."""
        self._ops.append(op)

    def drop(self, op: Op) -> None:
        """Let this not be served, if it still waits."""
        if op in self._ops:
            self._ops.remove(op)

    def serve(self, taken: Taken, wanted: int, fetcher: Fetcher) -> None:
        """Serve what is next; a callback makes messages void that were taken of partitions which it gave back."""
        op = self._ops[0]
        if isinstance(op, Run):
            if not op.valid or _take(op, taken, wanted):
                self._ops.popleft()
                fetcher.consumed(op)
            return
        self._ops.popleft()
        if isinstance(op, Message):
            taken.append((None, op))
            return
        op()
        taken[:] = [(run, message) for run, message in taken if run is None or run.valid]

    def serve_callbacks(self) -> None:
        """Serve callbacks alone: the consumer is about to be closed."""
        for op in list(self._ops):
            if not isinstance(op, Run | Message) and op in self._ops:
                self._ops.remove(op)
                op()


def _take(run: Run, taken: Taken, wanted: int) -> bool:
    """Take messages from an answer; says whether it is used up. Markers move the position, and nobody sees them."""
    topic, number = run.of.key
    while run.entries and len(taken) < wanted:
        entry = run.entries.popleft()
        if entry.aborted:
            continue
        run.of.reached = entry.offset + 1
        if not entry.control:
            message = Message(
                topic=topic,
                partition=number,
                offset=entry.offset,
                key=entry.key,
                value=entry.value,
                headers=entry.headers,
                timestamp=(1, entry.timestamp),
            )
            taken.append((run, message))
    return not run.entries
