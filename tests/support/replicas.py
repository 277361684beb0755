"""Several replicas of one pipeline, and what arrives at the vendor in every window of time."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from processor.demo.account import Account
from processor.demo.clicks import STEP, Shop
from tests.support.path import WholePath
from tests.support.service import ServiceProcess
from tests.support.waiting import eventually_sync

WITHIN = 60.0
"""Seconds for a rebalance, or for requests to arrive, on a busy machine."""


class Arrivals(Account):
    """A vendor's books that also know when each call arrived.

    Attributes:
        times: seconds on the vendor's own clock, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def arrive(self, now: float) -> None:
        """A call came in."""
        self.times.append(now)
        super().arrive(now)

    @property
    def rate(self) -> float:
        """Calls a second, from the first one to the last."""
        return len(self.times) / (self.times[-1] - self.times[0])

    def busiest(self, seconds: float, since: int = 0) -> int:
        """The most calls that arrived within any such stretch of time, of those after the first `since`."""
        times = self.times[since:]
        return max((bisect_left(times, begin + seconds) - at for at, begin in enumerate(times)), default=0)


@dataclass
class Fleet:
    """Replicas of Retail Rocket's pipeline, single calls, on one topic.

    Attributes:
        rate: the account's, requests a second.
    """

    path: WholePath
    rate: float
    arrivals: Arrivals
    replicas: list[ServiceProcess] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def fill(self, counts: Mapping[int, int]) -> None:
        """Put so many product views into these partitions."""
        for partition, count in counts.items():
            start = int(time.time() * 1000) - count * STEP
            for click in Shop(partition, start, "ProductViewed").clicks(count):
                while True:
                    try:
                        value = self.path.encoder.encode(click)
                        self.path.producer.produce(self.path.topic, value, click.key, partition=partition)
                        break
                    except BufferError:
                        self.path.producer.poll(0.1)
        assert self.path.producer.flush(30) == 0

    def join(self) -> ServiceProcess:
        """One more replica; wait until each has partitions."""
        changes = self.path.overlay(batch=None, rate=f"{self.rate:g}/s")
        replica = self._stack.enter_context(self.path.service(changes, "--destination", "rocket"))
        replica.ready(WITHIN)
        self.replicas.append(replica)
        self._balanced()
        return replica

    def leave(self, replica: ServiceProcess) -> None:
        """One replica ends, as at a roll-out; wait until the others have its partitions."""
        self.replicas.remove(replica)
        assert replica.terminate() == 0, replica.log
        self._balanced()

    def owned(self, replica: ServiceProcess) -> set[int]:
        """The partitions that are assigned to a replica."""
        return {each["partition"] for each in replica.status()["rocket"]["partitions"]}

    def requests(self, count: int) -> None:
        """Wait until so many more have arrived."""
        wanted = len(self.arrivals.times) + count
        eventually_sync(lambda: len(self.arrivals.times) >= wanted, WITHIN + 3 * count / self.rate)

    def _balanced(self) -> None:
        """Wait until every partition is owned, and everyone owns some."""
        everything = set(self.path.ends())

        def balanced() -> bool:
            owned = [self.owned(replica) for replica in self.replicas]
            return all(owned) and sum(map(len, owned)) == len(everything) and set().union(*owned) == everything

        eventually_sync(balanced, WITHIN)

    def close(self) -> None:
        """End all replicas."""
        self._stack.close()


@contextmanager
def running_fleet(path: WholePath, rate: float) -> Iterator[Fleet]:
    """A fleet without replicas yet; they end with the block."""
    arrivals = Arrivals()
    path.vendors.rocket.account = arrivals
    fleet = Fleet(path, rate, arrivals)
    try:
        yield fleet
    finally:
        fleet.close()


@dataclass(frozen=True, slots=True)
class Row:
    """What arrived while something happened.

    Attributes:
        requests: how many.
        mean: requests a second, relative to the rate.
        second, ten_seconds: the most within any 1 s and any 10 s, relative to the rate.
    """

    replicas: str
    what: str
    requests: int
    mean: float
    second: float
    ten_seconds: float


def measured(fleet: Fleet, replicas: str, what: str, act: Callable[[], None], seconds: float) -> Row:
    """Do something, then let requests arrive for about so many seconds, and say how fast they came."""
    since = len(fleet.arrivals.times)
    act()
    fleet.requests(round(seconds * fleet.rate * 0.9))
    times: Sequence[float] = fleet.arrivals.times[since:]
    return Row(
        replicas=replicas,
        what=what,
        requests=len(times),
        mean=(len(times) - 1) / (times[-1] - times[0]) / fleet.rate,
        second=fleet.arrivals.busiest(1.0, since) / fleet.rate,
        ten_seconds=fleet.arrivals.busiest(10.0, since) / fleet.rate / 10,
    )
