"""How fast requests may go out: a token bucket at this replica's part of the account's rate, and `not_before`. Pure.

A throttled answer (429, or 503 with Retry-After) says that the rate is too high: a pause, and half of the rate after
it, which comes back by a tenth every ten seconds. Where the file names no rate, half of what was sent becomes one.
"""

FIRST_PAUSE = 1.0
"""Seconds after a 429 without Retry-After; doubled by each pause that did not help."""
LONGEST_PAUSE = 60.0
BURST_SECONDS = 0.25
"""At most this much of the limit may go out at once. A whole second of it would be twice the account's rate in one
second of the vendor's; with less than a quarter, what a busy process is late by would be lost."""
RECHECK = 0.5
"""Seconds at most until a waiting request asks again: the share may have changed meanwhile."""
STEP = 10.0
"""Seconds in which the rate is halved at most once, and after which it recovers by one step."""
RECOVERY = 1.1
LEAST_PART = 1 / 64
"""Of the rate, however often it was halved: some seven minutes from all of it. Beyond that pauses do the rest."""
LEAST_LIMIT = 1.0
"""Requests a second, the same where the file names no rate."""
FORGET = 60.0
"""Seconds without a request that had to wait for the limit, after which a limit that no file names is dropped."""
MANY_STEPS = 50
"""Recover from anything."""
NEVER = float("inf")


class Meter:
    """Requests a second over the last ten seconds. Any thread may ask; one counts."""

    __slots__ = ("_counts", "_first", "_seconds")

    SECONDS = 10

    def __init__(self) -> None:
        self._seconds = [-1] * self.SECONDS
        self._counts = [0] * self.SECONDS
        self._first: float | None = None

    def count(self, now: float) -> None:
        """A request goes out."""
        second = int(now)
        at = second % self.SECONDS
        if self._seconds[at] != second:
            if self._first is None:
                self._first = now
            self._counts[at] = 0
            self._seconds[at] = second
        self._counts[at] += 1

    def rate(self, now: float) -> float:
        """Requests a second; who began less than ten seconds ago is judged by these, but never by less than one."""
        if self._first is None:
            return 0.0
        last = int(now)
        oldest = last - self.SECONDS + 1
        sent = sum(count for second, count in zip(self._seconds, self._counts, strict=True) if oldest <= second <= last)
        return sent / max(now - max(self._first, oldest), 1.0)


class Pace:
    """One account's pace, as far as it is this replica's.

    Args:
        rate: requests a second of the whole account; None = no limit.
        now: seconds on a clock that never jumps.
        share: the part of the rate that is this replica's; 0 = not known yet, nothing goes out. A replica that
            begins with 0 begins with an empty bucket, so that restarts are no bursts.

    Attributes:
        limit: requests a second that may go out; None = no limit.
        not_before: nothing goes out before this; the vendor asked for it, or what is done could not be written down.
    """

    __slots__ = (
        "_burst",
        "_filled",
        "_halved",
        "_meter",
        "_part",
        "_pause",
        "_reached",
        "_recovers_at",
        "_tokens",
        "limit",
        "not_before",
        "rate",
        "share",
    )

    def __init__(self, rate: float | None, now: float, share: float = 1.0) -> None:
        self.rate = rate
        self.share = share
        self.limit: float | None = None
        self.not_before = -NEVER
        self._meter = Meter()
        self._pause = FIRST_PAUSE
        self._part = 1.0
        self._halved = -NEVER
        self._reached = now
        self._recovers_at = NEVER
        self._filled = now
        self._burst = 0.0
        self._tokens = NEVER
        if rate is not None:
            self._set_limit(rate * share)

    # Asked for each request.

    def ready_at(self, now: float) -> float:
        """When to ask again; `now` or earlier = the next request may go out at once."""
        if now >= self._recovers_at:
            self._recover(now)
        self._fill(now)
        if self.limit is None or self._tokens >= 1.0:
            return self.not_before
        self._reached = now
        missing = 1.0 - self._tokens
        wait = min(missing / self.limit, RECHECK) if self.limit else RECHECK
        return max(self.not_before, now + wait)

    def spend(self) -> None:
        """A request goes out, at the time of the last `ready_at`."""
        self._tokens -= 1.0
        self._meter.count(self._filled)

    # What is learnt.

    def accepted(self) -> None:
        """The vendor accepted a request."""
        self._pause = FIRST_PAUSE

    def throttled(self, now: float, retry_after: float | None) -> None:
        """The vendor said: too fast.

        A Retry-After of nothing, or in the past of our clock, asks for no wait that could help: it counts as none.
        What comes while we wait already answers requests that were in flight with the first: one pause for all, and
        the rate is halved once.
        """
        news = now >= self.not_before
        if retry_after:
            self.not_before = max(self.not_before, now + retry_after)
        elif news:
            self.not_before = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        if news and now >= self._halved + STEP:
            self._halve(now)
        # The pause brings no tokens, no recovery, and is no reason to forget: it teaches nothing about the vendor.
        self._fill(now)
        self._tokens = min(self._tokens, 1.0)
        self._filled = self._reached = self.not_before
        self._recovers_at = max(self._recovers_at, self.not_before + STEP)

    def rest(self, until: float) -> None:
        """Let nothing go out before this, for a reason of our own; it teaches nothing."""
        self.not_before = max(self.not_before, until)

    def take_share(self, share: float, now: float) -> None:
        """The part of the rate that is this replica's has changed; that is never a burst."""
        self.share = share
        if self.rate is not None:
            self._fill(now)
            self._set_limit(self.rate * share * self._part)

    # What is seen.

    def used(self, now: float) -> float:
        """Requests a second that went out in the last ten seconds; any thread may ask."""
        return self._meter.rate(now)

    def holds_back(self, now: float) -> bool:
        """Whether the next request has to wait for the limit; one of nothing is not known yet, and no reason."""
        if not self.limit:
            return False
        return self._tokens + max(now - self._filled, 0.0) * self.limit < 1.0

    def _fill(self, now: float) -> None:
        elapsed = now - self._filled
        if elapsed > 0:
            self._filled = now
            if self.limit is not None:
                self._tokens = min(self._tokens + elapsed * self.limit, self._burst)

    def _set_limit(self, limit: float | None) -> None:
        """Change the limit; what is in the bucket stays in it as far as there is room."""
        self.limit = limit
        if limit is None:
            self._tokens = NEVER
        else:
            self._burst = max(1.0, limit * BURST_SECONDS) if limit else 0.0
            self._tokens = min(self._tokens, self._burst)

    def _halve(self, now: float) -> None:
        self._halved = now
        self._recovers_at = now + STEP
        if self.rate is None:
            # Not what was sent where there is a limit: after a pause that is next to nothing.
            before = self.used(now) if self.limit is None else self.limit
            self._set_limit(max(before / 2, LEAST_LIMIT))
        else:
            self._part = max(self._part / 2, LEAST_PART)
            self._set_limit(self.rate * self.share * self._part)

    def _recover(self, now: float) -> None:
        """Take the steps that were due until now."""
        steps = int((now - self._recovers_at) / STEP) + 1
        self._recovers_at += steps * STEP
        grown = RECOVERY ** min(steps, MANY_STEPS)
        self._fill(now)
        if self.rate is None:
            assert self.limit is not None  # noqa: S101 - only a limit recovers
            forgotten = now - self._reached >= FORGET
            self._set_limit(None if forgotten else self.limit * grown)
        else:
            self._part = min(self._part * grown, 1.0)
            self._set_limit(self.rate * self.share * self._part)
        if self.limit is None or (self.rate is not None and self._part == 1.0):
            self._recovers_at = NEVER
