from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from uuid import uuid4

import pytest

from processor.clock import Clock, ManualClock, SystemClock
from processor.consume import kafka_thread, lease
from processor.consume.backpressure import Limits
from processor.consume.ports import Broker
from processor.consume.roll import Roll
from processor.consume.survey import Survey
from processor.kafka_admin import SharedAdmin
from processor.settings.kafka_properties import consumer_config
from tests.consume.clusters import Cluster, Join
from tests.consume.members import AMPLE, Begin, Member, Prepare, Slow, Wants, start_member, watched
from tests.consume.scripted import TOPIC, ScriptedConsumer
from tests.support import broker as brokers
from tests.support.broker import admin_client, embedded_broker
from tests.support.logs import Lines
from tests.support.topics import TopicFactory


@pytest.fixture
def clock() -> ManualClock:
    """Time passes when the test says so."""
    return ManualClock()


@pytest.fixture
def consumer() -> ScriptedConsumer:
    """A consumer that the broker is about to assign partition 0 to; the group's offset is 10."""
    scripted = ScriptedConsumer(held={0: 10})
    scripted.serve(scripted.assign(0))
    return scripted


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Start threads on scripted consumers, one after the other: `begin(first, second, settles=…, limits=…)`."""
    monkeypatch.setattr(kafka_thread, "REBUILD_WAIT", 0.01)
    members: list[Member] = []

    def start(
        *consumers: ScriptedConsumer,
        settles: Wants = lambda _: True,
        limits: Limits = AMPLE,
        prepare: Prepare = lambda *_: None,
        broker: Broker | None = None,
        clock: Clock | None = None,
        tells_loss: bool = True,
    ) -> Member:
        left = list(consumers)
        members.append(
            start_member(
                lambda callbacks: left.pop(0).make(callbacks),
                [TOPIC],
                settles=settles,
                limits=limits,
                prepare=prepare,
                broker=broker,
                clock=clock,
                tells_loss=tells_loss,
            )
        )
        return members[-1]

    yield start
    for member in members:
        member.stop()


@pytest.fixture(scope="session")
def embedded() -> Iterator[brokers.Broker]:
    """The mock cluster that the demo runs on, beside the run's broker."""
    with embedded_broker() as broker:
        yield broker


@pytest.fixture(params=["run's broker, classic", "run's broker, consumer", "embedded, consumer"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A broker and a group protocol: a Kafka thread must do the same on each of them."""
    where, protocol = request.param.split(", ")
    broker: brokers.Broker = request.getfixturevalue("embedded" if where == "embedded" else "broker")
    topics = TopicFactory(broker)
    yield Cluster(broker, protocol, topics)
    topics.close()


@pytest.fixture
def join_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Join]:
    """Start members of a group on any cluster: `join_at(cluster, topic, group, settles=…, limits=…, slow=…, **kafka)`.

    What is `slow` is asked of partitions that come, before the broker is.
    """
    monkeypatch.setattr(kafka_thread, "REBUILD_WAIT", 0.01)
    members: list[Member] = []

    def start(
        cluster: Cluster,
        topic: str,
        group: str = "",
        settles: Wants = lambda _: True,
        limits: Limits = AMPLE,
        slow: Callable[[], object] = lambda: None,
        **kafka: str,
    ) -> Member:
        properties = {name.replace("_", "."): value for name, value in kafka.items()}
        group = group or uuid4().hex
        config = consumer_config(cluster.properties | properties, group, "test")
        users: set[int] = set()
        lines, clock = Lines(), SystemClock()
        admin = SharedAdmin(lambda: admin_client(cluster.broker.bootstrap), clock)
        members.append(
            start_member(
                lambda callbacks: watched({**config, **callbacks}, users),
                [topic],
                settles=settles,
                limits=limits,
                broker=Slow(Survey(admin, clock, lines.log), slow),
                roll=Roll(admin, group, clock) if cluster.protocol == "consumer" else None,
                tells_loss=cluster.protocol != "consumer",
                users=users,
                lines=lines,
            )
        )
        return members[-1]

    yield start
    for member in members:
        member.stop()


@pytest.fixture
def join(cluster: Cluster, join_at: Join, monkeypatch: pytest.MonkeyPatch) -> Join:
    """Start members of a group on the cluster: `join(topic, group, settles=…, limits=…, **kafka)`.

    On a busy machine partitions may be taken over slowly, and then nothing is committed before the coordinator has
    answered. The service sends nothing for so long either; the stand-in for its event loop settles at once.
    """
    monkeypatch.setattr(lease, "SWIFT", inf)
    return partial(join_at, cluster)
