"""Replicas of one pipeline between one topic and one vendor, and what is done to them."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

from confluent_kafka import KafkaException, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from processor.demo.vendors import VendorOptions
from tests.chaos.commits import Commit, commits_of, reader, whole
from tests.chaos.faults import Fault, Place, told
from tests.reliability.scene import ROUTES, SCHEMA, Mode, Scene, visitors
from tests.reliability.vendor import running_vendor
from tests.support.broker import Broker, admin_client
from tests.support.cluster import KafkaCluster
from tests.support.path import running_path
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.topics import TopicFactory

PARTITIONS = 6
LANES = visitors("some", 300)
"""Few enough that the next event of a visitor often comes while something is wrong."""
METHODS = ("product_view", "cart")
LATENCY = 0.1
"""Seconds that the vendor takes: so long that many requests are in flight at any time."""
CONCURRENCY = 16
SESSION = 6.0
"""Seconds until a silent replica's partitions go to others: Kafka's own least, and what the cluster has for KIP-848."""
REST = SESSION + 3.0
"""Seconds at most in which a classic group takes no commits after a member is gone: it waits for that one's session,
then members hear of two rounds of rebalancing by their heartbeats, a second apart."""
COMMIT_INTERVAL = 1.0
TIMEOUT = 5.0
"""Seconds for one request; with less, answers come too late on a busy machine."""
DELAYS = ("1s", "2s", "4s")
MAX_ATTEMPTS = 8
"""The file's default."""
STARTED = 180.0
"""Seconds for replicas to start, and for a group to settle, on a busy machine."""
SETTLED = 180.0
"""Seconds for everything to be settled once nothing is wrong any more: beyond that something is stuck."""
SINGLE = Mode("single", None, rate=300, feed=40)
BATCHES = Mode("batches of 100", {"max_events": "100", "max_bytes": "1MiB", "max_wait": "200ms"}, rate=300, feed=300)


@dataclass(frozen=True)
class Replica:
    """One process from its start to its end; what is started in its place has the same name.

    Attributes:
        agent: how its requests call themselves.
    """

    name: str
    agent: str
    process: ServiceProcess


@dataclass
class Arena(Scene):
    """A scene with replicas.

    Attributes:
        kafka: the cluster, to be broken.
        protocol: of the group, `classic` or `consumer`.
        static: members keep their place in the group over a restart.
        replicas: those that run.
        faults: what was done to them, in order.
    """

    kafka: KafkaCluster | None = None
    protocol: str = "classic"
    static: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    replicas: list[Replica] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    logs: dict[str, ServiceProcess] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    # What comes in.

    def pick(self) -> tuple[str, str]:
        """Who does what next."""
        return self.random.choice(LANES), self.random.choice(METHODS)

    # Replicas. Whoever starts one must stay: a process ends with the thread that started it.

    def join(self, name: str = "") -> Replica:
        """One more replica; does not wait for it."""
        name = name or f"replica-{len(self.logs) + 1}"
        agent = f"{name}/{len(self.logs) + 1}"
        process = self.path.service(self._changes(name, agent), "--destination", "voyado")
        self._stack.enter_context(process)
        self.logs[agent] = process
        self.replicas.append(Replica(name, agent, process))
        return self.replicas[-1]

    def begin(self, count: int) -> None:
        """Start so many and wait until each has partitions."""
        for _ in range(count):
            self.join()
        self.until_balanced()

    def kill(self, replica: Replica) -> None:
        """Kill -9."""
        owned = self.owned(replica)
        self.replicas.remove(replica)
        replica.process.kill()
        now = time.time()
        self.faults.append(Fault("killed", now, now, replica.agent, owned))

    def freeze(self, replica: Replica) -> None:
        """SIGSTOP."""
        self.faults.append(Fault("frozen", time.time(), inf, replica.agent, self.owned(replica)))
        replica.process.process.send_signal(SIGSTOP)

    def thaw(self, replica: Replica) -> None:
        """SIGCONT."""
        fault = next(each for each in self.faults if each.agent == replica.agent and each.ended == inf)
        fault.ended = time.time()
        replica.process.process.send_signal(SIGCONT)

    @contextmanager
    def during(self, kind: str) -> Iterator[None]:
        """What is done in this block is a fault that begins and ends with it."""
        fault = Fault(kind, time.time(), inf)
        self.faults.append(fault)
        yield
        fault.ended = time.time()

    def leave(self, replica: Replica) -> None:
        """SIGTERM, as at a roll-out."""
        owned = self.owned(replica)
        self.replicas.remove(replica)
        begun = time.time()
        assert replica.process.terminate() == 0, replica.process.log[-3000:]
        self.faults.append(Fault("left", begun, time.time(), replica.agent, owned))

    def owned(self, replica: Replica) -> frozenset[int]:
        """The partitions that a replica says it has; none while it starts."""
        status, text = replica.process.get("/status")
        if status != 200:
            return frozenset()
        return frozenset(each["partition"] for each in json.loads(text)["pipelines"]["voyado"]["partitions"])

    def until_working(self, count: int) -> list[Replica]:
        """Wait until so many replicas have partitions; those that have some."""
        working: list[Replica] = []

        def enough() -> bool:
            working[:] = [replica for replica in self.replicas if self.owned(replica)]
            return len(working) >= count

        self.wait(enough, STARTED)
        return working

    def until_balanced(self) -> None:
        """Wait until every partition is owned once, and everyone owns some."""

        def balanced() -> bool:
            owned = [self.owned(replica) for replica in self.replicas]
            return all(owned) and sorted(n for each in owned for n in each) == list(range(PARTITIONS))

        self.wait(balanced, STARTED)

    def check_alive(self) -> None:
        """Raise AssertionError where a replica ended by itself."""
        for replica in self.replicas:
            assert replica.process.process.poll() is None, f"a replica ended by itself: {replica.process.log[-2000:]}"

    def _changes(self, name: str, agent: str) -> dict[str, Any]:
        own = {"session.timeout.ms": f"{SESSION * 1000:.0f}", "heartbeat.interval.ms": "1000"}
        classic = own if self.protocol == "classic" else {}
        static = {"group.instance.id": name} if self.static else {}
        destination = {
            "base_url": self.vendor.url,
            "user_agent": agent,
            "rate": f"{self.mode.rate}/s",
            "concurrency": str(CONCURRENCY),
            "timeout": f"{TIMEOUT:g}s",
            "batch": self.mode.batch,
            "dead_letter": {"topic": self.path.letters["voyado"]},
            "retry": {"delays": list(DELAYS)},
            **self.settings,
        }
        return {
            "kafka": {"group.protocol": self.protocol, **classic, **static},
            "commit_interval": f"{COMMIT_INTERVAL:g}s",
            "routes": ROUTES,
            "destinations": {"voyado": destination},
        }

    def told(self) -> list[Fault]:
        """What the replicas themselves tell of in their logs: each may have cost repeats."""
        lines = [(agent, line) for agent, process in self.logs.items() for line in process.log.splitlines()]
        return [fault for agent, line in lines if line.startswith("{") and (fault := told(agent, json.loads(line)))]

    # The end.

    def settle_all(self) -> None:
        """Wait until the group has committed everything, then end all replicas."""
        self.flush()
        self.wait(self._all_committed, SETTLED)
        for replica in list(self.replicas):
            self.replicas.remove(replica)
            assert replica.process.terminate() == 0, replica.process.log[-3000:]

    def _all_committed(self) -> bool:
        try:
            return self.path.committed("voyado") == self.path.ends()
        except KafkaException:  # an admin client that asked while a leader was away may never find another one
            self.path.admin = admin_client(self.path.broker.bootstrap)
            return False

    def written(self) -> list[tuple[int, Place]]:
        """All that is in the topic: an event's number, and where it lies."""
        with reader(self.path.broker.bootstrap) as consumer:
            messages: list[Any] = list(whole(consumer, self.path.topic, range(PARTITIONS)))
        numbers = [self.produced[message.value()].number for message in messages]
        places = [Place(each.partition(), each.offset(), each.timestamp()[1] / 1000) for each in messages]
        return list(zip(numbers, places, strict=True))

    def commits(self) -> list[Commit]:
        """All commits that the coordinator took."""
        return commits_of(self.path.broker.bootstrap, f"{self.path.prefix}.voyado", self.path.topic)

    def close(self) -> None:
        """End what still runs."""
        self._stack.close()


@contextmanager
def running_arena(
    folder: Path, broker: Broker, registry: Registry, topics: TopicFactory, mode: Mode, **more: Any
) -> Iterator[Arena]:
    """A topic of its own, a vendor of its own, no replica yet; whatever is started ends with the block.

    Args:
        folder: for files and logs.
        broker: where the topic is made.
        registry: where the schema is.
        topics: makes it.
        mode: how the service sends.
        more: attributes of the arena.
    """
    with (
        running_path(folder, broker, registry, topics, VendorOptions()) as path,
        running_vendor(LATENCY) as vendor,
        SchemaRegistryClient({"url": registry.url}) as client,
    ):
        path.topic = topics(PARTITIONS, {"message.timestamp.type": "LogAppendTime"})
        # Nothing written twice, and in order: what comes out twice or out of order is then the service's own.
        path.producer = Producer(
            {
                "bootstrap.servers": broker.bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "enable.idempotence": True,
                "log_level": 0,
            }
        )
        schema_id = client.register_schema("seen", Schema(json.dumps(SCHEMA), "AVRO"))
        arena = Arena(path, vendor, mode, schema_id, **more)
        try:
            yield arena
        finally:
            arena.close()
