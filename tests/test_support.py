"""The parts that other tests stand on."""

import os
from contextlib import ExitStack, nullcontext
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from tests.support import java
from tests.support.broker import Broker, KafkaProcess, embedded_broker, given_broker
from tests.support.containers import running_container
from tests.support.java import fetch, find_java
from tests.support.options import UnavailableError, enter_first
from tests.support.registry import Registry, RegistryProcess, given_registry, stub_registry
from tests.support.server import free_port, listening
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually, eventually_sync

POM = "<project><properties><part.version>9.9</part.version></properties></project>"
SCHEMA = Schema('{"type": "record", "name": "Seen", "fields": [{"name": "at", "type": "long"}]}', "AVRO")


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    """Send one record and wait until the broker has it."""
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value)
    assert producer.flush(10) == 0


def consume(bootstrap: str, topic: str) -> bytes | None:
    """The value of a topic's first record, read as a new group."""
    config = {"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer(config)
    consumer.subscribe([topic])

    def poll() -> Message | None:
        return consumer.poll(0.5)

    try:
        return eventually_sync(poll, within=20).value()
    finally:
        consumer.close()


def ids(url: str) -> tuple[int, int]:
    """The id that a registry gives to a schema, and the one that it knows it under."""
    with SchemaRegistryClient({"url": url}) as client:
        return client.register_schema("seen", SCHEMA), client.get_latest_version("seen").schema_id


def test_the_run_s_broker_keeps_records(broker: Broker, topic: TopicFactory) -> None:
    """What is produced to a fresh topic of the run's broker is consumed by a fresh group."""
    name = topic()

    produce(broker.bootstrap, name, b"click")

    assert consume(broker.bootstrap, name) == b"click"


def test_the_run_s_registry_keeps_schemas(registry: Registry) -> None:
    """A schema keeps the id that the run's registry gave to it."""
    given, known = ids(registry.url)

    assert given == known


def test_an_own_kafka_keeps_its_data(own_kafka: KafkaProcess) -> None:
    """Records survive an orderly restart and a kill, at the same address."""
    name = TopicFactory(Broker(own_kafka.bootstrap, "maven", ""))(partitions=1)
    produce(own_kafka.bootstrap, name, b"click")

    own_kafka.restart()
    after_stop = consume(own_kafka.bootstrap, name)
    own_kafka.kill()
    gone = not listening(own_kafka.port)
    own_kafka.start()

    assert (after_stop, gone) == (b"click", True)
    assert consume(own_kafka.bootstrap, name) == b"click"


def test_an_own_registry_keeps_its_ids(own_registry: RegistryProcess) -> None:
    """A schema has the same id after a restart, at the same address."""
    before = ids(own_registry.url)

    own_registry.restart()

    assert ids(own_registry.url) == before


def test_the_mock_cluster_is_a_broker() -> None:
    """Where there is no real Kafka, librdkafka's mock keeps records as well."""
    with embedded_broker() as broker:
        name = TopicFactory(broker)()
        produce(broker.bootstrap, name, b"click")

        assert consume(broker.bootstrap, name) == b"click"


def test_the_mock_cluster_refuses_what_it_cannot() -> None:
    """A test that needs another number of partitions is told so, not given four."""
    with embedded_broker() as broker, pytest.raises(UnavailableError, match="4 partitions"):
        TopicFactory(broker)(partitions=1)


def test_the_stub_is_a_registry() -> None:
    """Where there is no real registry, the demo's stub gives ids as well."""
    with stub_registry() as registry:
        given, known = ids(registry.url)

    assert given == known


def test_a_given_broker_is_taken_as_it_is(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker that the environment names is used."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", broker.bootstrap)

    with given_broker() as given:
        assert (given.bootstrap, given.kind) == (broker.bootstrap, "given")


def test_a_given_registry_is_taken_as_it_is(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry that the environment names is used."""
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", registry.url)

    with given_registry() as given:
        assert (given.url, given.kind) == (registry.url, "given")


def test_a_given_registry_must_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that was named but is not there is an error: no other one may stand in for it."""
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(RuntimeError, match="SCHEMA_REGISTRY_URL"), given_registry():
        pass


def test_the_first_option_that_is_there_is_taken() -> None:
    """Options are tried in order, and each that is not there says why."""

    def missing() -> nullcontext[str]:
        raise UnavailableError("no such thing here")

    with ExitStack() as stack:
        assert enter_first(stack, [missing, lambda: nullcontext("it")]) == ("it", ("no such thing here",))
    with ExitStack() as stack, pytest.raises(UnavailableError, match="no such thing here"):
        enter_first(stack, [missing])


def test_docker_without_an_engine_is_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a Docker engine says so at once."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    with pytest.raises(UnavailableError, match="no engine answers"), running_container("x:1", {}, {}):
        pass


def test_a_part_is_fetched_once_and_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A part gets its name only when Maven has copied all of it, and is not fetched again."""
    pom = part(tmp_path, monkeypatch, 'mkdir -p "${5#-Doutput=}" && echo once >>"${5#-Doutput=}/jar"')

    folders = {fetch(pom), fetch(pom)}

    (folder,) = folders
    assert folder.name.startswith("thing-9.9-")
    assert (folder / "jar").read_text() == "once\n"


def test_a_part_that_was_not_fetched_whole_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A download that broke off leaves nothing that the next run could mistake for the part."""
    pom = part(tmp_path, monkeypatch, 'mkdir -p "${5#-Doutput=}"; echo "[ERROR] no route to host"; exit 1')

    with pytest.raises(UnavailableError, match=r"could not fetch thing: .*no route to host"):
        fetch(pom)
    with pytest.raises(UnavailableError, match="no route to host"):
        fetch(pom)


def test_a_part_without_maven_is_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Maven says so."""
    pom = part(tmp_path, monkeypatch, "")
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UnavailableError, match="no mvn on the path"):
        fetch(pom)


def part(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """A part of version 9.9, an empty cache, and a `mvn` that runs a script: "$5" is where the part goes."""
    (folder / "thing").mkdir()
    (folder / "bin").mkdir()
    pom = folder / "thing" / "pom.xml"
    pom.write_text(POM)
    mvn = folder / "bin" / "mvn"
    mvn.write_text(f"#!/bin/sh\n{script}\n")
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", f"{mvn.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return pom


def test_a_java_too_old_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime is taken only from the needed version on."""
    monkeypatch.setattr(java, "_runtimes", lambda: iter([java.Java("old", 17), java.Java("new", 21)]))

    assert [find_java(17).path, find_java(21).path] == ["old", "new"]
    with pytest.raises(UnavailableError, match="Java 22 or newer"):
        find_java(22)


async def test_eventually_gives_what_came_true() -> None:
    """Waiting ends with the first true value, of a plain condition or of a coroutine."""
    plain, awaited = iter([0, None, "there"]), iter([0, "there"])

    async def look() -> object:
        return next(awaited)

    assert await eventually(lambda: next(plain)) == "there"
    assert await eventually(look) == "there"


async def test_eventually_names_what_did_not_come_true() -> None:
    """Waiting fails after its time and shows the last value."""
    with pytest.raises(AssertionError, match=r"not true after 0\.2 s: .*lambda.*last value: 0"):
        await eventually(lambda: 0, within=0.05)
    with pytest.raises(AssertionError, match=r"not true after 0\.2 s"):
        eventually_sync(lambda: 0, within=0.05)
