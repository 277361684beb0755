"""A path with heads in any state."""

from processor.records import Channel, Delivery
from processor.send.blame import History
from processor.send.gate import Gate
from processor.send.lanes import Lanes
from processor.send.outlet import BatchLimits, Outlet
from tests.send.parts import BROKEN, DELAYS, channel, deliveries

VIEW = channel("view")
VIEWS = channel("views", batched=True)
LANES = Lanes()


def outlet(
    to: Channel = VIEW, batch: BatchLimits | None = None, histories: dict[Delivery, History] | None = None
) -> Outlet:
    """A path that has just begun to probe."""
    return Outlet(to, Gate(to.label, DELAYS, []), batch, {} if histories is None else histories, DELAYS[0])


class Heads:
    """A path with heads in any state, and their histories."""

    def __init__(self) -> None:
        self.histories: dict[Delivery, History] = {}
        self.path = outlet(histories=self.histories)

    def refused(self, offset: int, attempts: int, *, due: float | None = None, suspect: bool = False) -> Delivery:
        """One that was refused so often; it cools until `due`."""
        [head] = deliveries(VIEW, None, first=offset)
        head.attempts, head.ride = attempts, 1
        self.histories[head] = History(suspect=suspect, own=suspect, last=BROKEN)
        if due is None:
            self.path.add(head, 0.0)
        else:
            self.path.cooling[head] = due
        return head

    @property
    def candidate(self) -> int | float | None:
        """The offset of the next probe, or what is said instead."""
        found = self.path.candidate()
        return found.record.offset if isinstance(found, Delivery) else found
