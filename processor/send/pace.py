"""How fast requests may go out: a token bucket at the account's rate, and `not_before`. Pure."""

from dataclasses import dataclass, field

FIRST_PAUSE = 1.0
"""Seconds after a 429 without Retry-After; doubled by each pause that did not help."""
LONGEST_PAUSE = 60.0
BURST_SECONDS = 1.0
"""At most this much of the rate may go out at once."""


@dataclass(slots=True)
class Pace:
    """One account's pace.

    Attributes:
        rate: requests per second; None = no limit.
        tokens: requests that may go out at once; never more than one second's worth.
        not_before: nothing goes out before this; the vendor asked for it.
        pause: seconds of the next pause where the vendor does not name one.
    """

    rate: float | None
    now: float
    tokens: float = field(init=False)
    not_before: float = float("-inf")
    pause: float = FIRST_PAUSE

    def __post_init__(self) -> None:
        self.tokens = self._burst

    def ready_at(self, now: float) -> float:
        """When the next request may go out; `now` or earlier = at once."""
        if self.rate is None:
            return self.not_before
        self._refill(now)
        missing = 1.0 - self.tokens
        return max(self.not_before, now + missing / self.rate if missing > 0 else now)

    def spend(self) -> None:
        """A request goes out."""
        if self.rate is not None:
            self.tokens -= 1.0

    def throttled(self, now: float, retry_after: float | None) -> None:
        """The vendor said: too fast.

        A Retry-After of nothing, or in the past of our clock, asks for no wait that could help: it counts as none.
        What comes while we wait already answers requests that were in flight with the first: one pause for all.
        """
        if retry_after:
            self.not_before = max(self.not_before, now + retry_after)
        elif now >= self.not_before:
            self.not_before = now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def accepted(self) -> None:
        """The vendor accepted a request."""
        self.pause = FIRST_PAUSE

    def _refill(self, now: float) -> None:
        assert self.rate is not None  # noqa: S101 - asked only with a rate
        self.tokens = min(self._burst, self.tokens + (now - self.now) * self.rate)
        self.now = now

    @property
    def _burst(self) -> float:
        return max(1.0, (self.rate or 0.0) * BURST_SECONDS)
