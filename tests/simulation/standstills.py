"""Whether a process that does not get on polls all the same, and says why it does not get on."""

from typing import TYPE_CHECKING

from processor.report import waiting_for
from tests.simulation.charges import Charge

if TYPE_CHECKING:
    from processor.running import RunningPipeline
    from tests.simulation.machine import Host
    from tests.simulation.process import Process
    from tests.simulation.world import World

SILENCE = 45.0
"""Seconds without a poll of a member: a turn may hold a drain, and questions that nobody answers."""
STANDSTILL = 60.0
"""Seconds in which something must happen, or be said."""


class Standstills:
    """Watches processes that run."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._since: dict[Host, tuple[object, float]] = {}

    def look(self, process: "Process", pipeline: "RunningPipeline") -> None:
        """Look at one."""
        if process.asked_at is not None or process.was_frozen:
            return
        referee, now = self._world.referee, self._world.machine.clock.at
        polled = referee.polled.get(process.host, now)
        if now - polled > SILENCE:
            referee.convict(Charge.NOT_POLLING, f"{process.name}, {now - polled:.1f} s")
        stays = [stay for (host, _), stay in referee.live.items() if host is process.host]
        state = [(stay.assignment.epoch, len(stay.entered), len(stay.open)) for stay in stays]
        before, since = self._since.get(process.host, (None, now))
        if state != before or not any(stay.open for stay in stays):
            self._since[process.host] = state, now
        elif now - since > STANDSTILL and not pipeline.sender.in_flight and not waiting_for(pipeline):
            referee.convict(Charge.SILENT, f"{process.name}: {state} since {since:.1f}")
