"""When to commit: every interval, one commit in flight, never twice the same."""

from dataclasses import dataclass


@dataclass(slots=True)
class CommitPace:
    """Says when the next offset commit may go out.

    Two in flight could land in the wrong order: librdkafka repeats a failed OffsetCommit by itself, and the older one
    would put the offset back (invariant 3).

    Attributes:
        interval: seconds between commits.
        in_flight: a commit was sent and not answered yet.
    """

    interval: float
    in_flight: bool = False
    last: float = float("-inf")

    def due(self, now: float) -> bool:
        """Whether a commit may go out now."""
        return not self.in_flight and now - self.last >= self.interval

    def sent(self, now: float) -> None:
        """A commit went out."""
        self.in_flight = True
        self.last = now

    def answered(self) -> None:
        """It was answered, or its consumer is gone; a failed one is simply tried again at the next interval."""
        self.in_flight = False
