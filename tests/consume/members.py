"""A member of a consumer group, and the other side of its Kafka thread, for tests."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError

from processor.clock import Clock, SystemClock
from processor.consume.backpressure import Limits
from processor.consume.kafka_thread import KafkaThread
from processor.consume.ports import Broker
from processor.consume.roll import Roll
from processor.offsets import PartitionLog, TopicId, no_topic_id
from processor.records import Assignment, Key, Record
from processor.settle.ledger import Ledger
from processor.settle.settler import spans_of
from tests.support.logs import Lines
from tests.support.waiting import eventually_sync

AMPLE = Limits(100_000, 100_000_000)
"""More than any test holds."""

Wants = Callable[[Record], bool]
MakeConsumer = Callable[[dict[str, object]], Consumer]
Prepare = Callable[[Callable[[KafkaError], None], Callable[[], bool]], None]
Begin = Callable[..., "Member"]
"""Starts a member on scripted consumers."""


class Silent:
    """Stands for a broker that tells nothing of its partitions."""

    def look(self, keys: Collection[Key], compared: Collection[str]) -> dict[Key, PartitionLog]:
        """Nothing is known."""
        assert {topic for topic, _ in keys} >= set(compared)
        return dict.fromkeys(keys, PartitionLog())

    def topic_ids(self, topics: Collection[str]) -> dict[str, TopicId]:
        """Nothing is known."""
        return dict.fromkeys(topics, no_topic_id)


@dataclass(frozen=True)
class Slow:
    """A broker that is asked about partitions after something else is done."""

    broker: Broker
    first: Callable[[], object]

    def look(self, keys: Collection[Key], compared: Collection[str]) -> Mapping[Key, PartitionLog]:
        """Do it, then ask."""
        self.first()
        return self.broker.look(keys, compared)

    def topic_ids(self, topics: Collection[str]) -> Mapping[str, TopicId]:
        """Ask at once."""
        return self.broker.topic_ids(topics)


class Notes:
    """Stands for the event loop: takes notes, and settles what it is told to.

    Attributes:
        settles: whether a record is settled as soon as it comes.
        on_drain: called on the Kafka thread when partitions are drained.
        records: all that came, in order.
        drained, ended: assignments, as they were told.
        peak: the most unsettled records that the ledger held when a poll was handed over.
    """

    def __init__(self, settles: Wants) -> None:
        self.settles = settles
        self.on_drain: Callable[[Sequence[Assignment]], None] = lambda _: None
        self.records: list[Record] = []
        self.drained: list[Assignment] = []
        self.ended_: list[Assignment] = []
        self.peak = 0
        self.thread: KafkaThread

    def receive(self, records: list[Record]) -> None:
        """Take one poll's records."""
        unsettled = sum(view.records for view in self.thread._offsets.view().values())
        self.peak = max(self.peak, unsettled)
        self.records += records
        self.settle([record for record in records if self.settles(record)])

    def drain(self, assignments: Sequence[Assignment]) -> None:
        """Nothing is in flight here."""
        self.on_drain(assignments)
        self.drained += assignments

    def ended(self, assignments: Sequence[Assignment]) -> None:
        """These are gone."""
        self.ended_ += assignments
        self.thread.lease.known()

    def settle(self, records: Sequence[Record]) -> None:
        """Post what is settled, as the pipeline's settler does."""
        for assignment in {record.assignment for record in records}:
            own = [record for record in records if record.assignment is assignment]
            self.thread.settled(list(spans_of(assignment, own)))

    def offsets(self) -> dict[Key, list[int]]:
        """Offsets that came, by partition, in order of arrival."""
        offsets: dict[Key, list[int]] = {}
        for record in list(self.records):
            offsets.setdefault(record.assignment.key, []).append(record.offset)
        return offsets


@dataclass
class Member:
    """A Kafka thread at work.

    Attributes:
        users: identities of the threads that called the consumer.
    """

    thread: KafkaThread
    ledger: Ledger
    notes: Notes
    lines: Lines
    users: set[int] = field(default_factory=set)

    def stop(self) -> None:
        """Leave the group in order; the thread must end, and must be the only one that used the consumer."""
        self.thread.stop()
        assert self.thread.join(30)
        assert self.users <= {self.thread._thread.ident}

    @property
    def assigned(self) -> set[Key]:
        """Partitions, as the last snapshot has them."""
        return set(self.thread.snapshot.partitions)

    def committed(self) -> dict[Key, int | None]:
        """What the coordinator acknowledged, as the last snapshot has it."""
        return {key: view.committed for key, view in self.thread.snapshot.partitions.items()}


def start_member(  # noqa: PLR0913 - what a test may say of it
    make_consumer: MakeConsumer,
    topics: Sequence[str],
    *,
    settles: Wants = lambda _: True,
    limits: Limits = AMPLE,
    prepare: Prepare = lambda *_: None,
    broker: Broker | None = None,
    roll: Roll | None = None,
    session: float = 45.0,
    tells_loss: bool = True,
    clock: Clock | None = None,
    users: set[int] | None = None,
    lines: Lines | None = None,
) -> Member:
    """Start a member whose commits follow each other without a pause.

    Args:
        make_consumer: as for `KafkaThread`.
        topics: to subscribe to.
        settles: what the other side settles as soon as it comes.
        limits: `in_memory`.
        prepare: as for `KafkaThread`.
        broker: tells of partitions that come; nothing by default.
        roll: as for `KafkaThread`.
        session: the group's time-out, in seconds.
        tells_loss: as for `KafkaThread`.
        clock: the machine's by default.
        users: where `make_consumer` notes the threads that call the consumer.
        lines: where its log goes.
    """
    lines, ledger, notes = lines or Lines(), Ledger(0.0), Notes(settles)
    thread = KafkaThread(
        make_consumer=make_consumer,
        prepare=prepare,
        topics=topics,
        offsets=ledger,
        broker=broker or Silent(),
        roll=roll,
        session=session,
        tells_loss=tells_loss,
        limits=limits,
        clock=clock or SystemClock(),
        log=lines.log,
    )
    notes.thread = thread
    member = Member(thread, ledger, notes, lines, users if users is not None else set())
    thread.start(notes)
    return member


def arrived(member: Member, count: int) -> list[Record]:
    """Wait for so many records, and give them."""
    eventually_sync(lambda: len(member.notes.records) >= count)
    assert len(member.notes.records) == count
    return member.notes.records


def watched(config: dict[str, Any], users: set[int]) -> Consumer:
    """A consumer that notes which threads call it."""

    class Watched(Consumer):
        def __getattribute__(self, name: str) -> Any:
            users.add(threading.get_ident())
            return super().__getattribute__(name)

    return Watched(config)
