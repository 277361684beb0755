"""What stands ready to go out, channel by channel. Pure."""

from collections import deque
from dataclasses import dataclass, field

from processor.records import Assignment, Channel, Delivery


@dataclass(slots=True)
class Queue:
    """Heads of one channel that may go out.

    Attributes:
        ready: in order of arrival, with the time when each came.
        alone: heads that a refused batch has set apart; each goes out as a request of its own.
        size: bytes of the bodies in `ready`.
    """

    channel: Channel
    ready: deque[tuple[float, Delivery]] = field(default_factory=deque)
    alone: deque[Delivery] = field(default_factory=deque)
    size: int = 0

    def add(self, delivery: Delivery, since: float) -> None:
        """A head comes."""
        if delivery.alone:
            self.alone.append(delivery)
        else:
            self.ready.append((since, delivery))
            self.size += len(delivery.body)

    def next(self) -> Delivery:
        """The oldest head."""
        delivery = self.ready.popleft()[1]
        self.size -= len(delivery.body)
        return delivery

    def drop(self, assignments: frozenset[Assignment]) -> list[Delivery]:
        """Forget heads of these assignments; returns them."""
        gone = [d for d in self.alone if d.record.assignment in assignments]
        gone += [d for _, d in self.ready if d.record.assignment in assignments]
        self.alone = deque(d for d in self.alone if d.record.assignment not in assignments)
        self.ready = deque((at, d) for at, d in self.ready if d.record.assignment not in assignments)
        self.size = sum(len(d.body) for _, d in self.ready)
        return gone
