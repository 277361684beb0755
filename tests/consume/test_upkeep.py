"""What becomes of a partition's offsets while it is assigned; on a scripted consumer."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaError, Message

from processor.clock import ManualClock
from processor.consume.upkeep import INTERVAL, RETRY
from processor.offsets import PartitionLog, TopicId
from processor.records import Key
from tests.consume.members import Begin, Member, arrived
from tests.consume.scripted import TOPIC, ScriptedConsumer, message
from tests.support.waiting import eventually_sync

KEY = (TOPIC, 0)
OLD, NEW = "A" * 21 + "B", "A" * 21 + "C"


@dataclass
class Log:
    """A broker with one partition, which changes as a test says.

    Attributes:
        looks: how often somebody asked for its ends.
    """

    first: int | None = 0
    end: int | None = 50
    topic_id: str | None = OLD
    looks: int = 0
    asked: list[set[str]] = field(default_factory=list)

    def look(self, keys: Collection[Key], compared: Collection[str]) -> dict[Key, PartitionLog]:
        """What it has now."""
        assert {topic for topic, _ in keys} >= set(compared)
        self.looks += 1
        return dict.fromkeys(keys, PartitionLog(self.first, self.end, self._known()))

    def topic_ids(self, topics: Collection[str]) -> dict[str, TopicId]:
        """Which topic it is now; the answer does not change any more."""
        self.asked.append(set(topics))
        return dict.fromkeys(topics, self._known())

    def _known(self) -> TopicId:
        known = self.topic_id
        return lambda: known


NOWHERE = -1001
"""How a client says that it has no offset."""


def lapse(offset: int, code: int = KafkaError._AUTO_OFFSET_RESET, partition: int = 0) -> Message:
    """The client found nothing to read there."""
    return Message(topic=TOPIC, partition=partition, offset=offset, error=KafkaError(code))


@pytest.fixture
def broker() -> Log:
    """It has offsets 0 to 49."""
    return Log()


@pytest.fixture
def member(consumer: ScriptedConsumer, begin: Begin, broker: Log, clock: ManualClock) -> Member:
    """It has read 10 and 11, and settled 10."""
    member = begin(consumer, broker=broker, clock=clock, settles=lambda record: record.offset != 11)
    consumer.serve(message(10), message(11))
    arrived(member, 2)
    eventually_sync(lambda: member.committed() == {KEY: 11})
    return member


def later(consumer: ScriptedConsumer, clock: ManualClock, seconds: float) -> None:
    """Let time pass, and the thread see it."""
    clock.advance(seconds)
    turns = len(consumer.waits)
    eventually_sync(lambda: len(consumer.waits) > turns + 2)


def test_records_that_expire_before_they_are_read(consumer: ScriptedConsumer, member: Member, broker: Log) -> None:
    """They are counted and named, reading goes on behind them, and what was read before is still ours."""
    broker.first = 40
    consumer.serve(lapse(12))
    eventually_sync(lambda: len(consumer.told("assign")) == 2)
    consumer.serve(message(40), message(41))
    records = arrived(member, 4)
    member.notes.settle(records[1:2])
    eventually_sync(lambda: member.committed() == {KEY: 42})

    assert [name for name, _ in consumer.calls if name.endswith("assign")] == ["assign", "unassign", "assign"]
    assert consumer.told("assign")[1] == {0: 40}
    assert records[3].assignment is records[0].assignment
    assert dict(member.thread.counts.expired) == {TOPIC: 28}
    (line,) = member.lines("offset_expired")
    assert (line["topic"], line["partition"], line["offset"], line["lost"]) == (TOPIC, 0, 12, 28)
    assert member.lines("kafka_trouble") == []


def test_markers_before_what_expired_are_no_loss(consumer: ScriptedConsumer, member: Member, broker: Log) -> None:
    """The client's own position counts where it is beyond the last record."""
    broker.first = 40
    consumer.serve(lapse(20))
    eventually_sync(lambda: member.lines("offset_expired"))

    assert dict(member.thread.counts.expired) == {TOPIC: 20}


@pytest.mark.parametrize(
    ("end", "code"),
    [(5, KafkaError._AUTO_OFFSET_RESET), (5, KafkaError._LOG_TRUNCATION), (50, KafkaError._LOG_TRUNCATION)],
)
def test_a_log_that_was_cut(consumer: ScriptedConsumer, member: Member, broker: Log, end: int, code: int) -> None:
    """Nobody knows what was written there instead: the partition is not read on, and says so; it may be committed."""
    broker.end = end
    consumer.serve(lapse(12, code))
    eventually_sync(lambda: member.thread.snapshot.held)
    eventually_sync(lambda: member.thread.snapshot.paused == {KEY})
    member.notes.settle(member.notes.records[1:])
    eventually_sync(lambda: member.committed() == {KEY: 12})

    words = "it was read up to offset 12, and its log was cut below that"
    assert member.thread.snapshot.held[KEY].words == words
    assert member.thread.snapshot.standing == {KEY: words}
    (line,) = member.lines("offset_beyond_end")
    assert "reset its group's offset" in line["fix"]
    assert dict(member.thread.counts.expired) == {}


def test_a_partition_that_is_held_already(consumer: ScriptedConsumer, begin: Begin, broker: Log) -> None:
    """One whose committed offset was beyond the end is not told of twice, where the client got to ask for it."""
    broker.end = 5
    consumer.serve(lapse(10))
    member = begin(consumer, broker=broker)
    eventually_sync(lambda: len(consumer.told("assign")) == 2)
    eventually_sync(lambda: member.thread.snapshot.paused == {KEY})

    assert len(member.lines("offset_beyond_end")) == 1
    assert "its committed offset 10" in member.thread.snapshot.held[KEY].words


def test_a_topic_created_anew_and_shorter(consumer: ScriptedConsumer, member: Member, broker: Log) -> None:
    """It is another topic: a new assignment from its first record, named; what was read before is not ours any more."""
    broker.end, broker.topic_id = 5, NEW
    consumer.serve(lapse(12))
    eventually_sync(lambda: len(consumer.told("assign")) == 2)
    consumer.serve(message(0))
    records = arrived(member, 3)
    eventually_sync(lambda: member.committed() == {KEY: 1})

    assert consumer.told("assign")[1] == {0: 0}
    assert member.notes.ended_ == [records[0].assignment]
    assert records[2].assignment is not records[0].assignment
    assert len(member.lines("topic_recreated")) == 1
    assert dict(member.thread.counts.expired) == {TOPIC: 1}


def test_a_topic_created_anew_and_longer(
    consumer: ScriptedConsumer, member: Member, broker: Log, clock: ManualClock
) -> None:
    """The client notices nothing; two looks at its id that say the same do."""
    later(consumer, clock, INTERVAL)
    broker.topic_id = NEW
    later(consumer, clock, INTERVAL)  # asks
    later(consumer, clock, INTERVAL)  # hears it for the first time
    consumer.serve(message(12))
    before = list(arrived(member, 3))
    assert member.lines("topic_recreated") == []

    later(consumer, clock, INTERVAL)
    consumer.serve(message(0), message(1))
    records = arrived(member, 5)
    eventually_sync(lambda: member.committed() == {KEY: 2})
    for _ in range(4):
        later(consumer, clock, INTERVAL)

    assert consumer.told("assign")[1:] == [{0: -2}]
    assert member.notes.ended_ == [before[0].assignment]
    assert [record.offset for record in records[3:]] == [0, 1]
    (line,) = member.lines("topic_recreated")
    assert (line["topic"], line["partition"], line["offset"]) == (TOPIC, 0, 13)
    assert broker.asked == [set(), *[{TOPIC}] * (len(broker.asked) - 1)]


@pytest.mark.parametrize("answers", [[NEW, OLD, NEW, OLD], [NEW, None, NEW, OLD], [NEW, OLD, OLD, OLD]])
def test_one_broker_that_says_something_else(
    consumer: ScriptedConsumer, member: Member, broker: Log, clock: ManualClock, answers: list[str | None]
) -> None:
    """It may know less than the others: reading everything anew would repeat all of it."""
    for broker.topic_id in answers:
        later(consumer, clock, INTERVAL)

    assert consumer.told("assign") == [{0: 10}]
    assert member.lines("topic_recreated") == []


def test_a_broker_that_does_not_say_what_it_has(
    consumer: ScriptedConsumer, member: Member, broker: Log, clock: ManualClock
) -> None:
    """It is asked again, once a second, and the partition waits."""
    broker.first = broker.end = None
    consumer.serve(lapse(12))
    eventually_sync(lambda: broker.looks == 2)  # the first one was at the assignment
    later(consumer, clock, RETRY / 2)
    assert broker.looks == 2
    later(consumer, clock, RETRY / 2)
    assert (broker.looks, len(consumer.told("assign"))) == (3, 1)

    broker.first, broker.end = 12, 50
    later(consumer, clock, RETRY)

    assert consumer.told("assign")[1:] == [{0: 12}]
    assert member.lines("offset_expired") == []


def test_a_partition_that_leaves_in_the_meantime(
    consumer: ScriptedConsumer, member: Member, broker: Log, clock: ManualClock
) -> None:
    """It is the next owner's; what comes back then begins as any other."""
    broker.first = broker.end = None
    consumer.serve(lapse(12))
    eventually_sync(lambda: broker.looks == 2)
    consumer.serve(consumer.revoke(0), lapse(12))
    eventually_sync(lambda: not member.assigned)
    consumer.held[0] = 11
    broker.first, broker.end = 40, 50
    consumer.serve(consumer.assign(0))
    eventually_sync(lambda: member.assigned)
    later(consumer, clock, 2 * RETRY)

    assert consumer.told("assign")[1:] == [{0: 40}]
    assert dict(member.thread.counts.expired) == {TOPIC: 29}


def test_a_partition_without_an_offset(consumer: ScriptedConsumer, begin: Begin, broker: Log) -> None:
    """One that was added later begins at its first record, by our own word."""
    consumer.held = {}
    member = begin(consumer, broker=broker)
    consumer.serve(message(3))
    eventually_sync(lambda: member.committed() == {KEY: 4})

    assert consumer.told("assign") == [{0: -2}]
    assert dict(member.thread.counts.expired) == {}


def test_other_errors_are_none_of_this(consumer: ScriptedConsumer, member: Member, broker: Log) -> None:
    """A partition that may not be read is a trouble of Kafka's."""
    consumer.serve(lapse(12, KafkaError.TOPIC_AUTHORIZATION_FAILED), lapse(3, partition=7))
    eventually_sync(lambda: member.lines("kafka_trouble"))

    assert broker.looks == 1
    assert len(consumer.told("assign")) == 1
