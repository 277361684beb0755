"""Looks at a run now and then, ends it when all is done, and looks back on it."""

from typing import TYPE_CHECKING

from processor.metrics import DELIVERIES, FILTERED
from processor.records import Key
from tests.simulation.charges import Charge
from tests.simulation.config import TOPIC
from tests.simulation.endings import Endings
from tests.simulation.standstills import Standstills

if TYPE_CHECKING:
    from processor.running import RunningPipeline
    from tests.simulation.process import Process
    from tests.simulation.world import World

LOOK = 0.5
"""Seconds between two looks."""
OTHERS = 0.5
"""How likely a good record comes at a look, where poison waits to be compared with one."""


class Inspector:
    """Watches what no single event shows."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._ending = False
        self._endings = Endings(world)
        self._standstills = Standstills(world)
        self.over = False
        """Whether the run has come to its end."""

    # Now and then.

    def begin(self) -> None:
        """Look now, and again and again."""
        world = self._world
        now = world.machine.clock.at
        for process in world.running:
            self._look(process)
        if self._ending:
            self.over = not world.running
        elif now > world.setup.calm + world.setup.patience:
            self._convict_stuck()
        elif now > world.setup.calm and self._done():
            self._ending = True
            for process in world.running:
                process.terminate()
        world.machine.later(LOOK, self.begin)

    def _done(self) -> bool:
        """Whether everything has ended, and the group knows it."""
        world = self._world
        if not any(process.asked_at is None for process in world.running):
            world.start()
            return False
        for key in self._keys():
            committed = world.committed(key)
            if self._is_doomed(key, committed) and world.machine.random.random() < OTHERS:
                world.traffic.write_good(key[1])
            if committed < self._end(key) or world.books.open(key):
                return False
        return all(process.ready for process in world.running)

    def _is_doomed(self, key: Key, committed: int) -> bool:
        """Whether poison may be on its way, perhaps once more."""
        truths = self._world.traffic.truths.get(key, {})
        return any(truth.doomed for offset, truth in truths.items() if offset >= committed)

    def _keys(self) -> list[Key]:
        return [(TOPIC, number) for number in range(len(self._world.cluster.topics[TOPIC].partitions))]

    def _end(self, key: Key) -> int:
        """Up to where the group must have committed."""
        truths = self._world.traffic.truths.get(key, {})
        return max(truths, default=-1) + 1

    def _convict_stuck(self) -> None:
        world = self._world
        for process in world.running:
            if not process.ready:
                world.referee.convict(Charge.UNREADY, process.name)
        for key in self._keys():
            missing, committed = world.books.open(key), world.committed(key)
            if missing or committed < self._end(key):
                words = f"{key}: {len(missing)} not done, committed {committed} of {self._end(key)}; {missing[:3]}"
                world.referee.convict(Charge.STUCK, words)

    def _look(self, process: "Process") -> None:
        pipeline = process.pipeline
        if pipeline is None or not process.host.running:
            return
        self._check_records(process, pipeline)
        self._check_deliveries(process, pipeline)
        self._endings.look(process)
        self._standstills.look(process, pipeline)

    def _check_records(self, process: "Process", pipeline: "RunningPipeline") -> None:
        counts, tally = pipeline.kafka.counts, self._world.referee.tallies[process.host]
        held = sum(len(stay.open) for (host, _), stay in self._world.referee.live.items() if host is process.host)
        read, abandoned = sum(counts.read.values()), sum(counts.abandoned.values())
        if (read, abandoned) != (tally.read, tally.abandoned) or read != tally.settled + held + abandoned:
            self._world.referee.convict(
                Charge.RECORDS,
                f"{process.name}: {read} read, {abandoned} abandoned; entered {tally.read}, settled {tally.settled}, "
                f"unsettled {held}, abandoned {tally.abandoned}",
            )

    def _check_deliveries(self, process: "Process", pipeline: "RunningPipeline") -> None:
        score, scheduler, metrics = pipeline.score, pipeline.scheduler, process.metrics
        ended = metrics.total(DELIVERIES) + metrics.total(FILTERED, reason="too_old")
        states = {
            "waiting": scheduler.waiting,
            "cooling": scheduler.cooling,
            "sending": pipeline.sender.sending,
            "burying": pipeline.pipeline._burying.total(),
        }
        if score.made != ended + sum(states.values()):
            self._world.referee.convict(
                Charge.DELIVERIES, f"{process.name}: {score.made} made; {ended} ended, {states}"
            )

    # What ends.

    def killed(self, process: "Process") -> None:
        """A process is about to be killed."""
        self._endings.killed(process)

    def ended(self, process: "Process") -> None:
        """A process has ended by itself."""
        self._endings.ended(process)

    # In the end.

    def look_back(self) -> None:
        """What can only be said of the whole run."""
        books, referee = self._world.books, self._world.referee
        budgeted = referee.innocents.budgeted
        if len(budgeted) > self._world.setup.spare:
            referee.convict(Charge.INNOCENT, f"{len(budgeted)}, the first is {next(iter(budgeted.values()))}")
        for (key, lane), taken in books.lanes.items():
            gone = any(offset in books.excused[key] for offset, _ in taken)
            if taken[-1] != max(taken) and not gone:
                referee.convict(Charge.NEWEST, f"{lane} ends with {taken[-1]}, after {max(taken)}")
