"""Whether a process that does not get on polls all the same, and says why it does not get on."""

from typing import TYPE_CHECKING

from processor.report import waiting_for
from tests.simulation.charges import Charge

if TYPE_CHECKING:
    from processor.records import Key
    from processor.running import RunningPipeline
    from tests.simulation.machine import Host
    from tests.simulation.process import Process
    from tests.simulation.world import World

SILENCE = 45.0
"""Seconds without a poll of a member: a turn may hold a drain, and questions that nobody answers."""
STANDSTILL = 60.0
"""Seconds for which a partition with work may stand without a reason that is said; `/live` bears five times as much.

So long what gets on may take: a letter that nobody takes times out after 30 s, and before that nobody knows; the share
of the rate is there within 5 s; and with the slowest pace, 64 times slower than 20 a second shared by 6 partitions, a
request goes out every 19 s.
"""


class Standstills:
    """Watches processes that run."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._still: dict[Host, dict[Key, tuple[object, float]]] = {}

    def look(self, process: "Process", pipeline: "RunningPipeline") -> None:
        """Look at one."""
        if process.asked_at is not None or process.was_frozen:
            return
        referee, now = self._world.referee, self._world.machine.clock.at
        polled = referee.polled.get(process.host, now)
        if now - polled > SILENCE:
            referee.convict(Charge.NOT_POLLING, f"{process.name}, {now - polled:.1f} s")
        self._look_at_partitions(process, pipeline, now)

    def _look_at_partitions(self, process: "Process", pipeline: "RunningPipeline", now: float) -> None:
        """A reason excuses from now on what stands still, and only as long as it is said: so does `/live`."""
        referee = self._world.referee
        stays = {key: stay for (host, key), stay in referee.live.items() if host is process.host and stay.open}
        said = bool(stays) and bool(waiting_for(pipeline))
        before, self._still[process.host] = self._still.get(process.host, {}), {}
        for key, stay in stays.items():
            state = stay.assignment, len(stay.entered), len(stay.open)
            last, since = before.get(key, (None, now))
            since = now if said or state != last else since
            self._still[process.host][key] = state, since
            if now - since > STANDSTILL:
                referee.convict(
                    Charge.SILENT, f"{process.name} {key}: {len(stay.open)} unsettled, nothing said since {since:.1f}"
                )
