from concurrent.futures import Future
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition, Uuid
from confluent_kafka.admin import AdminClient

from processor.clock import SystemClock
from processor.consume import survey
from processor.consume.survey import NO_ID, Survey
from processor.offsets import PartitionLog
from tests.consume.clusters import Cluster
from tests.support.broker import PARTITIONS, admin_client
from tests.support.logs import Lines
from tests.support.server import free_port
from tests.support.waiting import eventually_sync


def surveyor(admin: AdminClient, lines: Lines | None = None) -> Survey:
    """Asks this broker."""
    return Survey(lambda: admin, SystemClock(), (lines or Lines()).log)


def test_what_a_broker_has(cluster: Cluster) -> None:
    """The ends of every partition that is asked for; a real broker's topics have ids, each one its own."""
    topics, lines = [cluster.filled(5), cluster.topics()], Lines()
    asked = [(topic, number) for topic in topics for number in range(PARTITIONS)]
    real = cluster.broker.kind != "embedded"

    logs = surveyor(admin_client(cluster.broker.bootstrap), lines).look(asked, topics if real else ())

    assert {key: (log.first, log.end) for key, log in logs.items()} == {
        key: (0, 5 if key[0] == topics[0] else 0) for key in asked
    }
    ids = {topic: {logs[key].topic_id() for key in asked if key[0] == topic} for topic in topics}
    assert all(len(each) == 1 for each in ids.values())
    assert len(set().union(*ids.values())) == (2 if real else 1)
    assert lines.events == []


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_an_id_may_come_later(cluster: Cluster) -> None:
    """Nobody waits for the id of a topic that there is nothing to compare with."""
    topic = cluster.topics()

    logs = surveyor(admin_client(cluster.broker.bootstrap)).look([(topic, 0)], ())

    assert len(eventually_sync(logs[topic, 0].topic_id) or "") == 22


@pytest.mark.parametrize("cluster", ["run's broker, classic"], indirect=True)
def test_a_topic_that_is_gone(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not know is left open after the deadline, and said."""
    monkeypatch.setattr(survey, "TIMEOUT", 0.5)
    lines = Lines()

    logs = surveyor(admin_client(cluster.broker.bootstrap), lines).look([("test.nowhere", 0)], {"test.nowhere"})

    assert (logs["test.nowhere", 0].first, logs["test.nowhere", 0].topic_id()) == (None, None)
    assert set(lines.events) == {"log_ends_unknown", "topic_id_unknown"}


def test_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the deadline nothing is known, and that is said; the assignment goes on."""
    monkeypatch.setattr(survey, "TIMEOUT", 0.3)
    lines, admin = Lines(), admin_client(f"127.0.0.1:{free_port()}")

    logs = surveyor(admin, lines).look([("clicks", 0)], {"clicks"})

    assert (logs["clicks", 0].first, logs["clicks", 0].end, logs["clicks", 0].topic_id()) == (None, None, None)
    assert set(lines.events) == {"log_ends_unknown", "topic_id_unknown"}


def test_a_client_that_cannot_be_made() -> None:
    """Without a login nothing is known, and nothing fails."""
    lines = Lines()

    def make() -> AdminClient:
        raise KafkaException(KafkaError(KafkaError._AUTHENTICATION, "no token"))

    logs = Survey(make, SystemClock(), lines.log).look([("clicks", 0)], ())

    assert logs == {("clicks", 0): PartitionLog()}
    assert "no token" in lines("log_ends_unknown")[0]["reason"]


def test_nothing_to_ask() -> None:
    """Without partitions nobody is asked."""
    assert Survey(cast("Any", None), SystemClock(), Lines().log).look([], ()) == {}


class Old:
    """A broker from before topics had ids."""

    def describe_topics(self, topics: Any, request_timeout: float) -> dict[str, Future[Any]]:
        """All that it can say."""
        assert request_timeout > 0
        answer: Future[Any] = Future()
        answer.set_result(type("Description", (), {"topic_id": Uuid(0, 0)}))
        return dict.fromkeys([name for name in ("clicks",) if topics], answer)

    def list_offsets(self, asked: dict[TopicPartition, Any], **_: Any) -> dict[TopicPartition, Future[Any]]:
        """Never answers."""
        return dict.fromkeys(asked, Future())


def test_a_broker_without_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id of nothing but zeros is none; answers that do not come are waited for no longer than the deadline."""
    monkeypatch.setattr(survey, "TIMEOUT", 0.05)
    lines = Lines()

    logs = surveyor(cast("AdminClient", Old()), lines).look([("clicks", 0)], {"clicks"})

    assert str(Uuid(0, 0)) == NO_ID
    assert logs["clicks", 0].topic_id() is None
    assert lines("log_ends_unknown")[0]["reason"] == "no answer in time"
