"""Is the service alive? Pure: it is told what is, and when.

An outage elsewhere never fails it: restarting a pod that waits for a vendor helps nobody. What fails it is a Kafka
thread that no longer polls, and a partition that has work, no progress, and no reason for that.
"""

from collections.abc import Mapping

from processor.offsets import PartitionView
from processor.records import Key

POLL_LIMIT = 60.0
"""Seconds without a turn of the Kafka thread. A turn may hold a drain (time-out + 2 s), a look for offsets and
the ends of logs (15 s), or three questions to an absent broker (10 s each)."""
PROGRESS_LIMIT = 300.0
"""Seconds without progress of a partition that has work, and no stated reason."""


class ProgressWatch:
    """Remembers since when each partition has made no progress without a reason."""

    def __init__(self) -> None:
        self._since: dict[Key, tuple[int | None, int, float]] = {}

    def stuck(self, view: Mapping[Key, PartitionView], *, excused: bool, now: float) -> list[Key]:
        """Partitions that stand still for too long.

        Args:
            view: what the ledger knows.
            excused: whether a reason is stated (an outage, a throttled vendor, a broker away).
            now: the clock's time.
        """
        before, self._since = self._since, {}
        for key, partition in view.items():
            state = (partition.frontier, partition.records)
            frontier, records, since = before.get(key, (None, 0, now))
            moves = not partition.records or excused or (frontier, records) != state
            self._since[key] = (*state, now if moves else since)
        return [key for key, (_, _, since) in self._since.items() if now - since >= PROGRESS_LIMIT]
