"""A Kafka of three brokers, for tests and tables that break some of them.

One controller that nobody breaks, and three brokers that are all alike: topics, the groups' offsets and transactions
have a copy on each, and take writes while two of them are up.
"""

import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self
from uuid import uuid4

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from tests.support.broker import (
    CLUSTER_ID,
    JAVA_VERSION,
    LOG_LEVEL,
    POM,
    Broker,
    admin_client,
)
from tests.support.java import QUICK, Java, fetch, find_java, part_version
from tests.support.server import START_TIMEOUT, Server
from tests.support.waiting import eventually_sync

BROKERS = (1, 2, 3)
CONTROLLER = 100
HEAPS = {"controller": "-Xmx128m", "broker": "-Xmx320m"}
SETTLED = 60.0
"""Seconds for leaders and copies to be where they belong, on a busy machine."""
OFFSETS_TOPIC = "__consumer_offsets"
CONFIG: Mapping[str, str] = {
    "num.partitions": "4",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "offsets.topic.num.partitions": "6",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "transaction.state.log.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "3",
    # A hanging transaction is aborted after 15 minutes at the most, which is Kafka's own default.
    "transaction.max.timeout.ms": "900000",
    # Groups: quick to form, and quick to notice who is gone.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "500",
    "group.consumer.min.heartbeat.interval.ms": "100",
    # Brokers: the controller takes one for gone after 3 s (9 by default), a leader a slow copy after 5 (30).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "replica.lag.time.max.ms": "5000",
    "replica.socket.timeout.ms": "3000",
    "replica.fetch.backoff.ms": "200",
    "controlled.shutdown.max.retries": "1",
}
"""Of all nodes; what is not named is as Kafka ships it."""


class Node(Server):
    """One process of the cluster; keeps its port and its data over restarts, see `Server`.

    Attributes:
        number: its node id.
        bootstrap: `host:port`.
    """

    name: ClassVar[str] = "Kafka node"

    def __init__(self, number: int, java: Java, role: str, controller_port: int | None = None) -> None:
        super().__init__()
        self.number = number
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._role = role
        self._java = (java.path, HEAPS[role], *QUICK, "-cp", f"{fetch(POM)}/*")
        self.data = self.folder / "data"
        self._config = self.folder / "server.properties"
        config = self._properties(controller_port or self.port)
        self._config.write_text("".join(f"{name}={value}\n" for name, value in config.items()))

    def _properties(self, controller_port: int) -> dict[str, str]:
        listener = "CONTROLLER" if self._role == "controller" else "PLAINTEXT"
        own = {
            "process.roles": self._role,
            "node.id": str(self.number),
            "controller.quorum.voters": f"{CONTROLLER}@127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"{listener}://{self.bootstrap}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.data),
        }
        return {**own, **CONFIG}

    def command(self) -> Sequence[str]:
        """The node on its configuration file."""
        return (*self._java, LOG_LEVEL, "kafka.Kafka", str(self._config))

    def ready(self) -> bool:
        """Whether a broker counts itself among those that are up; a controller has nothing to wait for."""
        if self._role == "controller":
            return True
        try:
            return self.number in admin_client(self.bootstrap).list_topics(timeout=1.0).brokers
        except KafkaException:
            return False

    def format(self) -> None:
        """Prepare the data folder."""
        tool = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._config))
        done = subprocess.run((*self._java, *tool), capture_output=True, text=True, check=False, timeout=START_TIMEOUT)
        if done.returncode:
            raise RuntimeError(f"Kafka could not format {self.data}: {done.stdout}{done.stderr}")

    def format_like(self, other: "Node") -> None:
        """Do the same without a Java of its own: brokers' data differ from a controller's in the node's number."""
        self.data.mkdir()
        meta = dict(line.split("=", 1) for line in _lines(other.data / "meta.properties"))
        own = {
            **meta,
            "node.id": str(self.number),
            "directory.id": urlsafe_b64encode(uuid4().bytes).decode().rstrip("="),
        }
        (self.data / "meta.properties").write_text("".join(f"{name}={value}\n" for name, value in own.items()))


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


class KafkaCluster:
    """Three brokers and their controller. As a context manager it is started and closed.

    Its brokers are stopped, killed, frozen and started one by one: `cluster.nodes[2].kill()`, `.start()`, `.stop()`,
    `.restart()`, `.freeze()`, `.thaw()`, `with .frozen():`; ports and data stay.

    Attributes:
        nodes: the brokers by number.
        bootstrap: all brokers, for `bootstrap.servers`.

    Raises:
        UnavailableError: Java or Maven is missing, or the jars cannot be downloaded.
    """

    def __init__(self) -> None:
        java = find_java(JAVA_VERSION)
        self._java = java.version
        self._controller = Node(CONTROLLER, java, "controller")
        self.nodes = {number: Node(number, java, "broker", self._controller.port) for number in BROKERS}
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes.values())
        self._admin: AdminClient | None = None

    @property
    def broker(self) -> Broker:
        """The whole as other parts of the tests know a broker: a `TopicFactory`, a `running_path`."""
        version = f"Apache Kafka {part_version(POM)} (Maven, Java {self._java}, {len(self.nodes)} brokers)"
        return Broker(self.bootstrap, "maven", f"{version} at {self.bootstrap}")

    @property
    def running(self) -> list[Node]:
        """The brokers whose process is there."""
        return [node for node in self.nodes.values() if node.running]

    def start(self) -> None:
        """Start what does not run, all at once, and wait until every broker is up and every copy is in sync."""
        self.begin()
        for node in self.nodes.values():
            node.await_ready()
        self.healed()

    def begin(self) -> None:
        """Start what does not run, and do not wait."""
        if not self._controller.data.exists():
            self._controller.format()
            for node in self.nodes.values():
                node.format_like(self._controller)
        for node in (self._controller, *self.nodes.values()):
            if not node.running:
                node.begin()

    def kill(self) -> None:
        """All brokers are gone at once, as after a power cut."""
        for node in self.nodes.values():
            node.kill()

    def healed(self, within: float = SETTLED) -> None:
        """Wait until all brokers are up and all partitions have a leader and all their copies in sync."""
        eventually_sync(self._whole, within)

    def leader(self, topic: str, partition: int) -> Node:
        """The broker that leads a partition."""
        return eventually_sync(lambda: self.nodes.get(self._leader(topic, partition)), SETTLED)

    def coordinator(self, group: str) -> Node:
        """The broker that coordinates a group; its topic of offsets has been made when a client has joined."""
        return eventually_sync(lambda: self.nodes.get(self._coordinator(group)), SETTLED)

    def close(self) -> None:
        """End it for good and remove its data."""
        for node in (*self.nodes.values(), self._controller):
            node.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _metadata(self) -> ClusterMetadata | None:
        """What the brokers tell; None while none answers."""
        self._admin = self._admin or admin_client(self.bootstrap)
        try:
            return self._admin.list_topics(timeout=2.0)
        except KafkaException:
            return None

    def _whole(self) -> bool:
        said = self._metadata()
        if said is None or said.brokers.keys() != self.nodes.keys():
            return False
        partitions = [each for topic in said.topics.values() for each in topic.partitions.values()]
        return all(each.leader >= 0 and len(each.isrs) == len(each.replicas) for each in partitions)

    def _leader(self, topic: str, partition: int) -> int:
        said = self._metadata()
        if said is None or topic not in said.topics or partition not in said.topics[topic].partitions:
            return -1
        return int(said.topics[topic].partitions[partition].leader)

    def _coordinator(self, group: str) -> int:
        said = self._metadata()
        if said is None or OFFSETS_TOPIC not in said.topics:
            return -1
        return self._leader(OFFSETS_TOPIC, partition_of(group, len(said.topics[OFFSETS_TOPIC].partitions)))


def partition_of(group: str, partitions: int) -> int:
    """Where a group's offsets are, as brokers find it: by Java's hash of its name."""
    value = 0
    for letter in group.encode("ascii"):
        value = (31 * value + letter) % 2**32
    signed = value - 2**32 if value >= 2**31 else value
    return abs(signed) % partitions
