"""What Kafka itself can do to erase one person's letters, and what that costs; measured, as the docs tell it."""

import pytest
from confluent_kafka import KafkaError, Message, Producer

from processor.expressions.language import Language
from processor.replay.selectors import Selection, Selectors
from processor.replay.walk import Walk
from tests.replay.letters import ORIGIN, buried
from tests.replay.readers import reader
from tests.support.broker import Broker
from tests.support.records import record
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

ERASABLE = {
    "cleanup.policy": "compact,delete",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0",
    "delete.retention.ms": "0",
}
"""A topic that Kafka compacts as soon as it looks at it, which is every 15 s."""
WITHIN = 60.0


class Topic:
    """One dead-letter topic of one partition."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.name = name
        self._broker = broker
        self._producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 0})
        self.refusals: list[KafkaError] = []

    def bury(self, key: bytes | None, value: bytes | None = b"vv") -> None:
        """Write a letter of this key."""
        letter = buried(source=record(key=key, value=value))
        self._producer.produce(self.name, letter.value, letter.key, headers=letter.headers, on_delivery=self._answered)
        assert self._producer.flush(20) == 0

    def erase(self, key: bytes) -> None:
        """Write a tombstone, as the docs say."""
        self._producer.produce(self.name, None, key)
        assert self._producer.flush(20) == 0

    def _answered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self.refusals.append(error)

    def walk(self) -> tuple[list[bytes | None], Walk]:
        """The keys of the letters that are there, and what was passed over."""
        walk = Walk(Selection(Selectors(), ORIGIN.destination, Language({}, lambda: 0.0)), lambda _: None)
        with reader(self._broker.bootstrap) as opened:
            bounds = opened.watermarks(self.name) or {}
            begins = {partition: begin for partition, (begin, _) in bounds.items()}
            ends = {partition: end for partition, (_, end) in bounds.items()}
            return [letter.key for letter in walk.pick(opened.read(self.name, begins, ends))], walk

    def compacted(self) -> list[bytes | None]:
        """What is left of all but the newest segment, which Kafka never compacts: each look ends it with a letter."""
        self.bury(b"newest")
        return [key for key in self.walk()[0] if key != b"newest"]


@pytest.fixture
def erasable(broker: Broker, topic: TopicFactory) -> Topic:
    """A dead-letter topic that is compacted."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster does not compact")
    return Topic(broker, topic(1, ERASABLE))


def test_a_tombstone_erases_all_letters_of_its_key(erasable: Topic) -> None:
    """After compaction they are gone, tombstone and all, and others' letters are there."""
    for key in (b"ann", b"ben", b"ann"):
        erasable.bury(key)
    erasable.erase(b"ann")

    keys, walk = erasable.walk()
    assert keys == [b"ann", b"ben", b"ann"]
    assert (walk.tombstones, walk.strangers.total()) == (1, 0)

    eventually_sync(lambda: erasable.compacted() == [b"ben"], within=WITHIN)
    eventually_sync(lambda: erasable.compacted() == [b"ben"] and not erasable.walk()[1].tombstones, within=WITHIN)


def test_what_compaction_costs(erasable: Topic) -> None:
    """Of several letters of one key it leaves the newest only: a compacted topic loses letters that are open."""
    for number in range(3):
        erasable.bury(b"cleo", b"%d" % number)
    erasable.bury(b"dan")

    eventually_sync(lambda: erasable.compacted() == [b"cleo", b"dan"], within=WITHIN)


def test_letters_without_a_key(erasable: Topic) -> None:
    """A compacted topic refuses them, so that their offsets would wait for ever."""
    erasable.bury(None)

    assert [error.code() for error in erasable.refusals] == [KafkaError.INVALID_RECORD]
    assert erasable.walk()[0] == []


def test_a_letter_whose_value_was_left_out_is_no_tombstone(broker: Broker, topic: TopicFactory) -> None:
    """Where Kafka does not compact, it is a letter like any other; only its headers tell it from a tombstone."""
    plain = Topic(broker, topic())
    plain.bury(b"eve", None)
    plain.erase(b"eve")
    keys, walk = plain.walk()

    assert keys == [b"eve"]
    assert walk.tombstones == 1
