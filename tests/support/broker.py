"""A Kafka broker for tests: a given one, else Docker's, else Apache Kafka by Maven, else librdkafka's mock.

The mock runs inside this process and does for most tests, but it is nobody's production: the summary of a
test run says which broker it was.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tests.support.containers import running_container
from tests.support.java import QUICK, fetch, find_java, part_version
from tests.support.options import UnavailableError, enter_first
from tests.support.server import START_TIMEOUT, Server, free_port
from tests.support.waiting import eventually_sync

POM = Path(__file__).parent / "kafka" / "pom.xml"
JAVA_VERSION = 17
"""The oldest Java that Kafka 4 runs on."""
PARTITIONS = 4
"""Of a topic that says nothing else; the mock knows no other number."""
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
"""Any 16 bytes do: each broker has its own data folder."""
HEAP = "-Xmx512m"
LOG_LEVEL = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
REQUEST_TIMEOUT = 10.0
"""Seconds for one question to a broker that should be there."""


@dataclass(frozen=True)
class Broker:
    """A broker that runs.

    Attributes:
        bootstrap: `host:port`, for `bootstrap.servers`.
        kind: how it was come by; `embedded` is the only one that is no real Kafka.
        describe: one line for people, with the reason why it is none of the better ones.
    """

    bootstrap: str
    kind: Literal["given", "docker", "maven", "embedded"]
    describe: str


@dataclass(frozen=True)
class Listener:
    """One more port where a broker listens, for clients that log in.

    Attributes:
        name: in small letters.
        protocol: SSL, SASL_PLAINTEXT or SASL_SSL.
        properties: the broker's, without the prefix that makes them this listener's.
        port: of loopback.
        relay: the port where something stands before it, which is what clients are told; None where nothing does.
    """

    name: str
    protocol: str
    properties: Mapping[str, str]
    port: int = field(default_factory=free_port)
    relay: int | None = None

    @property
    def bootstrap(self) -> str:
        """For `bootstrap.servers`."""
        return f"127.0.0.1:{self.relay or self.port}"

    def added_to(self, config: Mapping[str, str]) -> dict[str, str]:
        """A broker's configuration with this listener."""
        more = {
            "listeners": f"{self.name.upper()}://127.0.0.1:{self.port}",
            "advertised.listeners": f"{self.name.upper()}://{self.bootstrap}",
            "listener.security.protocol.map": f"{self.name.upper()}:{self.protocol}",
        }
        joined = {name: f"{config[name]},{value}" for name, value in more.items()}
        own = {f"listener.name.{self.name}.{name}": value for name, value in self.properties.items()}
        return {**config, **joined, **own}


class KafkaProcess(Server):
    """An Apache Kafka of one node, for tests that break the broker: see `Server`.

    Args:
        listeners: where it listens besides the plain port.
        options: of its Java machine.

    Attributes:
        bootstrap: `host:port`; stays the same over restarts.
        java: the Java version that runs it.

    Raises:
        UnavailableError: Java or Maven is missing, or the jars cannot be downloaded.
    """

    name: ClassVar[str] = "Apache Kafka"

    def __init__(self, listeners: Sequence[Listener] = (), options: Sequence[str] = QUICK) -> None:
        java = find_java(JAVA_VERSION)
        jars = fetch(POM)
        super().__init__()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.java = java.version
        self._java = (java.path, HEAP, *options, "-cp", f"{jars}/*")
        self._data = self.folder / "data"
        self._config = self.folder / "server.properties"
        config = properties("127.0.0.1", self.port, free_port(), self.bootstrap, str(self._data))
        for listener in listeners:
            config = listener.added_to(config)
        self._config.write_text("".join(f"{name}={value}\n" for name, value in config.items()))

    def command(self) -> Sequence[str]:
        """The broker on its configuration file."""
        return (*self._java, LOG_LEVEL, "kafka.Kafka", str(self._config))

    def ready(self) -> bool:
        """Whether the broker has joined its own cluster."""
        return _answers(self.bootstrap, 1.0)

    def start(self) -> None:
        """Start it, on a formatted data folder."""
        if not self._data.exists():
            self._format()
        super().start()

    def _format(self) -> None:
        tool = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._config))
        done = subprocess.run((*self._java, *tool), capture_output=True, text=True, check=False, timeout=START_TIMEOUT)
        if done.returncode:
            raise RuntimeError(f"Kafka could not format {self._data}: {done.stdout}{done.stderr}")


def properties(host: str, port: int, controller_port: int, advertised: str, data: str) -> dict[str, str]:
    """The broker's configuration: one node, quick to start groups, otherwise what production has.

    Args:
        host: where it listens; empty for everywhere.
        port: for clients.
        controller_port: for its own controller.
        advertised: `host:port` as clients reach it.
        data: its data folder.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{advertised}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "num.partitions": str(PARTITIONS),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # A broker that was killed may only come back when its old session is over; 9 s by default.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }


@contextmanager
def running_broker(options: Sequence[str] = ()) -> Iterator[Broker]:
    """Give the best broker that is to be had here; it ends with the block (a given one stays).

    Args:
        options: of a Java machine that is started for it; none where the broker's speed matters.
    """
    with ExitStack() as stack:
        broker, reasons = enter_first(stack, _ways(options))
        yield replace(broker, describe="; ".join((broker.describe, *reasons)))


def _ways(options: Sequence[str]) -> Sequence[Callable[[], AbstractContextManager[Broker]]]:
    if "KAFKA_BOOTSTRAP" in os.environ:
        return (given_broker,)
    return (docker_broker, partial(maven_broker, options), embedded_broker)


@contextmanager
def given_broker() -> Iterator[Broker]:
    """The broker that the environment names.

    Raises:
        RuntimeError: it does not answer.
    """
    bootstrap = os.environ["KAFKA_BOOTSTRAP"]
    if not _answers(bootstrap, REQUEST_TIMEOUT):
        raise RuntimeError(f"no broker at KAFKA_BOOTSTRAP={bootstrap}: start it, or unset the variable")
    yield Broker(bootstrap, "given", f"the broker at KAFKA_BOOTSTRAP={bootstrap}")


@contextmanager
def docker_broker() -> Iterator[Broker]:
    """Apache Kafka's own image.

    Raises:
        UnavailableError: no engine answers, the image is not to be had, or it does not start.
    """
    image, port = f"apache/kafka:{part_version(POM)}", free_port()
    bootstrap = f"127.0.0.1:{port}"
    config = properties("", 9092, 9093, bootstrap, "/tmp/kafka-data")  # noqa: S108 - in the container
    env = {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in config.items()}
    env |= {"CLUSTER_ID": CLUSTER_ID, "KAFKA_HEAP_OPTS": HEAP}
    with running_container(image, {9092: port}, env):
        try:
            eventually_sync(lambda: _answers(bootstrap, 1.0), within=START_TIMEOUT)
        except AssertionError:
            raise UnavailableError(f"Docker: {image} does not answer after {START_TIMEOUT} s") from None
        yield Broker(bootstrap, "docker", f"Apache Kafka {part_version(POM)} (Docker) at {bootstrap}")


@contextmanager
def maven_broker(options: Sequence[str]) -> Iterator[Broker]:
    """Apache Kafka from Maven Central.

    Raises:
        UnavailableError: Java or Maven is missing, or the jars cannot be downloaded.
    """
    with KafkaProcess(options=options) as kafka:
        version = f"Apache Kafka {part_version(POM)} (Maven, Java {kafka.java})"
        yield Broker(kafka.bootstrap, "maven", f"{version} at {kafka.bootstrap}")


@contextmanager
def embedded_broker() -> Iterator[Broker]:
    """The mock cluster of librdkafka, in this process; it lives as long as the client that made it."""
    client = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (node,) = client.list_topics(timeout=REQUEST_TIMEOUT).brokers.values()
    yield Broker(f"{node.host}:{node.port}", "embedded", "librdkafka's mock cluster, not a real Kafka")


def _answers(bootstrap: str, timeout: float) -> bool:
    try:
        return bool(admin_client(bootstrap).list_topics(timeout=timeout).brokers)
    except KafkaException:
        return False


def admin_client(bootstrap: str) -> AdminClient:
    """A client that asks and orders; keep it until the answer is there, or its request is dropped."""
    # A broker that is not up yet is no news while we wait for it.
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
