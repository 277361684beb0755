"""What a vendor stub saw, so that loss, duplicates, order, concurrency and pace can be judged afterwards."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from processor.demo.rules import Accepted


class Account:
    """The books of one vendor; grows with what it accepts, unless somebody takes that away.

    Args:
        keep: accepted deliveries to remember one by one, at least; None = all.

    Attributes:
        requests: calls that arrived, whatever their fate.
        deliveries: accepted deliveries by method; a batch counts all it carried.
        accepted: the same one by one, in the order of their arrival; stays empty when the stub only counts.
        refused: calls by (status, reason) that were not accepted; status 0 is a connection that was reset.
        violations: calls by the rule that they broke although each was fine in itself.
        max_in_flight: most calls that were open at once.
        max_in_flight_per_lane: most calls that were open at once with deliveries of one lane.
        per_second: calls by whole second since the first one.
    """

    def __init__(self, keep: int | None = None) -> None:
        self._keep = keep
        self.requests = 0
        self.deliveries: Counter[str] = Counter()
        self.accepted: list[Accepted] = []
        self.refused: Counter[tuple[int, str]] = Counter()
        self.violations: Counter[str] = Counter()
        self.max_in_flight = 0
        self.max_in_flight_per_lane = 0
        self.per_second: Counter[int] = Counter()
        self._in_flight = 0
        self._lanes: Counter[str] = Counter()
        self._first: float | None = None

    def arrive(self, now: float) -> None:
        """A call came in; `leave` must follow.

        Args:
            now: seconds on a clock that never jumps.
        """
        if self._first is None:
            self._first = now
        self.per_second[int(now - self._first)] += 1
        self.requests += 1
        self._in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self._in_flight)

    def leave(self) -> None:
        """A call was answered, or its client went away."""
        self._in_flight -= 1

    def open_lanes(self, lanes: Collection[str]) -> int:
        """A call with deliveries of these lanes is being worked on; `close_lanes` must follow.

        Returns:
            The most calls, this one included, that are now open with one of the lanes.
        """
        self._lanes.update(lanes)
        most = max((self._lanes[lane] for lane in lanes), default=0)
        self.max_in_flight_per_lane = max(self.max_in_flight_per_lane, most)
        return most

    def close_lanes(self, lanes: Collection[str]) -> None:
        """The call is over."""
        for lane in lanes:
            left = self._lanes[lane] - 1
            if left:
                self._lanes[lane] = left
            else:
                del self._lanes[lane]

    def accept(self, deliveries: list[Accepted]) -> None:
        """The vendor took these."""
        self.accepted += deliveries
        self.deliveries.update(delivery.method for delivery in deliveries)
        if self._keep is not None and len(self.accepted) > 2 * self._keep:
            del self.accepted[: len(self.accepted) - self._keep]

    def take(self) -> list[Accepted]:
        """Give what was accepted since this was last asked, and forget it."""
        taken, self.accepted = self.accepted, []
        return taken

    def summary(self) -> dict[str, Any]:
        """The books without the single deliveries, as JSON types."""
        return {
            "requests": self.requests,
            "deliveries": dict(self.deliveries),
            "lanes": len({delivery.lane for delivery in self.accepted}),
            "refused": [
                {"status": status, "reason": reason, "requests": count}
                for (status, reason), count in self.refused.most_common()
            ],
            "violations": dict(self.violations),
            "max_in_flight": self.max_in_flight,
            "max_in_flight_per_lane": self.max_in_flight_per_lane,
            "peak_per_second": max(self.per_second.values(), default=0),
            "per_second": [self.per_second[second] for second in range(max(self.per_second, default=-1) + 1)],
        }
