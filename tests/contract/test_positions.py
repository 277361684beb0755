"""What the service's parts believe of fetching, said of the simulated Kafka and of a real one alike."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, OFFSET_STORED, KafkaError, KafkaException, Message, TopicPartition

from tests.contract.ground import WITHIN, Ground, config_of
from tests.contract.members import Joined, new_group


class Reader:
    """A consumer that was given partition 0 of a topic by hand."""

    def __init__(self, ground: Ground, topic: str, **config: object) -> None:
        self.topic = topic
        self.offsets: list[int] = []
        self.complaints: list[Message] = []
        self._ground = ground
        self.consumer = ground.consumer(config_of(ground, new_group(), **config))

    @property
    def at(self) -> list[TopicPartition]:
        """The partition."""
        return [TopicPartition(self.topic, 0)]

    def begin(self, offset: int) -> None:
        """Begin there."""
        self.consumer.incremental_assign([TopicPartition(self.topic, 0, offset)])

    def poll(self, count: int = 500, timeout: float = 0.05) -> int:
        """Consume; gives how many records came in all."""
        for message in self.consumer.consume(count, timeout):
            if message.error():
                self.complaints.append(message)
            else:
                self.offsets.append(message.offset())
        return len(self.offsets)

    def until(self, count: int) -> list[int]:
        """Wait for so many records, and see that no more come."""
        self._ground.until(lambda: self.poll() >= count)
        self.poll(500, 0.3)
        return self.offsets

    def answered(self) -> bool:
        """Whether the group's coordinator answers; one that is coming up would be the first complaint."""
        try:
            self.consumer.committed(self.at, timeout=WITHIN)
        except KafkaException:
            return False
        return True

    @property
    def position(self) -> int:
        """Where the application stands."""
        offset: int = self.consumer.position(self.at)[0].offset
        return offset


@pytest.fixture
def read(ground: Ground) -> Iterator[Any]:
    """Make readers: `read(topic, **config)`; they are closed at the end."""
    readers: list[Reader] = []

    def make(topic: str, **config: object) -> Reader:
        readers.append(Reader(ground, topic, **config))
        return readers[-1]

    yield make
    for reader in readers:
        reader.consumer.close()


def test_the_position_follows_what_was_consumed(ground: Ground, read: Any) -> None:
    """It is unknown before the first record, and then behind the last one; `consume()` gives no more than asked for."""
    topic = ground.topic()
    ground.fill(topic, 20)
    reader = read(topic)
    reader.begin(5)
    assert reader.position == OFFSET_INVALID

    ground.until(lambda: reader.poll(3))
    assert reader.offsets == [5, 6, 7][: len(reader.offsets)]
    assert reader.position == 5 + len(reader.offsets)


def test_a_pause_forgets_what_was_fetched(ground: Ground, read: Any) -> None:
    """Nothing comes after it; after a resume reading goes on behind the last record that was given."""
    topic = ground.topic()
    ground.fill(topic, 300)
    reader = read(topic)
    reader.begin(0)
    ground.until(lambda: reader.poll(1))
    reader.consumer.pause(reader.at)
    given = len(reader.offsets)
    reader.poll(500, 0.5)
    assert len(reader.offsets) == given

    reader.consumer.resume(reader.at)
    assert reader.until(300) == list(range(300))


def test_a_pause_in_a_callback_takes_back_what_was_taken(ground: Ground, join: Joined) -> None:
    """What the same `consume()` had before the callback it does not give: that comes after the pause."""
    topic = ground.topic()
    ground.fill(topic, 10)
    at = [TopicPartition(topic, 0)]
    member = join(topic, new_group())
    ground.until(lambda: member.poll(1))
    member.committed = lambda consumer: consumer.pause(at)

    member.consumer.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=True)
    came = member.poll(500, 2.0)

    assert (came, len(member.answers)) == ([], 1)
    assert member.consumer.position(at)[0].offset == 1
    member.consumer.resume(at)
    ground.until(lambda: member.owns(0) and len(member.values()) == 10)
    assert member.values() == list(range(10))


def test_a_pause_survives_the_assignment(ground: Ground, read: Any) -> None:
    """A partition that comes back is still paused, until it is resumed."""
    topic = ground.topic()
    ground.fill(topic, 10)
    reader = read(topic)
    reader.begin(0)
    ground.until(lambda: reader.poll(1))
    reader.consumer.pause(reader.at)
    reader.consumer.incremental_unassign(reader.at)
    reader.begin(0)
    reader.poll(500, 0.7)
    assert reader.offsets == [0]

    reader.consumer.resume(reader.at)
    assert reader.until(11) == [0, *range(10)]


def test_what_is_given_back_comes_no_more(ground: Ground, read: Any) -> None:
    """Records that were fetched and not consumed are gone with the assignment."""
    topic = ground.topic()
    ground.fill(topic, 300)
    reader = read(topic)
    reader.begin(0)
    ground.until(lambda: reader.poll(1))
    given = len(reader.offsets)
    reader.consumer.incremental_unassign(reader.at)

    reader.poll(500, 0.3)
    assert len(reader.offsets) == given


def test_the_position_steps_over_markers(ground: Ground, read: Any) -> None:
    """Aborted records and markers are never seen, and the position gets behind them."""
    topic = ground.topic()
    ground.transaction(topic, 3, commits=True)
    ground.transaction(topic, 2, commits=False)
    reader = read(topic)
    reader.begin(0)

    assert reader.until(3) == [0, 1, 2]
    ground.until(lambda: reader.poll() and reader.position == 7)


def test_a_hanging_transaction_stops_readers(ground: Ground, read: Any) -> None:
    """What is committed before it is read; the end that the broker tells is beyond it all the same."""
    topic = ground.topic()
    ground.fill(topic, 2)
    ground.hang(topic, 3)
    reader = read(topic)
    reader.begin(0)

    assert reader.until(2) == [0, 1]


@pytest.mark.parametrize("offset", [3, 50], ids=["expired", "beyond the end"])
def test_an_offset_that_is_not_there(ground: Ground, read: Any, offset: int) -> None:
    """It is said once, nothing is read, and reading begins when the partition is given anew."""
    topic = ground.topic()
    ground.fill(topic, 20)
    ground.expire(topic, 10)
    reader = read(topic, auto_offset_reset="error")
    reader.begin(offset)
    ground.until(lambda: reader.poll() or reader.complaints)
    reader.poll(500, 1.0)
    (complaint,) = reader.complaints
    error = complaint.error()
    assert error is not None
    assert (error.code(), complaint.topic(), complaint.partition()) == (KafkaError._AUTO_OFFSET_RESET, topic, 0)
    assert complaint.offset() == offset
    assert reader.offsets == []

    reader.consumer.incremental_unassign(reader.at)
    reader.begin(12)
    assert reader.until(8) == list(range(12, 20))


def test_a_group_without_an_offset(ground: Ground, read: Any) -> None:
    """The same where the client is to find the group's offset, and there is none."""
    topic = ground.topic()
    ground.fill(topic, 20)
    reader = read(topic, auto_offset_reset="error")
    ground.until(reader.answered)
    reader.begin(OFFSET_STORED)
    ground.until(lambda: reader.poll() or reader.complaints)

    (complaint,) = reader.complaints
    error = complaint.error()
    assert error is not None
    assert (error.code(), complaint.offset()) == (KafkaError._AUTO_OFFSET_RESET, None)
    assert reader.offsets == []


def test_a_closed_consumer(ground: Ground, read: Any) -> None:
    """It can only be closed again."""
    reader = read(ground.topic())
    reader.consumer.close()

    with pytest.raises(RuntimeError):
        reader.poll()
