from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ClusterMetadata

from processor.consume import start
from processor.consume.start import StartFrom, write_start_offsets
from processor.settings.kafka_properties import consumer_config
from tests.consume.clusters import Cluster, Join
from tests.consume.scripted import ScriptedConsumer
from tests.consume.test_restarts import REAL, WITHIN
from tests.support.broker import PARTITIONS, admin_client
from tests.support.logs import Lines
from tests.support.reading import committed, patiently
from tests.support.records import SECOND
from tests.support.server import free_port
from tests.support.waiting import eventually_sync

EACH = 5
"""Records in each partition before a group begins."""


@dataclass
class Group:
    """A group that may begin, and what it has then."""

    cluster: Cluster
    name: str = field(default_factory=lambda: uuid4().hex)
    lines: Lines = field(default_factory=Lines)

    def begin(self, topics: Sequence[str], start_from: StartFrom) -> None:
        """Do what a replica does before it joins, and again while there is no coordinator, as it does."""
        config = consumer_config(self.cluster.properties, self.name, "test")

        def make_consumer(callbacks: dict[str, object]) -> Consumer:
            return Consumer({**config, **callbacks})

        patiently(
            lambda: write_start_offsets(
                self.make_admin, make_consumer, self.name, topics, start_from, going_on, self.lines.log
            )
        )

    def make_admin(self) -> AdminClient:
        """A client that asks."""
        return admin_client(self.cluster.broker.bootstrap)

    def offsets(self, topic: str) -> dict[int, int]:
        """What the coordinator holds, by partition."""
        return committed(self.cluster.broker.bootstrap, self.name, topic)


def going_on() -> bool:
    """Nobody wants the service to end."""
    return False


def everywhere(offset: int) -> dict[int, int]:
    """The same offset in each partition."""
    return dict.fromkeys(range(PARTITIONS), offset)


@pytest.mark.parametrize(("start_from", "offset"), [("earliest", 0), ("latest", EACH)])
def test_a_new_group_begins_where_it_is_told(cluster: Cluster, start_from: StartFrom, offset: int) -> None:
    """The first replica writes the start of every partition, before anybody reads."""
    group, topic = Group(cluster), cluster.filled(EACH)

    group.begin([topic], start_from)

    assert group.offsets(topic) == everywhere(offset)
    assert group.lines("new_group_starts")[0]["partitions"] == PARTITIONS


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_a_new_group_begins_at_a_time(cluster: Cluster) -> None:
    """A partition begins at its first record of that time or later, and at its end where there is none."""
    group, topic = Group(cluster), cluster.topics()
    producer = Producer({"bootstrap.servers": cluster.broker.bootstrap})
    for partition, seconds in ((0, (-2, -1, 0, 1)), (1, (-2, 1)), (2, (-3, -2))):
        for second in seconds:
            producer.produce(topic, b"x", partition=partition, timestamp=SECOND + 1000 * second)
    assert producer.flush(10) == 0

    group.begin([topic], datetime.fromtimestamp(SECOND / 1000, UTC))

    assert group.offsets(topic) == {0: 2, 1: 1, 2: 2, 3: 0}


@pytest.mark.parametrize("start_from", ["latest", datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_group_with_offsets_is_left_alone(cluster: Cluster, start_from: StartFrom) -> None:
    """Whatever the file says later, a group goes on where it was; a restart before the first commit changes nothing."""
    group, topic = Group(cluster), cluster.filled(EACH)
    group.begin([topic], "earliest")
    cluster.fill(topic, range(EACH))

    group.begin([topic], start_from)

    assert group.offsets(topic) == everywhere(0)
    assert len(group.lines("new_group_starts")) == 1


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_one_known_offset_makes_an_old_group(cluster: Cluster) -> None:
    """A topic that an old group did not read before gets no start offset: it is read from its earliest record."""
    group, old, added = Group(cluster), cluster.filled(EACH), cluster.filled(EACH)
    group.begin([old], "latest")

    group.begin([old, added], "latest")

    assert group.offsets(old) == everywhere(EACH)
    assert group.offsets(added) == {}


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_a_regular_expression_finds_its_topics(cluster: Cluster) -> None:
    """Every topic that matches begins, and no other one; a topic that is named twice begins once."""
    group, wanted, other = Group(cluster), cluster.filled(EACH), cluster.filled(EACH)
    pattern = f"^{wanted[:-1].replace('.', '[.]')}.$"

    group.begin([pattern, wanted], "latest")

    assert group.offsets(wanted) == everywhere(EACH)
    assert group.offsets(other) == {}


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_a_missing_topic_is_said_and_others_begin(cluster: Cluster) -> None:
    """A topic that is not there is named with what to do; it keeps nobody from starting."""
    group, topic = Group(cluster), cluster.filled(EACH)

    group.begin([topic, "test.nowhere"], "latest")

    (line,) = group.lines("topic_missing")
    assert line["topic"] == "test.nowhere"
    assert "create the topic" in line["fix"]
    assert group.offsets(topic) == everywhere(EACH)


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_nothing_to_read_writes_nothing(cluster: Cluster) -> None:
    """Without any topic the group stays new: it begins when its topics are there."""
    group = Group(cluster)

    group.begin(["test.nowhere", "^test[.]never$"], "latest")

    assert group.lines("new_group_starts") == []


@REAL
def test_a_group_with_members_cannot_be_written(cluster: Cluster, join: Join) -> None:
    """Where another replica was first this one fails, to come back later; the members' offsets stay theirs."""
    group, topic = Group(cluster), cluster.filled(EACH)
    member = join(topic, group.name, settles=never)
    eventually_sync(lambda: len(member.notes.records) == EACH * PARTITIONS, within=20)
    other = cluster.filled(EACH)

    with pytest.raises(KafkaException):
        group.begin([other], "latest")

    assert group.offsets(other) == {}
    assert group.lines("new_group_starts") == []


@REAL
def test_a_group_that_has_lost_its_offsets_is_joined(cluster: Cluster, join: Join) -> None:
    """Others read a topic that was created anew and has no records yet: no start is written, and none is waited for."""
    group, topic = Group(cluster), cluster.topics(1)
    member = join(topic, group.name)
    eventually_sync(lambda: member.assigned, WITHIN)
    assert group.offsets(topic) == {}

    group.begin([topic], "latest")

    assert group.offsets(topic) == {}
    assert group.lines.events == ["group_has_begun"]


def test_members_that_are_not_told_in_time_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether others have begun is not known then; the caller tries again."""
    monkeypatch.setattr(start, "TIMEOUT", 0.1)
    unanswered = SimpleNamespace(describe_consumer_groups=lambda groups, **_: {groups[0]: Future()})

    with pytest.raises(KafkaException, match="_TIMED_OUT"):
        start._is_read(cast("AdminClient", unanswered), "g", [])


def never(_: object) -> bool:
    """Settle nothing."""
    return False


def test_kafka_that_is_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be asked is raised under a deadline, and the client says why; the caller tries again."""
    monkeypatch.setattr(start, "TIMEOUT", 0.2)
    monkeypatch.setattr(start, "TURN", 0.1)
    said: list[KafkaError] = []

    def make_consumer(callbacks: dict[str, object]) -> Consumer:
        config = consumer_config({"bootstrap.servers": f"127.0.0.1:{free_port()}", "log_level": "0"}, "g", "test")
        return Consumer({**config, **callbacks, "error_cb": said.append})

    with pytest.raises(KafkaException):
        write_start_offsets(unused, make_consumer, "g", ["clicks"], "latest", going_on, Lines().log)

    assert "Connection refused" in said[0].str()


def test_a_service_that_is_to_end_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a Kafka that does not answer, the end comes after one turn, not after all of them."""
    monkeypatch.setattr(start, "TURN", 0.1)
    nowhere = consumer_config({"bootstrap.servers": f"127.0.0.1:{free_port()}", "log_level": "0"}, "g", "test")
    turns: list[bool] = []

    def stopping() -> bool:
        turns.append(True)
        return True

    with pytest.raises(KafkaException):
        write_start_offsets(unused, lambda _: Consumer(nowhere), "g", ["clicks"], "latest", stopping, Lines().log)

    assert turns == [True]


def unused() -> AdminClient:
    """Nobody may get as far as this."""
    raise AssertionError


@dataclass
class Silent(ScriptedConsumer):
    """A client whose commit is never answered.

    Attributes:
        admin: knows the topics.
    """

    admin: AdminClient = field(kw_only=True)

    def list_topics(self, timeout: float) -> ClusterMetadata:
        """What there is."""
        return self.admin.list_topics(timeout=timeout)

    def poll(self, timeout: float) -> None:
        """Wait for nothing."""
        self.consume(1, timeout)


@pytest.mark.parametrize("cluster", ["embedded, consumer"], indirect=True)
def test_a_commit_without_an_answer_is_an_error(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start offsets that nobody acknowledged are not taken for written, and the client is closed."""
    monkeypatch.setattr(start, "TIMEOUT", 0.5)
    monkeypatch.setattr(start, "TURN", 0.5)
    admin = admin_client(cluster.broker.bootstrap)
    topic, silent = cluster.topics(), Silent(answers=False, admin=admin)

    with pytest.raises(KafkaException):
        write_start_offsets(
            lambda: admin, lambda _: cast("Consumer", silent), "g", [topic], "latest", going_on, Lines().log
        )

    assert silent.told("commit") == [everywhere(0)]
    assert silent.closed


@pytest.mark.parametrize("cluster", ["embedded, consumer"], indirect=True)
def test_an_offset_that_is_not_told_is_an_error(cluster: Cluster) -> None:
    """The group may have it: nothing is written, the caller tries again; where another one is told, it has begun."""
    admin, topic = admin_client(cluster.broker.bootstrap), cluster.topics()

    def write(held: dict[int, int]) -> Silent:
        client = Silent(held=held, refused={1}, admin=admin)
        write_start_offsets(unused, lambda _: cast("Consumer", client), "g", [topic], "latest", going_on, Lines().log)
        return client

    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        write({})
    assert write({0: 5}).told("commit") == []
