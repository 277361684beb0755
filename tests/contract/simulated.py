"""The contract's statements on the simulated Kafka."""

from collections.abc import Callable
from typing import Any

from tests.contract.ground import WITHIN
from tests.simulation.cluster import Cluster
from tests.simulation.machine import Host, Machine
from tests.simulation.weather import Ill, Weather

LOOK = 0.05
"""Seconds between two looks."""


class SimulatedGround:
    """A cluster of its own for each test."""

    def __init__(self, protocol: str, seed: int = 1) -> None:
        self.machine = Machine(seed)
        self.host = Host("test")
        self.weather = Weather(self.machine.clock)
        self._cluster = Cluster(self.machine, self.weather)
        self._topics = 0
        self.protocol = protocol

    def topic(self, partitions: int = 1) -> str:
        """A new topic."""
        self._topics += 1
        return self._cluster.create(f"topic-{self._topics}", partitions).name

    def fill(self, topic: str, count: int, partition: int = 0) -> None:
        """Write records."""
        for offset in range(count):
            self._cluster.append((topic, partition), None, str(offset).encode())

    def transaction(self, topic: str, count: int, *, commits: bool) -> None:
        """Write records in a transaction."""
        log = self._cluster.topics[topic].partitions[0]
        now = self._cluster.wall_ms()
        for offset in range(count):
            log.append(now, None, str(offset).encode(), aborted=not commits)
        log.append(now, control=True)
        self._cluster.written((topic, 0))

    def hang(self, topic: str, count: int) -> None:
        """Leave a transaction open."""
        log = self._cluster.topics[topic].partitions[0]
        log.open_from = log.end
        self.fill(topic, count)

    def expire(self, topic: str, before: int) -> None:
        """Delete records."""
        self._cluster.topics[topic].partitions[0].expire(before)

    def create_anew(self, topic: str) -> None:
        """Delete and create."""
        self._cluster.create(topic, 1)

    def add_partitions(self, topic: str, partitions: int) -> None:
        """Add them."""
        self._cluster.add_partitions(topic, partitions)

    def limit(self, topic: str, size: int) -> None:
        """Set max.message.bytes."""
        self._cluster.topics[topic].max_message_bytes = size

    def consumer(self, config: dict[str, Any]) -> Any:
        """A simulated consumer, whose calls are made on a simulated thread."""
        return OnThread(self.run, self._cluster.consumer(self.host, config))

    def producer(self, config: dict[str, Any]) -> Any:
        """A simulated producer."""
        return OnThread(self.run, self._cluster.producer(self.host, config))

    def admin(self) -> Any:
        """A simulated admin client."""
        return OnThread(self.run, self._cluster.admin(self.host))

    def result(self, future: Any) -> Any:
        """Wait for an answer."""
        return self.run(lambda: future.result(WITHIN))

    def until(self, condition: Callable[[], object], within: float = WITHIN) -> None:
        """Look again and again."""
        deadline = self.machine.clock.now() + within
        while not condition():
            assert self.machine.clock.now() < deadline, f"not true after {within:g} s"
            self.run(lambda: self.machine.sleep(LOOK))

    def unreachable(self) -> "SimulatedGround":
        """All brokers are away."""
        self.weather.begin(Ill.AWAY)
        return self

    def run(self, call: Callable[[], Any]) -> Any:
        """Make a call on a simulated thread, and let time pass until it is back."""
        back: list[Callable[[], Any]] = []

        def make() -> None:
            try:
                found = call()
            except Exception as exception:  # noqa: BLE001 - the test's
                back.append(lambda exception=exception: _throw(exception))  # type: ignore[misc]
            else:
                back.append(lambda: found)

        self.machine.thread(make, self.host)
        while not back:
            self.machine.step()
        return back[0]()


class OnThread:
    """A client whose methods are called on a simulated thread."""

    def __init__(self, run: Callable[[Callable[[], Any]], Any], client: Any) -> None:
        self._run = run
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda *args, **kwargs: self._run(lambda: method(*args, **kwargs))


def _throw(exception: Exception) -> None:
    raise exception
