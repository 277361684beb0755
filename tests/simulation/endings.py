"""How processes end: by SIGTERM with everything committed that was settled, by SIGKILL with little to repeat."""

from typing import TYPE_CHECKING

from tests.simulation.charges import Charge
from tests.simulation.traffic import Kind
from tests.simulation.weather import Ill

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

MARGIN = 0.5
"""Seconds that an end may take beyond `shutdown_timeout`, with what the processor needs for it."""
BEFORE = 15.0
"""Seconds for which a trouble of Kafka's goes on to be felt."""
COMMIT_TAKES = 1.5
"""Seconds at most from a commit's being due to its being taken, while Kafka is well."""
KAFKA = frozenset(
    {Ill.AWAY, Ill.SLOW, Ill.SILENT, Ill.NO_COORDINATOR, Ill.NO_LEADER, Ill.COMMITS_REFUSED, Ill.METADATA_REFUSED}
)


class Endings:
    """Holds ends against what is specified."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def look(self, process: "Process") -> None:
        """It runs: does it still, long after SIGTERM?"""
        if process.asked_at is None or process.was_frozen:
            return
        late = self._world.machine.clock.at - process.asked_at
        if late > self._world.setup.figures.shutdown_timeout + MARGIN:
            self._world.referee.convict(Charge.EXIT, f"{process.name} has not ended {late:.1f} s after SIGTERM")

    def ended(self, process: "Process") -> None:
        """It has ended by itself."""
        referee = self._world.referee
        if process.asked_at is None:
            referee.convict(Charge.ENDED, f"{process.name} ended by itself: {process.error}")
        elif self._troubled(process, process.asked_at):
            return
        elif process.error is not None:
            referee.convict(Charge.EXIT, f"{process.name}: {process.error}")
        else:
            self._check_committed(process, process.asked_at)

    def killed(self, process: "Process") -> None:
        """It is about to be killed: how much of what it settled would be sent again?"""
        referee, setup, now = self._world.referee, self._world.setup, self._world.machine.clock.at
        plain = set(setup.kinds) == {Kind.SEEN} and not self._world.books.letters
        if not plain or process.asked_at is not None or self._troubled(process, now):
            return
        since = now - setup.figures.commit_interval - COMMIT_TAKES
        for (host, key), stay in referee.live.items():
            known = referee.named[key]
            lost = [
                offset
                for offset, at in stay.settled.items()
                if at < since and offset >= referee.offsets.get(key, 0) and offset not in known
            ]
            if host is process.host and lost:
                words = f"{process.name} {key}: {lost[:5]}, settled before {since:.1f}, are in no commit"
                referee.convict(Charge.MUCH_REPEATED, words)

    def _check_committed(self, process: "Process", asked: float) -> None:
        for at, stay in self._world.referee.ended:
            key = stay.assignment.key
            could = stay.host is process.host and at >= asked and not stay.lost
            if could and self._world.committed(key) < stay.frontier:
                self._world.referee.convict(
                    Charge.UNCOMMITTED,
                    f"{process.name} {key}: settled up to {stay.frontier}, committed {self._world.committed(key)}",
                )

    def _troubled(self, process: "Process", since: float) -> bool:
        """Whether Kafka, or what is done to the process, may keep it from ending well."""
        now = self._world.machine.clock.at
        ills = [each for each in self._world.setup.episodes if each.ill in KAFKA]
        ill = any(each.start <= now and each.end >= since - BEFORE for each in ills)
        return ill or process.was_frozen or process.was_broken
