"""What the user of the demo asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

STEADY = 3.0
"""Seconds of normal flow before, between and behind the troubles."""
RECOVERY = 4.0
"""Seconds that a trouble goes on for at most after its end: until the next probe."""
RESTART = 5.0
"""Seconds that a restart takes, about."""
VENDORS = ("voyado", "rocket")
"""The destinations of the demo's file."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user asked for.

    Attributes:
        events: clicks in all; None = until stopped.
        seconds: of clicking; None = until stopped.
        seed: makes the clicks.
        outage: seconds for which vendors answer 503; 0 = none.
        revoke: seconds until a revoked key is replaced; 0 = none is revoked.
        poison: share of the events that nobody takes, 0 to 1.
        restart: whether the service is stopped and started again.
        at: the vendors that have the troubles.
        host: where the status page listens.
    """

    events: int | None = None
    seconds: float | None = None
    seed: int = 1
    outage: float = 0.0
    revoke: float = 0.0
    poison: float = 0.0
    restart: bool = False
    at: Sequence[str] = ("rocket",)
    host: str = "127.0.0.1"

    @property
    def troubled(self) -> bool:
        """Whether there are troubles that take their time."""
        return bool(self.outage or self.revoke or self.restart)

    @property
    def length(self) -> float:
        """Seconds that the troubles take, about, with the flow around them."""
        lengths = [self.outage and self.outage + RECOVERY, self.revoke and self.revoke + RECOVERY]
        lengths.append(RESTART if self.restart else 0.0)
        return STEADY + sum(each + STEADY for each in lengths if each)
