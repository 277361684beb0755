"""Lanes: deliveries with the same order key go one after another, over all routes and methods. Pure.

A lane is in one of three states, told by what it holds:

    ready    nothing of it is out; its head stands in its channel's queue
    out      its head, and what rides in the same batch behind it, is in flight or waits for a retry
    gone     nothing of it waits and nothing is out; it is forgotten, so that memory does not grow with keys seen
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from processor.records import Assignment, Delivery


class Lane:
    """What waits behind the head, and how many are out."""

    __slots__ = ("out", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Delivery] = deque()
        self.out = 0


class Lanes:
    """All lanes of one destination. Deliveries without a key have no lane and are always heads."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}

    def __len__(self) -> int:
        return len(self._lanes)

    def enter(self, delivery: Delivery) -> bool:
        """Take a delivery; True = it is a head and may go out."""
        if delivery.lane is None:
            return True
        lane = self._lanes.get(delivery.lane)
        if lane is None:
            lane = self._lanes[delivery.lane] = Lane()
            lane.out = 1
            return True
        lane.waiting.append(delivery)
        return False

    def rider(self, delivery: Delivery, most: int) -> Delivery | None:
        """The one behind a delivery that goes out now, if it may ride in the same batch of `most`: same channel."""
        if delivery.lane is None:
            return None
        lane = self._lanes[delivery.lane]
        if not lane.waiting or lane.waiting[0].channel is not delivery.channel:
            return None
        if lane.waiting[0].ride is not None and lane.waiting[0].ride < most:
            return None
        lane.out += 1
        return lane.waiting.popleft()

    def behind(self, head: Delivery) -> int:
        """How many wait behind a head."""
        return 0 if head.lane is None else len(self._lanes[head.lane].waiting)

    def waiting(self) -> Iterator[Delivery]:
        """All that wait behind heads."""
        for lane in self._lanes.values():
            yield from lane.waiting

    def leave(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """These are done with; returns the heads that may go out now."""
        heads = []
        for delivery in deliveries:
            if delivery.lane is None:
                continue
            lane = self._lanes[delivery.lane]
            lane.out -= 1
            if lane.out:
                continue
            if lane.waiting:
                lane.out = 1
                heads.append(lane.waiting.popleft())
            else:
                del self._lanes[delivery.lane]
        return heads

    def come_back(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """These were not accepted: put them back in front, in order; returns the heads among them."""
        heads: list[Delivery] = []
        for delivery in reversed(deliveries):
            if delivery.lane is None:
                heads.append(delivery)
                continue
            lane = self._lanes[delivery.lane]
            lane.out -= 1
            if lane.out:
                lane.waiting.appendleft(delivery)
            else:
                lane.out = 1
                heads.append(delivery)
        heads.reverse()
        return heads

    def drop(self, assignments: frozenset[Assignment]) -> list[Delivery]:
        """Forget what waits behind heads of these assignments; returns it."""
        dropped = []
        for lane in self._lanes.values():
            gone = [delivery for delivery in lane.waiting if delivery.record.assignment in assignments]
            if gone:
                lane.waiting = deque(d for d in lane.waiting if d.record.assignment not in assignments)
                dropped += gone
        return dropped
