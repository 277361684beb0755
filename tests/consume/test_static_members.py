"""Members with a name of their own (`group.instance.id`), on a real Kafka."""

from uuid import uuid4

import pytest
from confluent_kafka import Consumer

from processor.consume import kafka_thread
from processor.consume.start import write_start_offsets
from processor.settings.kafka_properties import check_kafka, consumer_config
from tests.consume.clusters import Cluster, Join
from tests.consume.members import Member
from tests.consume.test_restarts import REAL, WITHIN
from tests.support.broker import PARTITIONS, admin_client
from tests.support.logs import Lines
from tests.support.reading import committed
from tests.support.waiting import eventually_sync


def named(name: str) -> dict[str, str]:
    """The property, as `join` takes it."""
    return {"group_instance_id": name}


def complete(*members: Member, each: int) -> bool:
    """Whether they have committed all partitions up to there."""
    offsets = [offset for member in members for offset in member.committed().values()]
    return offsets == [each] * PARTITIONS


@REAL
def test_a_restart_within_the_session_moves_nothing(cluster: Cluster, join: Join) -> None:
    """It comes back to its own partitions, the others notice nothing, and no record is lost or read twice."""
    topic, group = cluster.filled(each=20), uuid4().hex
    first, other = join(topic, group, **named("a")), join(topic, group, **named("b"))
    eventually_sync(lambda: len(first.assigned) == len(other.assigned) == PARTITIONS // 2, 2 * WITHIN)
    eventually_sync(lambda: complete(first, other, each=20), WITHIN)
    owned, rebalances = other.assigned, other.thread.counts.rebalances
    first.stop()
    cluster.fill(topic, range(20, 40))

    again = join(topic, group, **named("a"))
    eventually_sync(lambda: complete(again, other, each=40), WITHIN)

    assert (other.assigned, other.thread.counts.rebalances) == (owned, rebalances)
    assert again.notes.offsets() == {key: list(range(20, 40)) for key in again.assigned}
    assert {key: other.notes.offsets()[key][-20:] for key in owned} == {key: list(range(20, 40)) for key in owned}


@REAL
def test_two_with_the_same_name(cluster: Cluster, join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them works, the other says what is wrong and waits: neither spins, nothing is lost (invariant 10)."""
    monkeypatch.setattr(kafka_thread, "REBUILD_WAIT", 1.0)
    topic, group = cluster.filled(each=20), uuid4().hex
    first = join(topic, group, **named("a"))
    eventually_sync(lambda: complete(first, each=20), WITHIN)
    second = join(topic, group, **named("a"))
    waits, works = (first, second) if cluster.protocol == "classic" else (second, first)
    eventually_sync(lambda: waits.lines("consumer_failed"), WITHIN)
    cluster.fill(topic, range(20, 40))
    eventually_sync(lambda: complete(works, each=40), WITHIN)

    assert "give each replica a group.instance.id of its own" in (waits.thread.snapshot.trouble or "")
    assert works.lines("consumer_failed") == []
    assert len(waits.lines("consumer_failed")) <= 5
    assert waits.assigned == set()


@REAL
def test_a_new_group_is_given_its_start_by_a_named_client(cluster: Cluster) -> None:
    """Its offsets are written by a client that carries the name and is no member."""
    topic, group = cluster.filled(each=20), uuid4().hex
    kafka = cluster.properties | {"group.instance.id": "a"}
    config = consumer_config(kafka, group, "test")

    write_start_offsets(
        lambda: admin_client(cluster.broker.bootstrap),
        lambda callbacks: Consumer({**config, **callbacks}),
        group,
        [topic],
        "latest",
        lambda: False,
        Lines().log,
    )

    assert committed(cluster.broker.bootstrap, group, topic) == dict.fromkeys(range(PARTITIONS), 20)
    assert check_kafka(kafka) == []
