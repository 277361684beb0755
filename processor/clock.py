"""The only place that asks what time it is; everything else is handed a `Clock` or a `now`."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for delays, one for what people and vendors read."""

    def now(self) -> float:
        """Seconds on a clock that never jumps; only differences mean anything."""

    def wall(self) -> float:
        """Seconds since 1970 (UTC)."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time()


class ManualClock:
    """A clock for tests and simulations: time passes only when told."""

    def __init__(self, start: float = 0.0, wall: float = 1_800_000_000.0) -> None:
        self._now = start
        self._offset = wall - start

    def now(self) -> float:
        """Seconds as far as `advance` went."""
        return self._now

    def wall(self) -> float:
        """The same, counted from 1970."""
        return self._now + self._offset

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
