"""Waits that grow: after the first failure, the second, and so on."""

from collections.abc import Sequence


def delay_after(failures: int, delays: Sequence[float]) -> float:
    """Seconds to wait after so many failures, at least one; the last delay repeats."""
    return delays[min(failures, len(delays)) - 1]
