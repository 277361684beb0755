"""Kafka in trouble, on a real cluster of three: named, waited for, healed; nothing lost, nothing dead-lettered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, OffsetSpec
from confluent_kafka.cimpl import NewTopic

from processor.demo.vendors import VendorOptions
from tests.support.cluster import KafkaCluster
from tests.support.options import UnavailableError
from tests.support.path import WholePath, running_path
from tests.support.reading import read
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.stream import lines
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

WITHIN = 90.0
"""Seconds for what a client may have to wait for the longest pause between two connections, on a busy machine."""
DOWN = "see that the brokers are up"
FLOW = 50
"""Clicks at a time."""


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[KafkaCluster]:
    """Three brokers that the tests of this file break and mend."""
    try:
        cluster = KafkaCluster()
    except UnavailableError as error:
        pytest.skip(f"no Kafka that may be broken: {error}")
    with cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: KafkaCluster) -> KafkaCluster:
    """All of them run when a test begins."""
    shared_cluster.start()
    return shared_cluster


@pytest.fixture
def path(tmp_path: Path, cluster: KafkaCluster, registry: Registry) -> Iterator[WholePath]:
    """A topic on its way to both vendors."""
    topics = TopicFactory(cluster.broker)
    with running_path(tmp_path, cluster.broker, registry, topics, VendorOptions(latency=0.0)) as path:
        yield path


def running(path: WholePath, destination: str = "rocket") -> ServiceProcess:
    """The service for one destination; single calls, no limit."""
    return path.service(path.overlay(batch=None), "--destination", destination)


def waiting_for(service: ServiceProcess, destination: str = "rocket") -> dict[str, str]:
    """What the service says that it waits for."""
    said: dict[str, str] = service.status()[destination]["waiting_for"]
    return said


def settled(path: WholePath, *destinations: str) -> None:
    """Wait until everything is delivered and committed."""
    names = destinations or ("rocket",)
    eventually_sync(lambda: all(len(path.accepted(name)) >= len(path.expected[name]) for name in names), WITHIN)
    eventually_sync(lambda: all(path.committed(name) == path.ends() for name in names), WITHIN)


def harmless(path: WholePath, service: ServiceProcess, destination: str = "rocket") -> None:
    """Wait until nothing is waited for; the process lives, all was delivered in order, nothing was dead-lettered."""
    eventually_sync(lambda: not waiting_for(service, destination), WITHIN)
    assert service.get("/live")[0] == service.get("/ready")[0] == 200
    judgement = path.judgements()[destination]
    assert judgement.clean, judgement
    asked = {TopicPartition(path.letters[destination], number): OffsetSpec.latest() for number in path.ends()}
    assert sum(future.result().offset for future in path.admin.list_offsets(asked).values()) == 0


def test_brokers_that_restart_one_by_one(path: WholePath, cluster: KafkaCluster) -> None:
    """A rolling restart under load loses nothing, dead-letters nothing and ends nothing (invariants 9 and 10)."""
    with running(path) as service:
        service.ready(WITHIN)
        for seed, node in enumerate(cluster.nodes.values()):
            path.click(FLOW, seed=2 * seed)
            node.stop()
            path.click(FLOW, seed=2 * seed + 1)
            node.start()
            cluster.healed()
        settled(path)

        harmless(path, service)
        assert service.terminate() == 0, service.log


def test_a_broker_that_is_lost(path: WholePath, cluster: KafkaCluster) -> None:
    """The group's coordinator dies and stays away: another takes over; what is said of it is over without a record.

    A client that finds the new one before it misses the old one says nothing.
    """
    with running(path) as service:
        service.ready(WITHIN)
        path.click(FLOW)
        settled(path)

        cluster.coordinator(f"{path.prefix}.rocket").kill()
        path.click(FLOW, seed=2)
        settled(path)

        harmless(path, service)
        assert all(DOWN in said["fix"] for said in lines(service, "kafka_trouble"))
        assert service.terminate() == 0, service.log


def test_no_broker_at_all(path: WholePath, cluster: KafkaCluster) -> None:
    """All are gone, in the middle for one service and at the start of another: both wait, say so, and go on.

    Nothing new is produced until both say that it is over (invariants 9 and 10).
    """
    with running(path) as before, running(path, "voyado") as late:
        late.kill()
        before.ready(WITHIN)
        path.click(FLOW)
        settled(path)

        cluster.kill()
        late.start()
        said = eventually_sync(lambda: waiting_for(before).get("kafka"), WITHIN)
        eventually_sync(lambda: late.get("/live")[0] == 200, WITHIN)
        said_late = eventually_sync(lambda: waiting_for(late, "voyado").get("kafka"), WITHIN)
        live = [each.get("/live")[0] for each in (before, late)]
        cluster.start()
        late.ready(WITHIN)
        eventually_sync(lambda: not waiting_for(before) and not waiting_for(late, "voyado"), WITHIN)
        path.click(FLOW, seed=2)
        settled(path, "rocket", "voyado")

        harmless(path, before)
        harmless(path, late, "voyado")
        assert DOWN in said
        assert DOWN in said_late
        assert live == [200, 200]
        assert lines(before, "kafka_trouble_over")
        assert (before.terminate(), late.terminate()) == (0, 0), before.log + late.log


def test_a_transaction_that_hangs(path: WholePath, cluster: KafkaCluster) -> None:
    """What stands behind an open transaction is waited for by name; other partitions go on, and then this one."""
    settings: dict[str, Any] = {"transactional.id": path.prefix, "transaction.timeout.ms": 900_000}
    hanging = Producer({"bootstrap.servers": cluster.bootstrap, **settings})
    hanging.init_transactions(WITHIN)
    hanging.begin_transaction()
    hanging.produce(path.topic, b"never committed", partition=0)
    assert hanging.flush(WITHIN) == 0

    with running(path) as service:
        path.click(FLOW)
        said = eventually_sync(
            lambda: waiting_for(service).get("transaction") if service.get("/ready")[0] == 200 else "", WITHIN
        )
        others = path.committed("rocket").items() & path.ends().items()
        partition = next(each for each in service.status()["rocket"]["partitions"] if each["partition"] == 0)
        live = service.get("/live")[0]
        hanging.abort_transaction(WITHIN)
        settled(path)

        harmless(path, service)
        assert service.terminate() == 0, service.log
    assert f"{path.topic}[0]: " in said
    assert "kafka-transactions.sh" in said
    assert {number for number, _ in others} == {1, 2, 3}
    assert partition["lag"] > 0
    assert live == 200


def test_a_dead_letter_topic_with_too_few_replicas(path: WholePath, cluster: KafkaCluster) -> None:
    """A letter waits for replicas and says so, all else goes on; it is written once fewer will do (invariant 8)."""
    name = f"{path.topic}.dlq"
    topic = NewTopic(name, 1, replica_assignment=[[1, 2]], config={"min.insync.replicas": "2"})
    path.admin.create_topics([topic])[name].result(WITHIN)
    path.letters = {**path.letters, "rocket": name}
    cluster.nodes[2].stop()
    changes = {**path.overlay(batch=None), "kafka": {"message.timeout.ms": "3000"}}

    with path.service(changes, "--destination", "rocket") as service:
        service.ready(WITHIN)
        path.click(FLOW)
        path.producer.produce(path.topic, b"\xffgarbage", partition=0)
        assert path.producer.flush(WITHIN) == 0
        said = eventually_sync(lambda: waiting_for(service).get("dead_letter_topic"), WITHIN)
        (doubt,) = eventually_sync(lambda: lines(service, "dead_letter_topic_doubtful"), WITHIN)
        eventually_sync(lambda: len(path.accepted("rocket")) >= len(path.expected["rocket"]), WITHIN)
        eventually_sync(lambda: len(path.committed("rocket").items() & path.ends().items()) == len(path.ends()) - 1)
        fewer = ConfigEntry("min.insync.replicas", "1", incremental_operation=AlterConfigOpType.SET)
        change = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[fewer])
        (answer,) = path.admin.incremental_alter_configs([change]).values()
        answer.result(WITHIN)
        settled(path)
        eventually_sync(lambda: not waiting_for(service), WITHIN)
        assert service.terminate() == 0, service.log

    words = "partition 0 with fewer replicas in sync than min.insync.replicas asks for (2)"
    assert doubt["reason"] == words
    assert words in said
    assert f"--entity-name {name} --add-config min.insync.replicas=1" in said
    assert path.judgements()["rocket"].clean
    (letter,) = read(cluster.bootstrap, name, 1)
    assert letter.value() == b"\xffgarbage"
