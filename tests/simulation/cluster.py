"""A simulated Kafka: topics, groups, outages, and the clients that it gives to simulated processes."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Uuid

from processor.offsets import Bookmark
from processor.records import Headers, Key
from tests.simulation.admin import SimAdmin
from tests.simulation.cluster_group import Committed, Group
from tests.simulation.cluster_log import PartitionLog, Topic
from tests.simulation.consumer import SimConsumer
from tests.simulation.machine import Host, Machine
from tests.simulation.network import Link, void
from tests.simulation.producer import SimProducer
from tests.simulation.weather import Ill, Weather

OnLetter = Callable[[Host, str, bytes | None, bytes | None, Headers | None], None]
METADATA_REFRESH = 2.0
"""Seconds until clients and coordinators know of new topics and partitions; some minutes by default."""


class Cluster:
    """All brokers together.

    Args:
        machine: what time and chance come from.
        weather: what is wrong, and when.

    Attributes:
        consumer_session: seconds of a member's session under KIP-848, which no client knows.
        topics, groups: by name.
        consumers, producers: those that are open.
        on_commit: told of each offset that a group's coordinator takes.
        on_letter: told of each message that a producer of ours wrote: who, topic, key, value, headers.
    """

    def __init__(self, machine: Machine, weather: Weather | None = None) -> None:
        self.machine = machine
        self.weather = weather or Weather(machine.clock)
        self.consumer_session = 45.0
        self.topics: dict[str, Topic] = {}
        self.groups: dict[str, Group] = {}
        self.consumers: list[SimConsumer] = []
        self.producers: list[SimProducer] = []
        self.on_commit: Callable[[Committed], None] = void
        self.on_letter: OnLetter = lambda *_: None

    # What a world does.

    def create(self, name: str, partitions: int) -> Topic:
        """A new topic; one that is there is deleted first, with its groups' offsets."""
        if name in self.topics:
            self.delete(name)
        number = self.machine.random.getrandbits(62)
        topic = self.topics[name] = Topic(name, Uuid(number, number), [PartitionLog() for _ in range(partitions)])
        self._changed()
        return topic

    def delete(self, name: str) -> None:
        """A topic is gone, and what groups had of it."""
        del self.topics[name]
        for group in self.groups.values():
            group.forget(name)
        self._changed()

    def add_partitions(self, name: str, partitions: int) -> None:
        """A topic has so many from now on."""
        logs = self.topics[name].partitions
        logs += [PartitionLog() for _ in range(partitions - len(logs))]
        self._changed()

    def append(
        self,
        key: Key,
        record_key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        timestamp: int | None = None,
    ) -> int:
        """Some producer writes a record, now if no time is given (ms since 1970); gives its offset."""
        at = self.wall_ms() if timestamp is None else timestamp
        offset = self.topics[key[0]].partitions[key[1]].append(at, record_key, value, headers)
        self.written(key)
        return offset

    def written(self, key: Key) -> None:
        """There is something new to read."""
        for consumer in self.consumers:
            consumer.fetcher.poke(key)

    def move_coordinator(self) -> None:
        """Groups get another coordinator: members' epochs stay, what is under way is answered by the old one."""
        now = self.machine.clock.now()
        for group in self.groups.values():
            for member in group.members.values():
                member.heard = now

    def break_consumers(self, host: Host) -> None:
        """A fatal error in each of a process's members."""
        for consumer in self.consumers:
            if consumer.host is host:
                consumer.fail()

    def break_producers(self, host: Host) -> None:
        """A fatal error in each of a process's producers."""
        for producer in self.producers:
            if producer.host is host:
                producer.fail()

    # What a process is given.

    def consumer(self, host: Host, config: Mapping[str, Any]) -> SimConsumer:
        """As `confluent_kafka.Consumer(config)` in that process."""
        consumer = SimConsumer(Link(self, host), self.group(config["group.id"], config), config)
        self.consumers.append(consumer)
        return consumer

    def producer(self, host: Host, config: Mapping[str, Any]) -> SimProducer:
        """As `confluent_kafka.Producer(config)` in that process."""
        producer = SimProducer(Link(self, host), config)
        self.producers.append(producer)
        return producer

    def admin(self, host: Host, _: Mapping[str, Any] | None = None) -> SimAdmin:
        """As `confluent_kafka.admin.AdminClient(config)` in that process."""
        return SimAdmin(Link(self, host))

    # What its parts ask.

    def group(self, name: str, config: Mapping[str, Any]) -> Group:
        """A group; it is there as soon as somebody asks for it."""
        if name not in self.groups:
            classic = config.get("group.protocol", "classic") == "classic"
            here = self._coordinates
            self.groups[name] = Group(name, self.machine, self.partitions, here, self._wrote, classic)
        return self.groups[name]

    def partitions(self) -> list[Key]:
        """All partitions of all topics."""
        return [(name, number) for name, topic in self.topics.items() for number in range(len(topic.partitions))]

    def find(self, key: Key) -> PartitionLog | None:
        """A partition's records; None where there is no such partition."""
        topic = self.topics.get(key[0])
        return topic.partitions[key[1]] if topic and key[1] < len(topic.partitions) else None

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.machine.clock.wall() * 1000)

    def latency(self) -> float:
        """Seconds that something is on its way: mostly some milliseconds."""
        return 0.0005 + self.machine.random.random() ** 4 * 0.02

    def delay(self) -> float:
        """Seconds until an answer is back, in this weather."""
        if self.weather.now(Ill.SLOW):
            return self.machine.random.uniform(0.5, 8.0)
        return self.latency()

    def committed(self, group: str, key: Key) -> Bookmark | None:
        """What a group has of a partition."""
        return self.groups[group].offsets.get(key) if group in self.groups else None

    def _wrote(self, commit: Committed) -> None:
        self.on_commit(commit)

    def _coordinates(self) -> bool:
        return self.weather.now(Ill.AWAY, Ill.NO_COORDINATOR, Ill.SILENT) is None

    def _changed(self) -> None:
        """Groups hear of new topics and partitions some time later."""

        def look() -> None:
            for group in self.groups.values():
                if group.members:
                    group.rebalance()

        self.machine.later(METADATA_REFRESH, look)
