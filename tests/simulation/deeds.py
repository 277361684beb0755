"""What is done in a run to processes and to Kafka."""

from typing import TYPE_CHECKING

from tests.simulation.config import TOPIC
from tests.simulation.worlds import Act, Deed

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

JUMPS = (-86_400.0, -3600.0, -10.0, 10.0, 3600.0, 86_400.0)
"""Seconds by which the wall clock is set."""
OF_PROCESSES = frozenset({Act.TERM, Act.KILL, Act.FREEZE, Act.BREAK_CONSUMERS, Act.BREAK_PRODUCERS})
COMPACTED = 0.3
"""Of the records that are done with."""


class Deeds:
    """Does them."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def begin(self) -> None:
        """Plan them."""
        for deed in self._world.setup.deeds:
            self._world.machine.later(deed.at, lambda deed=deed: self._do(deed))  # type: ignore[misc]

    def _do(self, deed: Deed) -> None:
        if deed.act is Act.START:
            self._world.start()
        elif deed.act is Act.JUMP:
            self._world.machine.clock.jump(self._world.machine.random.choice(JUMPS))
        elif deed.act is Act.REPAIR:
            for each in self._world.running:
                each.terminate()
                self._start_later(deed.seconds)
        elif deed.act in OF_PROCESSES:
            if process := self._one():
                self._do_to(process, deed)
        else:
            self._do_to_topic(deed.act)

    def _do_to(self, process: "Process", deed: Deed) -> None:
        world = self._world
        match deed.act:
            case Act.TERM:
                process.terminate()
                self._start_later(deed.seconds)
            case Act.KILL:
                world.inspector.killed(process)
                process.kill()
                self._start_later(deed.seconds)
            case Act.FREEZE:
                process.freeze()
                world.machine.later(deed.seconds or 0.0, process.thaw)
            case Act.BREAK_CONSUMERS:
                process.was_broken = True
                world.cluster.break_consumers(process.host)
            case _:
                process.was_broken = True
                world.cluster.break_producers(process.host)

    def _do_to_topic(self, act: Act) -> None:
        cluster, random = self._world.cluster, self._world.machine.random
        partitions = cluster.topics[TOPIC].partitions
        match act:
            case Act.RECREATE:
                self._world.referee.recreated()
                cluster.create(TOPIC, len(partitions))
            case Act.EXPIRE:
                for number, log in enumerate(partitions):
                    before = (log.start + log.end) // 2
                    self._world.books.excused[TOPIC, number] |= set(range(log.start, before))
                    log.expire(before)
            case Act.ADD_PARTITIONS:
                cluster.add_partitions(TOPIC, len(partitions) + 1)
            case Act.COMPACT:
                for number, log in enumerate(partitions):
                    gone = [each.offset for each in log.entries[:-1] if random.random() < COMPACTED]
                    self._world.books.excused[TOPIC, number] |= set(gone)
                    log.compact(gone)
            case _:
                for number, log in enumerate(partitions):
                    log.append(cluster.wall_ms(), control=True)
                    cluster.written((TOPIC, number))

    def _one(self) -> "Process | None":
        """One of the processes that run; None where none does."""
        running = [process for process in self._world.running if process.host.running and process.asked_at is None]
        return self._world.machine.random.choice(running) if running else None

    def _start_later(self, seconds: float | None) -> None:
        if seconds is not None:
            self._world.machine.later(seconds, lambda: void(self._world.start()))


def void(_: object) -> None:
    """For a call whose result nobody wants."""
