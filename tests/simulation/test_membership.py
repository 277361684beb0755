from typing import Any

import pytest
from confluent_kafka import TopicPartition

from tests.simulation.cluster import Cluster
from tests.simulation.consumer import SimConsumer
from tests.simulation.machine import Host, Machine

PARTITIONS = 4
LONG = 8.0
"""Seconds that an application takes for its assignment: longer than the pause between heartbeats."""


class Application:
    """A process with one member that takes its time to take partitions.

    Attributes:
        owned: what it was told of, and has not given back.
    """

    def __init__(self, machine: Machine, cluster: Cluster, name: str, protocol: str, slow: float) -> None:
        self._machine = machine
        self._slow = slow
        self.owned: set[int] = set()
        host = Host(name)
        self._consumer = cluster.consumer(host, {"group.id": "g", "group.protocol": protocol})
        machine.thread(self._run, host)

    def _run(self) -> None:
        self._consumer.subscribe(["clicks"], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        while True:
            self._consumer.consume(1, 0.2)

    def _assigned(self, consumer: SimConsumer, partitions: list[TopicPartition]) -> None:
        self.owned |= {at.partition for at in partitions}
        self._machine.sleep(self._slow)
        consumer.incremental_assign(partitions)

    def _revoked(self, _: Any, partitions: list[TopicPartition]) -> None:
        self.owned -= {at.partition for at in partitions}


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_what_a_member_is_about_to_take_is_nobody_elses(protocol: str) -> None:
    """A heartbeat while the application is still busy with its assignment does not give that away."""
    machine = Machine(0)
    cluster = Cluster(machine)
    cluster.create("clicks", PARTITIONS)
    first = Application(machine, cluster, "first", protocol, LONG)
    _until(machine, 1.0)
    second = Application(machine, cluster, "second", protocol, 0.0)

    while machine.clock.now() < 5 * LONG:
        machine.step()
        assert not first.owned & second.owned, f"at {machine.clock.now():.3f}"

    assert len(first.owned) == len(second.owned) == PARTITIONS / 2
    machine.end()


def _until(machine: Machine, at: float) -> None:
    while machine.clock.now() < at:
        machine.step()
