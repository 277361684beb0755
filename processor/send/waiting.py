"""All of one destination that waits: lanes, outlets with their heads, what cools. Bookkeeping, no decisions. Pure."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from processor.records import Assignment, Channel, Delivery
from processor.send.blame import History
from processor.send.gate import Gate
from processor.send.lanes import Lanes
from processor.send.outlet import NEVER, Outlet
from processor.send.replies import Reply


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a delivery stands that is not done with, for people.

    Attributes:
        due: when it is sent again, where that is known.
        gate: what it waits at; None = it does not.
        last_refusal: what was said of it last, when it was alone.
    """

    delivery: Delivery
    state: str
    due: float | None
    gate: Gate | None
    last_refusal: Reply | None


class Waiting:
    """What waits, and where.

    Args:
        outlet: makes the outlet of a path that is met for the first time, which looks histories up.

    Attributes:
        outlets: one per path, in the order in which they were met.
        histories: of those that were refused and are not done with.
        total: deliveries that are neither in flight nor done with, those behind heads included.
    """

    def __init__(self, outlet: Callable[[Channel, Mapping[Delivery, History]], Outlet]) -> None:
        self._make = outlet
        self._outlets: dict[Channel, Outlet] = {}
        self._cooling: list[tuple[float, int, Outlet, Delivery]] = []
        self._sequence = count()
        self.lanes = Lanes()
        self.outlets: list[Outlet] = []
        self.histories: dict[Delivery, History] = {}
        self.total = 0

    def outlet(self, channel: Channel) -> Outlet:
        """The outlet of a path."""
        outlet = self._outlets.get(channel)
        if outlet is None:
            outlet = self._outlets[channel] = self._make(channel, self.histories)
            self.outlets.append(outlet)
        return outlet

    def history(self, delivery: Delivery) -> History:
        """How it was refused so far; begins with nothing."""
        history = self.histories.get(delivery)
        if history is None:
            history = self.histories[delivery] = History()
        return history

    def add(self, deliveries: Iterable[Delivery], now: float) -> None:
        """These come, in offset order within a partition."""
        for delivery in deliveries:
            self.total += 1
            if self.lanes.enter(delivery):
                self.outlet(delivery.channel).add(delivery, now)

    def drop(self, assignments: frozenset[Assignment]) -> list[Delivery]:
        """Forget what waits of these; returns it."""
        behind = self.lanes.drop(assignments)
        heads = [delivery for outlet in self.outlets for delivery in outlet.drop(assignments)]
        self.total -= len(behind) + len(heads)
        for delivery in behind:
            self.histories.pop(delivery, None)
        self.leave(heads)
        return behind + heads

    def standings(self) -> Iterator[Standing]:
        """All that is not done with."""
        for outlet in self.outlets:
            for request in outlet.out:
                yield from (self._standing(delivery, "in flight") for delivery in request.deliveries)
            for head in outlet.heads():
                due = outlet.cooling.get(head)
                words = "waits for its turn" if due is None else "waits for its next try"
                yield self._standing(head, words, due, outlet.gate)
        for delivery in self.lanes.waiting():
            yield self._standing(delivery, "waits for an older one with its order key")

    def _standing(self, delivery: Delivery, state: str, due: float | None = None, gate: Gate | None = None) -> Standing:
        history = self.histories.get(delivery)
        return Standing(delivery, state, due, gate, history.last if history else None)

    # Heads that were out, or are about to be.

    def take_out(self, head: Delivery) -> None:
        """A head that waits goes out, or is given up."""
        self.outlet(head.channel).remove(head)
        self.total -= 1

    def come_back(self, deliveries: Sequence[Delivery], now: float, *, first: bool = False) -> None:
        """These were out together and may go out again at once; `first` = as if they had never been out."""
        self.total += len(deliveries)
        heads = self.lanes.come_back(deliveries)
        for head in reversed(heads) if first else heads:
            self.outlet(head.channel).add(head, float("-inf") if first else now, first=first)

    def cool(self, delivery: Delivery, due: float) -> None:
        """This was out alone, and waits until then."""
        self.total += 1
        self.lanes.come_back([delivery])
        self.set_due(delivery, due)

    def set_due(self, head: Delivery, due: float) -> None:
        """A head that cools is due then; a time that was set before counts no more."""
        outlet = self.outlet(head.channel)
        outlet.cooling[head] = due
        heapq.heappush(self._cooling, (due, next(self._sequence), outlet, head))

    def leave(self, deliveries: Sequence[Delivery]) -> None:
        """These are done with; their lanes go on."""
        if self.histories:
            for delivery in deliveries:
                if self.histories.pop(delivery, None) is not None:
                    self.outlet(delivery.channel).comparison.forget(delivery)
        for head in self.lanes.leave(deliveries):
            # It has waited for a batch since it was made, not since it became a head.
            self.outlet(head.channel).add(head, head.made)

    # Batches that were refused.

    def set_apart(self, deliveries: Sequence[Delivery], *, together: int, suspects: bool) -> None:
        """These were refused in a batch of so many: the next one has at most half its size.

        Where `suspects`, those that are left become suspects once one of them is accepted. Limits are powers of two,
        so that few queues serve all sizes, and batches of the same size ride together.
        """
        limit = 1 << (together // 2).bit_length() - 1
        mates = list(deliveries) if suspects else []
        for delivery in deliveries:
            delivery.ride = limit
            history = self.history(delivery)
            history.mates = mates or history.mates

    def suspect_mates(self, accepted: Sequence[Delivery]) -> None:
        """Of those that were refused together with these, somebody else was at fault."""
        if not self.histories:
            return
        for delivery in accepted:
            mates = self.histories[delivery].mates if delivery in self.histories else []
            for mate in mates:
                if mate in self.histories:
                    self.histories[mate].suspect = True
            mates.clear()

    # What cools.

    def warm(self, now: float) -> float:
        """Let what is due go on; returns when the next one is."""
        while self._cooling:
            due, _, outlet, head = self._cooling[0]
            if outlet.cooling.get(head) == due:
                if due > now:
                    return due
                del outlet.cooling[head]
                outlet.add(head, now)
            heapq.heappop(self._cooling)
        return NEVER

    @property
    def cooling(self) -> int:
        """Heads that wait for their next attempt."""
        return sum(len(outlet.cooling) for outlet in self.outlets)
