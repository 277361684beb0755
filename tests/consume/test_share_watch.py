"""The looks behind a replica's share: on real brokers, and when they fail."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from processor.clock import Clock, ManualClock, SystemClock
from processor.consume import share as module
from processor.consume.lag import EndOffsets
from processor.consume.share import PATIENCE, SMALL, ShareWatch
from processor.records import Key
from processor.settings.kafka_properties import consumer_config
from tests.consume.clusters import Cluster, Join
from tests.support.broker import PARTITIONS, admin_client
from tests.support.logs import Lines
from tests.support.waiting import eventually

AN_HOUR_AGO = 1_700_000_000_000
"""A record's timestamp, in ms; long ago is as good."""


@asynccontextmanager
async def running(watch: ShareWatch) -> AsyncIterator[None]:
    """Run a watch for as long as the block runs."""
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@dataclass
class Member:
    """A replica as its watch sees it.

    Attributes:
        own: what is assigned.
        shares: that were used, in order.
    """

    own: Collection[Key] = ()
    shares: list[float] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)

    def watch(
        self,
        topics: Iterable[str],
        make_consumer: Callable[[dict[str, object]], Consumer],
        ends: EndOffsets,
        clock: Clock | None = None,
    ) -> ShareWatch:
        """The watch of this replica."""
        return ShareWatch(
            list(topics),
            make_consumer,
            ends,
            assigned=lambda: self.own,
            use=self.shares.append,
            clock=clock or SystemClock(),
            log=self.lines.log,
        )

    async def uses(self, share: float) -> None:
        """Wait until this is the share in use."""
        await eventually(lambda: self.shares[-1:] == [pytest.approx(share)], within=20.0)


# On brokers.


@dataclass
class Group:
    """A consumer group on a cluster."""

    cluster: Cluster
    name: str = field(default_factory=lambda: uuid4().hex)

    def watch(self, member: Member, *topics: str) -> ShareWatch:
        """A watch with real clients."""
        config = consumer_config(self.cluster.properties, self.name, "test")
        ends = EndOffsets(lambda: admin_client(self.cluster.broker.bootstrap))
        return member.watch(topics, lambda callbacks: Consumer({**config, **callbacks}), ends)


@pytest.fixture
def group(cluster: Cluster) -> Group:
    """A group that has no offsets yet."""
    return Group(cluster)


def some(topic: str, *numbers: int) -> frozenset[Key]:
    """Partitions of a topic."""
    return frozenset((topic, number) for number in numbers)


def fill(cluster: Cluster, topic: str, *numbers: int, timestamp: int = AN_HOUR_AGO) -> None:
    """One record in each of these partitions."""
    producer = Producer({"bootstrap.servers": cluster.broker.bootstrap, "log_level": 0})
    for number in numbers:
        producer.produce(topic, b"x", partition=number, timestamp=timestamp)
    assert producer.flush(20) == 0


async def test_partitions_with_lag_share_the_rate(group: Group) -> None:
    """Ends and the group's offsets are read from the broker; idle partitions do not count."""
    topic = group.cluster.topics()
    fill(group.cluster, topic, 0, 1, 2)
    member = Member(own=some(topic, 0, 3))

    async with running(group.watch(member, topic)):
        await member.uses(1 / 3)

    assert 0 not in member.shares[1:]


async def test_what_the_group_has_settled_is_no_work(group: Group, join: Join) -> None:
    """Commits of other members count, while they own the partitions."""
    topic = group.cluster.topics()
    fill(group.cluster, topic, *range(PARTITIONS))
    other = join(topic, group.name, settles=lambda record: record.assignment.partition > 1)
    await eventually(lambda: {number for (_, number), at in other.committed().items() if at} == {2, 3}, within=40.0)
    member = Member(own=some(topic, 0))

    async with running(group.watch(member, topic)):
        await member.uses(1 / 2)


async def test_topics_may_be_named_by_a_pattern(group: Group) -> None:
    """The partitions of all topics that it fits count; a topic that is not there has none."""
    one, other = group.cluster.topics(), group.cluster.topics()
    fill(group.cluster, one, 0)
    fill(group.cluster, other, 0, 1)
    member = Member(own=some(one, 0))

    async with running(group.watch(member, f"^({one}|{other})$".replace(".", r"\."))):
        await member.uses(1 / 3)


async def test_a_change_of_the_assignment_counts_at_once(group: Group) -> None:
    """Partitions that leave take their part along before anybody is asked; those that come are looked at."""
    topic = group.cluster.topics()
    fill(group.cluster, topic, *range(PARTITIONS))
    member = Member(own=some(topic, *range(PARTITIONS)))
    watch = group.watch(member, topic)

    async with running(watch):
        await eventually(lambda: watch.work.busy == member.own)
        member.own = some(topic, 0)
        await member.uses(1 / PARTITIONS)
        member.own = ()
        await member.uses(0.0)
        fresh = group.cluster.topics()
        fill(group.cluster, fresh, 0)
        watch._topics = [topic, fresh]
        member.own = some(topic, 0, 1)
        await member.uses(2 / (PARTITIONS + 1))


# When they fail.


class Client:
    """A client of a group with two partitions, which answers when a test lets it.

    Attributes:
        answers: whether it does.
        free: cleared: a question blocks.
        committed_at: the group's offset of each partition.
    """

    def __init__(self) -> None:
        self.answers = True
        self.free = threading.Event()
        self.free.set()
        self.asked = 0
        self.committed_at = 0
        self.closed = False

    def poll(self, _: float) -> None:
        """Have nothing to say."""

    def list_topics(self, *_: object, **__: object) -> object:
        """Two partitions."""
        self.asked += 1
        self.free.wait()
        if not self.answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return SimpleNamespace(topics={"clicks": SimpleNamespace(error=None, partitions={0: None, 1: None})})

    def committed(self, partitions: list[TopicPartition], **_: object) -> list[TopicPartition]:
        """The same for each."""
        return [TopicPartition(each.topic, each.partition, self.committed_at) for each in partitions]

    def close(self) -> None:
        """Be closed."""
        self.closed = True


class Ends:
    """Ends of partitions with one record each, as long as it answers."""

    def __init__(self) -> None:
        self.answers = True
        self.ends: dict[Key, int] = {}

    async def look(self, keys: Iterable[Key]) -> dict[Key, int]:
        """All that is asked."""
        found = dict.fromkeys(keys, 1) if self.answers else {}
        self.ends |= found
        return found

    async def written_since(self, *_: object) -> frozenset[Key]:
        """Nothing."""
        return frozenset()


@dataclass
class Troubled:
    """A replica with one of two partitions."""

    member: Member = field(default_factory=lambda: Member(own=some("clicks", 0)))
    client: Client = field(default_factory=Client)
    ends: Ends = field(default_factory=Ends)
    clock: ManualClock = field(default_factory=ManualClock)

    def watch(self) -> ShareWatch:
        """Its watch."""
        return self.member.watch(
            ["clicks"], lambda _: cast("Consumer", self.client), cast("EndOffsets", self.ends), self.clock
        )

    async def asked_again(self) -> None:
        """Wait for two more looks: one may have begun before."""
        asked = self.client.asked
        await eventually(lambda: self.client.asked >= asked + 2)


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch) -> Troubled:
    """A replica whose watch does everything quickly."""
    for name in ("INTERVAL", "RETRY", "TURN"):
        monkeypatch.setattr(module, name, 0.01)
    return Troubled()


async def test_who_never_hears_does_not_stop_for_ever(troubled: Troubled) -> None:
    """Nothing is sent for some seconds; then a small part is, and the log says once why."""
    troubled.client.answers = False
    async with running(troubled.watch()):
        await troubled.asked_again()
        assert troubled.member.shares == []

        troubled.clock.advance(PATIENCE)
        await troubled.member.uses(SMALL)
        await troubled.asked_again()
        assert len(troubled.member.lines("share_look_failed")) == 1

        troubled.client.answers = True
        await troubled.member.uses(1 / 2)


async def test_the_patience_begins_with_the_first_partition(troubled: Troubled) -> None:
    """A replica that had nothing for an hour has not waited for an answer."""
    own, troubled.member.own = troubled.member.own, ()
    troubled.client.answers = False
    async with running(troubled.watch()):
        troubled.clock.advance(3600.0)
        await troubled.asked_again()
        troubled.member.own = own
        await troubled.asked_again()
        assert troubled.member.shares == []

        troubled.clock.advance(PATIENCE)
        await troubled.member.uses(SMALL)


async def test_a_look_that_fails_leaves_the_last_one(troubled: Troubled) -> None:
    """It goes on to count, with what is assigned now."""
    async with running(troubled.watch()):
        await troubled.member.uses(1 / 2)
        troubled.client.answers = False
        await troubled.asked_again()
        troubled.member.own = some("clicks", 0, 1)
        await troubled.member.uses(1.0)

    assert troubled.member.shares == [1 / 2, 1.0]
    assert [line["share"] for line in troubled.member.lines("share_look_failed")] == [1 / 2]


async def test_where_no_end_is_answered_all_partitions_count(troubled: Troubled) -> None:
    """Nobody knows what has work, but how many there are; the question is repeated, and changes nothing later."""
    troubled.ends.answers = False
    watch = troubled.watch()
    async with running(watch):
        await troubled.member.uses(1 / 2)
        assert watch.work.busy == watch.work.known == some("clicks", 0, 1)
        assert troubled.member.lines("share_look_failed")

        troubled.client.committed_at = 1
        troubled.ends.answers = True
        await eventually(lambda: watch.work.busy == frozenset())
        troubled.ends.answers = False
        await troubled.asked_again()
        assert watch.work.busy == frozenset()


async def test_each_new_trouble_is_said(troubled: Troubled) -> None:
    """After an answer the next failure is news again."""
    said = troubled.member.lines
    async with running(troubled.watch()):
        troubled.client.answers = False
        await eventually(lambda: len(said("share_look_failed")) == 1)
        troubled.client.answers = True
        await troubled.asked_again()
        troubled.client.answers = False
        await eventually(lambda: len(said("share_look_failed")) == 2)


async def test_the_client_is_closed_at_the_end(troubled: Troubled) -> None:
    """Nothing of it stays."""
    async with running(troubled.watch()):
        await troubled.member.uses(1 / 2)

    assert troubled.client.closed


async def test_the_end_does_not_wait_for_an_answer(troubled: Troubled) -> None:
    """A question that nobody answers is left to its time-out."""
    troubled.client.free.clear()
    async with running(troubled.watch()):
        await eventually(lambda: troubled.client.asked == 1)

    assert not troubled.client.closed
    troubled.client.free.set()
