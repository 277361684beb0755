"""Everything together: a plan drawn by a seed, so that a seed that fails can be run again."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from math import inf
from random import Random
from typing import NamedTuple

from tests.chaos.arena import SESSION, Arena, Replica
from tests.chaos.cases import flowing
from tests.chaos.verdict import judged
from tests.chaos.weather import Weather, poison, storms
from tests.reliability.vendor import Fault
from tests.reliability.verdict import Finding

MANY = 100
"""More than there are replicas or brokers."""
FEWEST, MOST = 2, 4
"""Replicas that run at any time."""
LASTS = {
    "kill": (0.0, 0.0),
    "roll": (0.0, 0.0),
    "join": (0.0, 0.0),
    "leave": (0.0, 0.0),
    "freeze": (1.0, SESSION + 4),
    "broker": (1.0, 8.0),
    "503": (1.0, 6.0),
    "401": (1.0, 6.0),
    "429": (1.0, 6.0),
    "500s": (2.0, 10.0),
    "hangs": (2.0, 10.0),
    "resets": (2.0, 10.0),
}
"""What may be done, and for how many seconds."""


class Step(NamedTuple):
    """One thing that is done.

    Attributes:
        at: seconds from the beginning.
        what: a name of `LASTS`.
        whom: which of those that it may be done to, whatever their number is then.
        ends: whether it is over then.
    """

    at: float
    what: str
    whom: int
    ends: bool = False


def drawn(seed: int, seconds: float) -> list[Step]:
    """What is done in so many seconds; each kind is done once before one is done again."""
    random = Random(seed)  # noqa: S311 - the same plan each time
    steps: list[Step] = []
    kinds: list[str] = []
    at = 0.0
    while at < seconds:
        kinds = kinds or random.sample(sorted(LASTS), len(LASTS))
        what, whom = kinds.pop(), random.randrange(MANY)
        steps.append(Step(at, what, whom))
        if lasts := random.uniform(*LASTS[what]):
            steps.append(Step(at + lasts, what, whom, ends=True))
        at += random.uniform(0, 2 * seconds / len(LASTS))
    return sorted(steps)


@dataclass
class Conductor:
    """Carries a plan out.

    Attributes:
        storms: what may be wrong with the vendor.
        open: what goes on, and how it ends.
    """

    arena: Arena
    storms: Mapping[str, Fault]
    weather: Weather = field(default_factory=lambda: Weather({"poison": poison}))
    open: dict[str, Callable[[], None]] = field(default_factory=dict)

    def carry_out(self, step: Step) -> None:
        """Do it, where it can be done now."""
        if step.ends:
            self.end(step.what)
        elif step.what in self.storms:
            self.open[step.what] = self._storm(step.what)
        elif step.what == "broker":
            self.open[step.what] = self._broker(step.whom)
        else:
            self._replica(step.what, step.whom)

    def end(self, what: str) -> None:
        """What began is over; if it did."""
        self.open.pop(what, _nothing)()

    def end_all(self) -> None:
        """Nothing is wrong any more."""
        for what in list(self.open):
            self.end(what)

    def _storm(self, what: str) -> Callable[[], None]:
        self.end(what)
        stack = ExitStack()
        stack.enter_context(self.arena.during("vendor"))
        stack.callback(self.weather.layers.pop, what)
        self.weather.layers[what] = self.storms[what]
        return stack.close

    def _broker(self, whom: int) -> Callable[[], None]:
        self.end("broker")  # two of three must be up, or nothing can be written
        assert self.arena.kafka, "this case breaks brokers"
        self.arena.kafka.healed()
        nodes = self.arena.kafka.running
        node, stack = nodes[whom % len(nodes)], ExitStack()
        stack.enter_context(self.arena.during("broker"))
        stack.callback(node.start)
        node.kill()
        return stack.close

    def _replica(self, what: str, whom: int) -> None:
        """Replicas that are frozen are left alone, and those that are not up yet are not asked to end."""
        asleep = [fault.agent for fault in self.arena.faults if fault.ended == inf]
        awake = [replica for replica in self.arena.replicas if replica.agent not in asleep]
        up = [replica for replica in awake if self.arena.owned(replica)]
        if what == "join" and len(self.arena.replicas) < MOST:
            self.arena.join()
        elif what == "kill":
            self._again(self.arena.kill, awake[whom % len(awake)])
        elif what == "freeze" and len(awake) > 1:
            victim = awake[whom % len(awake)]
            self.end(what)
            self.arena.freeze(victim)
            self.open[what] = partial(self.arena.thaw, victim)
        elif what == "roll" and up:
            self._again(self.arena.leave, up[whom % len(up)])
        elif what == "leave" and len(awake) > FEWEST and up:
            self.arena.leave(up[whom % len(up)])

    def _again(self, end: Callable[[Replica], None], replica: Replica) -> None:
        """End one and start another one in its place."""
        end(replica)
        self.arena.join(replica.name)


def _nothing() -> None:
    """What never began need not end."""


def everything(
    arena: Arena, *, seed: int, seconds: float = 45, steady: float = 5, without: Sequence[str] = ()
) -> Finding:
    """Carry out what a seed draws, and judge all of it.

    Args:
        arena: without replicas yet.
        seed: says what is done.
        seconds: how long.
        steady: seconds without trouble before and after it.
        without: what is left out.
    """
    conductor = Conductor(arena, storms(Random(seed)))  # noqa: S311 - the same dice each time
    arena.vendor.fault = conductor.weather
    with flowing(arena, 3, steady):
        begun = time.monotonic()
        for step in drawn(seed, seconds):
            if step.what not in without:
                time.sleep(max(begun + step.at - time.monotonic(), 0))
                conductor.carry_out(step)
        conductor.end_all()
        if arena.kafka:
            arena.kafka.healed()
    return judged(arena, poison=True)
