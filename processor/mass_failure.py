"""Whether so many records fail before they are sent that the deployment is at fault, and not the records.

Pure: it is told what became of each record that a route wanted, in the order in which they were worked on.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from processor.records import Stage


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a record failed; `message` names fields, never their values. No route where none could be asked."""

    route: str
    stage: Stage
    message: str

    def __str__(self) -> str:
        route = f"route {self.route}, " if self.route else ""
        return f"{route}stage {self.stage}: {self.message}"


@dataclass(frozen=True, slots=True)
class MassFailure:
    """Too many of the last records failed.

    Attributes:
        failed: how many.
        wanted: of so many.
        cause: the most frequent one.
        times: how many of them it made fail.
    """

    failed: int
    wanted: int
    cause: Cause
    times: int

    def __str__(self) -> str:
        return (
            f"{self.failed} of the last {self.wanted} records that a route wanted failed before they could be sent, "
            f"{self.times} of them in {self.cause}"
        )


class FailureWindow:
    """What became of the last records that a route wanted: records, not deliveries.

    Args:
        hold_above: the part of them that may fail; 1 = all.
        window: how many are remembered.
        least: so many failures are never too many while they are fewer.
    """

    def __init__(self, hold_above: float, window: int, least: int) -> None:
        # The decimal that the file has: 0.29 of 100 is 29, and not a little less.
        self._above = Fraction(str(hold_above))
        self._least = least
        self._outcomes: deque[Sequence[Cause]] = deque(maxlen=window)
        self._failed = 0

    def add(self, causes: Sequence[Cause] = ()) -> MassFailure | None:
        """Enter a record, with the causes that made it fail, each once; says whether that is one failure too many."""
        outcomes = self._outcomes
        if len(outcomes) == outcomes.maxlen and outcomes[0]:
            self._failed -= 1
        outcomes.append(causes)
        if not causes:
            return None
        self._failed += 1
        if self._failed < self._least or self._failed <= self._above * len(outcomes):
            return None
        ((cause, times),) = Counter(cause for each in outcomes for cause in each).most_common(1)
        return MassFailure(self._failed, len(outcomes), cause, times)
