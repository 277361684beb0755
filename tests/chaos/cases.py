"""What is done to the replicas, to Kafka and to the vendor. All under a live feed; each case a minute or more."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.chaos.arena import SESSION, Arena
from tests.chaos.verdict import AFTER_SESSION, LONGEST, judged
from tests.chaos.weather import Weather, poison, storms
from tests.reliability.vendor import nothing_wrong
from tests.reliability.verdict import Finding
from tests.support.cluster import KafkaCluster, Node

STEADY = 3.0
"""Seconds without trouble before and after it."""


@contextmanager
def flowing(arena: Arena, replicas: int, steady: float = STEADY) -> Iterator[None]:
    """A live feed to so many replicas; trouble is made within, and everything has settled behind it."""
    arena.begin(replicas)
    with arena.feeding(pick=arena.pick):
        time.sleep(steady)
        yield
        arena.until_balanced()
        time.sleep(steady)
    arena.settle_all()


def killed(arena: Arena, *, times: int = 6, every: float = SESSION + 2, steady: float = STEADY) -> Finding:
    """Kill -9 of one replica after another, each started again at once; never of the only one that has partitions."""
    random = Random(1)  # noqa: S311 - the same each time
    with flowing(arena, 3, steady):
        for _ in range(times):
            victim = random.choice(arena.until_working(2))
            arena.kill(victim)
            arena.join(victim.name)
            time.sleep(every)
    return judged(arena, longest=AFTER_SESSION)


def frozen(arena: Arena, *, times: int = 2, seconds: float = SESSION + 4, steady: float = STEADY) -> Finding:
    """A replica is stopped for longer than its session, and goes on."""
    with flowing(arena, 3, steady):
        for each in range(times):
            arena.freeze(arena.replicas[each])
            time.sleep(seconds)
            arena.thaw(arena.replicas[each])
            arena.until_balanced()
            time.sleep(steady)
    return judged(arena, longest=AFTER_SESSION)


def scaled(arena: Arena, *, most: int = 3, steady: float = STEADY) -> Finding:
    """One replica, then three, then one."""
    with flowing(arena, 1, steady):
        for _ in range(most - 1):
            arena.join()
            arena.until_balanced()
            time.sleep(steady)
        for _ in range(most - 1):
            arena.leave(arena.replicas[0])
            arena.until_balanced()
            time.sleep(steady)
    return judged(arena)


def rolled(arena: Arena, *, times: int = 1, steady: float = STEADY) -> Finding:
    """Each of three replicas ends and is started again, one after another."""
    with flowing(arena, 3, steady):
        for _ in range(3 * times):
            oldest = arena.replicas[0]
            arena.leave(oldest)
            arena.join(oldest.name)
            arena.until_balanced()
    return judged(arena)


def broker_restarted(arena: Arena, *, steady: float = STEADY) -> Finding:
    """The broker that coordinates the group stops and starts again; then it is killed and starts again."""
    with flowing(arena, 2, steady):
        for end in (Node.stop, Node.kill):
            node = _coordinator(arena)
            with arena.during("broker"):
                end(node)
                node.start()
            _cluster(arena).healed()
            time.sleep(2 * steady)
    return judged(arena, longest=LONGEST)


def broker_lost(arena: Arena, *, seconds: float = 20, steady: float = STEADY) -> Finding:
    """The broker that coordinates the group is killed, and stays away."""
    with flowing(arena, 2, steady):
        node = _coordinator(arena)
        with arena.during("broker"):
            node.kill()
        time.sleep(seconds)
    node.start()
    _cluster(arena).healed()
    return judged(arena, longest=LONGEST)


def stormy(arena: Arena, *, storm: str, seconds: float = 20, steady: float = STEADY) -> Finding:
    """The vendor goes wrong in one way for a while."""
    weather = arena.vendor.fault = Weather()
    with flowing(arena, 2, steady), arena.during("vendor"):
        weather.layers[storm] = storms(Random(1))[storm]  # noqa: S311 - the same each time
        time.sleep(seconds)
        weather.layers.clear()
    return judged(arena)


def refused(arena: Arena, *, seconds: float = 20, steady: float = STEADY) -> Finding:
    """The vendor's port is closed for a while."""
    with flowing(arena, 2, steady), arena.during("vendor"):
        arena.vendor.refuse_connections()
        time.sleep(seconds)
        arena.vendor.take_connections()
    return judged(arena)


def poisoned(arena: Arena, *, seconds: float = 30, steady: float = STEADY) -> Finding:
    """Every hundredth event is one that the vendor never takes."""
    arena.vendor.fault = poison
    with flowing(arena, 2, steady):
        time.sleep(seconds)
    finding = judged(arena, poison=True)
    arena.vendor.fault = nothing_wrong
    return finding


def _cluster(arena: Arena) -> KafkaCluster:
    assert arena.kafka, "this case breaks brokers"
    return arena.kafka


def _coordinator(arena: Arena) -> Node:
    return _cluster(arena).coordinator(f"{arena.path.prefix}.voyado")
