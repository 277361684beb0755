"""When to commit: every interval, one commit in flight, never twice the same."""

from dataclasses import dataclass


@dataclass(slots=True)
class CommitPace:
    """Says when the next offset commit may go out.

    Two in flight could land in the wrong order: librdkafka repeats a failed OffsetCommit by itself, and the older one
    would put the offset back (invariant 3).

    Attributes:
        interval: seconds between commits.
        open: commits that were sent and not answered yet: more than one only where partitions leave.
    """

    interval: float
    open: int = 0
    last: float = float("-inf")

    @property
    def in_flight(self) -> bool:
        """Whether a commit waits for its answer."""
        return self.open > 0

    def due(self, now: float) -> bool:
        """Whether a commit may go out now."""
        return not self.in_flight and now - self.last >= self.interval

    def sent(self, now: float, *, whole: bool = True) -> None:
        """A commit went out; `whole` = of all partitions: that of some, which leave, postpones no other's."""
        self.open += 1
        if whole:
            self.last = now

    def answered(self) -> None:
        """One was answered; if it failed, it is simply tried again at the next interval."""
        self.open = max(self.open - 1, 0)

    def forget(self) -> None:
        """The consumer is gone, and with it all answers."""
        self.open = 0
