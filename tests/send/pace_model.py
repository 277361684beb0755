"""What the rules say of the pace: the account's rate, and the vendor's time."""

from processor.send.replies import Answered, Reply
from tests.send.charges import Charge
from tests.support.convictions import ConvictionError

EPSILON = 1e-6
LONGEST_PAUSE = 60.0
SHORTEST_PAUSE = 1.0
ASKS_AGAIN = 0.5
LEAST_PART = 1 / 64
LEAST_LIMIT = 1.0


class PaceModel:
    """Counts what goes out.

    Attributes:
        not_before: nothing may go out before.
        free_at: from then on the vendor's time holds nothing back.
    """

    def __init__(self, rate: float | None) -> None:
        self.not_before = float("-inf")
        self.free_at = float("-inf")
        self._rate = rate
        self._slowed = False
        self._level = 0.0
        self._level_at = 0.0

    def sent(self, now: float) -> None:
        """Nothing before the vendor's time, and in no window more than a burst and what the rate brings."""
        if now < self.not_before - EPSILON:
            raise ConvictionError(Charge.RETRY_AFTER, f"{self.not_before - now} s too early")
        if self._rate is not None:
            # A meter that loses `rate` a second and gains 1 a request never exceeds the burst: the same as counting
            # every window, and written differently from the bucket that is tested.
            self._level = max(0.0, self._level - (now - self._level_at) * self._rate) + 1
            self._level_at = now
            if self._level > max(1.0, self._rate) + EPSILON:
                raise ConvictionError(Charge.RATE, f"{self._level} in the meter, at {self._rate}/s")

    def throttled(self, reply: Reply, now: float) -> None:
        """The vendor said: too fast. Where it names no time, a second at least."""
        named = reply.retry_after if isinstance(reply, Answered) else None
        self._slowed = True
        if named:
            self.not_before = max(self.not_before, now + named)
            self.free_at = max(self.free_at, self.not_before)
        elif now >= self.not_before:
            self.not_before = now + SHORTEST_PAUSE
            self.free_at = max(self.free_at, now + LONGEST_PAUSE)

    def free(self, now: float, wake: float | None) -> bool:
        """Whether the pace holds nothing back, for sure."""
        if now < self.free_at:
            return False
        limited = self._slowed or self._rate is not None
        return not limited or wake is None or wake > now + ASKS_AGAIN + EPSILON

    @property
    def longest_gap(self) -> float:
        """Seconds between two requests that the pace may bring about, but for the vendor's time."""
        if not self._slowed:
            return 1 / self._rate if self._rate else 0.0
        return 1 / (self._rate * LEAST_PART) if self._rate else 1 / LEAST_LIMIT
