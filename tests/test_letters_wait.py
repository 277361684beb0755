"""A dead-letter topic in trouble, on a real Kafka that knows who may do what: letters wait, all else goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AclOperation, ResourceType
from confluent_kafka.cimpl import NewTopic

from processor.demo.vendors import VendorOptions
from tests.support.broker import REQUEST_TIMEOUT
from tests.support.guarded import Entry, GuardedKafka
from tests.support.metrics import counted
from tests.support.path import running_path
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.stream import PARTITIONS, Stream, lines, waiting_for
from tests.support.topics import KEEP, TopicFactory
from tests.support.waiting import eventually_sync

WITHIN = 30.0
"""Seconds for what waits for the next look or the next try."""
TO_WORK: tuple[Entry, ...] = (
    (ResourceType.TOPIC, "test.*", AclOperation.READ),
    (ResourceType.GROUP, "test*", AclOperation.READ),
)
"""What the service needs but for its letters: names of tests' topics and groups begin so."""
BAD, OTHERS = 0, (1, 2, 3)
"""The partition with a record that has to be buried, and the others."""


@pytest.fixture(scope="module")
def kafka(guarded: GuardedKafka) -> Iterator[GuardedKafka]:
    """A Kafka whose user may read topics and work in groups, and write nothing."""
    guarded.let(*TO_WORK)
    yield guarded
    guarded.forbid(*TO_WORK)


@pytest.fixture
def stream(tmp_path: Path, kafka: GuardedKafka, registry: Registry) -> Iterator[Stream]:
    """A topic on its way to a vendor."""
    topics = TopicFactory(kafka.broker)
    with running_path(tmp_path, kafka.broker, registry, topics, VendorOptions(latency=0.0)) as path:
        yield Stream(path, registry.url)


def service(stream: Stream, kafka: GuardedKafka, letters: str | None = None) -> ServiceProcess:
    """The service as the user who may do little, with this dead-letter topic."""
    if letters is not None:
        stream.path.letters = {**stream.path.letters, "rocket": letters}
    return stream.service({"url": stream.registry_url}, kafka=kafka.login)


def told(replica: ServiceProcess) -> dict[str, Any]:
    """What it says of its dead-letter topic."""
    found: dict[str, Any] = replica.status()["rocket"]["dead_letters"]
    return found


def send_bad_and_good(stream: Stream) -> None:
    """Each partition gets good records, one of them a bad one in between."""
    stream.send(stream.first, 5, *PARTITIONS)
    stream.send_bytes([b"\xffgarbage"], 1, BAD)
    stream.send(stream.first, 5, *PARTITIONS)


def accepted(stream: Stream) -> dict[int, list[str]]:
    """Products by partition, in the order in which the vendor took each for the first time."""
    return {partition: [*dict.fromkeys(products)] for partition, products in stream.delivered.items()}


def await_hold(stream: Stream, replica: ServiceProcess) -> str:
    """Wait until all that can go is gone, and one offset waits; gives what is said of it."""
    replica.ready()
    words = eventually_sync(lambda: waiting_for(replica).get("dead_letter_topic"), WITHIN)
    eventually_sync(lambda: accepted(stream) == stream.sent, WITHIN)
    stream.settled(*OTHERS)
    eventually_sync(lambda: stream.committed[BAD] == 5, WITHIN)
    status, metrics = replica.status()["rocket"], replica.get("/metrics")[1]
    assert [hold["reason"] for hold in status["holds"]] == ["dead_letter_topic"]
    assert counted(metrics, "clickstream_hold", reason="dead_letter_topic") == 1
    assert counted(metrics, "clickstream_dead_letters_total") == 0
    assert told(replica)["waiting"] == 1
    assert replica.get("/live")[0] == replica.get("/ready")[0] == 200
    return words


def await_health(stream: Stream, replica: ServiceProcess) -> None:
    """Wait until the letter is there and nothing waits any more."""
    stream.settled()
    eventually_sync(lambda: told(replica)["trouble"] is None, WITHIN)
    metrics = replica.get("/metrics")[1]
    assert counted(metrics, "clickstream_hold") == 0
    assert counted(metrics, "clickstream_dead_letters_total") == 1
    assert waiting_for(replica) == {}
    (line,) = lines(replica, "dead_letter_topic_back")
    assert line["dead_letter_topic"] == stream.path.letters["rocket"]
    (found,) = stream.letters()
    assert (found["dlq.source.partition"], found["dlq.source.offset"]) == (str(BAD), "5")


def test_a_topic_that_is_missing_is_waited_for(stream: Stream, kafka: GuardedKafka) -> None:
    """Said at the start with the command that creates it; a letter waits for it, also over a crash (invariant 8)."""
    name = f"test.{uuid4().hex[:8]}.dlq"
    kafka.let((ResourceType.TOPIC, name, AclOperation.WRITE))

    with service(stream, kafka, name) as replica:
        replica.ready()
        trouble = eventually_sync(lambda: told(replica)["trouble"], WITHIN)
        assert (waiting_for(replica), told(replica)["waiting"]) == ({}, 0)
        send_bad_and_good(stream)
        words = await_hold(stream, replica)
        replica.kill()
    before = dict(stream.committed)
    with service(stream, kafka, name) as replica:
        assert await_hold(stream, replica) == words
        assert stream.committed == before
        stream.path.admin.create_topics([NewTopic(name, 4, config=KEEP)])[name].result(REQUEST_TIMEOUT)
        await_health(stream, replica)
        assert replica.terminate() == 0

    assert trouble["words"] == f"the topic {name} does not exist"
    assert f"--create --topic {name} --partitions {len(PARTITIONS)} --config retention.ms=" in trouble["fix"]
    assert words == f"{trouble['words']}; {trouble['fix']}"
    assert lines(replica, "dead_letter_topic_unfit")[0]["level"] == "error"
    repeats = {partition: len(products) - 10 for partition, products in stream.delivered.items()}
    assert repeats == dict.fromkeys(PARTITIONS, 0) | {BAD: 5}, "what is behind the bad record may be in its lane"


def test_a_topic_that_we_may_not_write_to_is_waited_for(stream: Stream, kafka: GuardedKafka) -> None:
    """Nobody is blamed, the reason is said, and the letter is written once that is allowed (invariant 9)."""
    name = stream.path.letters["rocket"]
    right = (ResourceType.TOPIC, name, AclOperation.WRITE)

    with service(stream, kafka) as replica:
        replica.ready()
        trouble = eventually_sync(lambda: told(replica)["trouble"], WITHIN)
        send_bad_and_good(stream)
        words = await_hold(stream, replica)
        kafka.let(right)
        await_health(stream, replica)
        kafka.forbid(right)
        stream.send_bytes([b"\xffgarbage"], 1, BAD)
        again = eventually_sync(lambda: waiting_for(replica).get("dead_letter_topic"), WITHIN)
        kafka.let(right)
        eventually_sync(lambda: told(replica)["waiting"] == 0, WITHIN)
        stream.settled()
        assert replica.terminate() == 0

    assert "may not write" in trouble["words"]
    assert f"kafka-acls.sh --bootstrap-server {kafka.login['bootstrap.servers']} --add" in trouble["fix"]
    assert words == f"{trouble['words']}; {trouble['fix']}"
    assert "kafka-acls.sh" in again
    assert len(stream.letters()) == 2
