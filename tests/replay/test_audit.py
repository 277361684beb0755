"""Whether an audit topic can be relied on, and what is read of it."""

from collections import defaultdict

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from processor.errors import FatalError
from processor.replay.audit import Audit, audit_topic
from processor.replay.history import History, marks_of
from processor.replay.spans import Spans
from tests.replay.audits import audited, desk, producer
from tests.replay.readers import reader
from tests.support.broker import REQUEST_TIMEOUT, Broker, admin_client
from tests.support.topics import TopicFactory

WITHIN = 20.0


def look(broker: Broker, topic: str) -> str | None:
    """What is wrong with the audit topic of a dead-letter topic, in words."""
    with reader(broker.bootstrap) as opened:
        found = Audit(topic, opened, admin_client(broker.bootstrap), broker.bootstrap).look()
    return None if found is None else str(found)


def alter(broker: Broker, topic: str, **config: str) -> None:
    """Change a topic's configuration, as the command in a finding does."""
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    admin = admin_client(broker.bootstrap)
    admin.incremental_alter_configs([resource])[resource].result(REQUEST_TIMEOUT)


@pytest.fixture
def real(broker: Broker) -> Broker:
    """A broker that has topics of every kind."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster makes every topic that it is asked for, and all alike")
    return broker


def test_an_audit_topic_that_is_missing(real: Broker, topic: TopicFactory) -> None:
    """The command creates it; read, it tells that nothing was ever replayed."""
    name = topic()

    with desk(real, name) as here:
        found = here.audit.look()
        assert found is not None
        assert found.missing
        assert (here.history.runs, here.history.done) == ({}, {})

    assert str(found) == (
        f"the audit topic {name}.audit does not exist; create it: kafka-topics.sh --bootstrap-server {real.bootstrap} "
        f"--create --topic {name}.audit --partitions 1 --config cleanup.policy=compact"
    )


def test_an_audit_topic_that_is_as_it_should_be(real: Broker, topic: TopicFactory) -> None:
    """There is nothing to say."""
    assert look(real, audited(real, topic)) is None


def test_a_topic_that_keeps_all(real: Broker, topic: TopicFactory) -> None:
    """One that may delete, but without any limit, forgets nothing."""
    name = topic()
    topic(1, {"cleanup.policy": "compact,delete", "retention.ms": "-1"}, audit_topic(name))

    assert look(real, name) is None


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"retention.ms": "604800000"}, "(cleanup.policy=delete, retention.ms=604800000)"),
        ({"retention.bytes": "5000000"}, "(cleanup.policy=delete, retention.bytes=5000000)"),
        (
            {"cleanup.policy": "compact,delete", "retention.ms": "604800000"},
            "(cleanup.policy=compact,delete, retention.ms=604800000)",
        ),
    ],
)
def test_an_audit_topic_that_forgets(real: Broker, topic: TopicFactory, config: dict[str, str], told: str) -> None:
    """It is refused, with its settings and the command that mends it; after that command it is as it should be."""
    name = topic()
    topic(1, config, audit_topic(name))

    with desk(real, name) as here:
        found = here.audit.look()
        assert found is not None
        assert not found.missing
        assert found.words == (
            f"the audit topic {name}.audit forgets what was replayed {told}, so it would be sent again"
        )
        assert found.fix == (
            f"let it keep that: kafka-configs.sh --bootstrap-server {real.bootstrap} --alter --entity-type topics "
            f"--entity-name {name}.audit --add-config cleanup.policy=compact"
        )
        alter(real, f"{name}.audit", cleanup_policy="compact")
        assert here.audit.look() is None


def test_only_what_is_new_is_read(broker: Broker, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading goes on where the last one ended, in all partitions, and gives the same history, grown."""
    name = audited(broker, topic)

    with desk(broker, name) as here:
        mine = here.run(id="2026-11-22-1")
        before = here.history
        client = producer(broker.bootstrap)
        for partition in range(3):
            for marks in marks_of(mine, (name, partition), {"delivered": Spans((partition, 9))}, 10):
                client.produce(f"{name}.audit", marks.as_json(), f"marks:{partition}")
            assert client.flush(WITHIN) == 0
            assert len(here.history.done[partition]) == 9 - partition
        added: list[object] = []
        monkeypatch.setattr(History, "add", lambda _, message: added.append(message))
        assert here.history is before

    assert added == []
    assert list(before.done) == [0, 1, 2]


def test_messages_of_somebody_else(broker: Broker, topic: TopicFactory) -> None:
    """They are counted and named, and what is ours is read."""
    name = audited(broker, topic)
    client = producer(broker.bootstrap)
    client.produce(f"{name}.audit", b"{", b"k")
    with desk(broker, name) as here:
        client.produce(f"{name}.audit", here.run(id="2026-11-22-1").as_json(), b"run:2026-11-22-1")
        assert client.flush(WITHIN) == 0
        history = here.history

    assert history.malformed == 1
    assert f"{name}.audit[" in history.named[0]
    assert list(history.runs) == ["2026-11-22-1"]


def test_a_topic_that_was_created_anew(real: Broker, topic: TopicFactory) -> None:
    """Marks of the earlier topic of that name do not close the letters of the new one."""
    name = audited(real, topic)
    with desk(real, name) as here:
        first = here.run(id="2026-11-22-1")
        here.writer.mark(first, (name, 0), {"delivered": Spans((0, 5))}, lambda: None)
        assert here.writer.stop(WITHIN) == 0
        assert here.history.done == {0: Spans((0, 5))}
    admin = admin_client(real.bootstrap)
    admin.delete_topics([name])[name].result(REQUEST_TIMEOUT)
    topic(name=name)

    with desk(real, name) as here:
        assert here.audit.topic_id not in {"", first.topic_id}
        assert here.history.done == {}
        assert here.audit.read_of(first.topic_id).done == {0: Spans((0, 5))}  # of letters that a file still has


def test_a_topic_that_is_created_anew_meanwhile(real: Broker, topic: TopicFactory) -> None:
    """A command is about the letters that it has looked at, so what it writes down is never about others."""
    name = audited(real, topic)
    with desk(real, name) as here:
        assert here.history.done == {}
        before = here.audit.topic_id
        admin = admin_client(real.bootstrap)
        admin.delete_topics([name])[name].result(REQUEST_TIMEOUT)
        topic(name=name)
        assert here.run().topic_id == before

    with desk(real, name) as here:
        assert here.audit.topic_id not in {"", before}


def test_a_topic_without_an_id(topic: TopicFactory, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead-letter topic that is missing, or whose broker tells no ids, has none, and that is no trouble."""
    name = audited(broker, topic)
    with desk(broker, name) as here:
        monkeypatch.setattr("processor.replay.audit.NO_ID", here.audit.topic_id)
    with desk(broker, name) as here:
        assert here.audit.topic_id == ""
        assert isinstance(here.history, History)


class Refused:
    """An answer."""

    def result(self) -> None:
        """No."""
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "not allowed"))


def refusing(broker: Broker, monkeypatch: pytest.MonkeyPatch, question: str) -> AdminClient:
    """A client whose one question is refused."""
    admin = admin_client(broker.bootstrap)
    monkeypatch.setattr(admin, question, lambda _, **__: defaultdict(Refused))
    return admin


def test_who_may_not_see_the_topic(broker: Broker, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was replayed cannot be known then: the command that allows it is told."""
    admin = refusing(broker, monkeypatch, "describe_topics")
    with reader(broker.bootstrap) as opened, pytest.raises(FatalError) as caught:
        Audit(audited(broker, topic), opened, admin, broker.bootstrap).look()

    assert "this Kafka user lacks Read on the topic" in str(caught.value)
    assert "kafka-acls.sh" in str(caught.value)


def test_who_may_not_see_the_configuration(real: Broker, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told, with the command that allows it; nobody knows that anything is wrong, so nothing is refused."""
    name = topic()
    topic(1, {"retention.ms": "5000000"}, audit_topic(name))
    admin = refusing(real, monkeypatch, "describe_configs")
    with reader(real.bootstrap) as opened:
        found = Audit(name, opened, admin, real.bootstrap).look()

    assert found is not None
    assert (found.doubt, found.missing) == (True, False)
    assert f"lacks DescribeConfigs on the topic {name}.audit; let it: kafka-acls.sh" in str(found)


def test_no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address and the client's own words."""
    monkeypatch.setattr("processor.replay.audit.PATIENCE", 0.2)
    with reader("127.0.0.1:1") as opened, pytest.raises(FatalError, match=r"Kafka at 127\.0\.0\.1:1 does not tell"):
        Audit("clicks.dlq", opened, admin_client("127.0.0.1:1"), "127.0.0.1:1").look()
