import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.cimpl import NewTopic

from processor.records import Record
from processor.settings.kafka_properties import producer_config
from processor.settle import letter_trouble
from processor.settle import undertaker as module
from processor.settle.letter_topic import TopicLook
from processor.settle.letters import HEADERS_OMITTED, KEY_OMITTED, VALUE_OMITTED
from tests.settle.undertakers import WITHIN, Burial, letter_of
from tests.support.broker import REQUEST_TIMEOUT, Broker
from tests.support.reading import read
from tests.support.records import record
from tests.support.topics import KEEP, TopicFactory
from tests.support.waiting import eventually_sync

Begin = Callable[..., Burial]


@pytest.fixture
def begin(broker: Broker) -> Iterator[Begin]:
    """Start undertakers on the run's broker: `begin(topic, **kafka)`."""
    burials: list[Burial] = []

    def start(topic: str, **kafka: str) -> Burial:
        properties = {name.replace("_", "."): value for name, value in kafka.items()}
        config = producer_config({"bootstrap.servers": broker.bootstrap, "log_level": "0", **properties}, "test")
        admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        look = TopicLook(topic, [], lambda: admin, broker.bootstrap)
        burials.append(Burial(topic, lambda: Producer(config), look))
        return burials[-1]

    yield start
    for burial in burials:
        burial.undertaker.stop(0)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused letters are tried again at once, and so is a look at their topic."""
    monkeypatch.setattr(module, "BACK_OFF", (0.05,))
    monkeypatch.setattr(letter_trouble, "LOOK_EVERY", 0.2)


def test_a_buried_letter_lies_in_the_topic(broker: Broker, topic: TopicFactory, begin: Begin) -> None:
    """What the broker has is the record byte for byte, dated now: retention would delete an old record's letter."""
    name = topic()
    burial = begin(name)
    source = record(7, key=b"\x00k", value=b"\xff\x00value", headers=[("trace", b"\xfe"), ("none", None)])
    one = letter_of(source)

    burial.bury(one)
    burial.await_burials(1)

    (message,) = read(broker.bootstrap, name, 1)
    assert (message.key(), message.value(), message.headers()) == (source.key, source.value, one.headers)
    assert abs(message.timestamp()[1] / 1000 - time.time()) < 60
    assert burial.buried == [one]
    assert burial.undertaker.waiting == 0


def test_letters_of_one_key_keep_their_partition(broker: Broker, topic: TopicFactory, begin: Begin) -> None:
    """A key's letters lie together, in the partition that Java's producers would choose, too."""
    name = topic()
    burial = begin(name)

    burial.bury(*(letter_of(record(offset, key=b"visitor-1")) for offset in range(3)))
    burial.bury(letter_of(record(3, key=None, value=None)))
    burial.await_burials(4)

    messages = read(broker.bootstrap, name, 4)
    murmur2 = 2  # of "visitor-1", over 4 partitions
    assert [message.partition() for message in messages if message.key()] == [murmur2] * 3
    assert [message.value() for message in messages if not message.key()] == [None]


@pytest.mark.usefixtures("soon")
def test_letters_wait_for_their_topic(broker: Broker, begin: Begin) -> None:
    """While the topic is missing letters wait, which is said; they are buried once it is there (invariant 8)."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster creates a topic when it is asked for it")
    name = f"test.{uuid4().hex[:12]}"
    burial = begin(name, message_timeout_ms="300", topic_metadata_propagation_max_ms="100")

    burial.bury(letter_of(record(0)), letter_of(record(1)))
    trouble = eventually_sync(lambda: burial.undertaker.trouble, WITHIN)
    eventually_sync(lambda: burial.undertaker._refused == 2, WITHIN)
    assert burial.buried == []
    assert burial.undertaker.waiting == 2

    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(name, 1, config=KEEP)])[name].result(REQUEST_TIMEOUT)
    burial.await_burials(2)

    assert {message.value() for message in read(broker.bootstrap, name, 2)} == {b"vv"}
    eventually_sync(lambda: burial.undertaker.trouble is None, WITHIN)
    said = burial.lines("dead_letter_topic_unfit") + burial.lines("dead_letter_refused")
    assert trouble.words in {line["reason"] for line in said}
    assert abs(time.time() - trouble.since) < 60
    assert all(before["reason"] != after["reason"] for before, after in pairwise(said))
    assert f"--create --topic {name} --partitions " in said[0]["fix"]
    assert len(burial.lines("dead_letter_topic_back")) == 1


def too_small(broker: Broker, topic: TopicFactory, limit: int) -> str:
    """A topic that takes messages of so many bytes."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster's topics have no limit")
    return topic(1, {"max.message.bytes": str(limit)})


@pytest.mark.parametrize("refused_by", ["broker", "client"])
def test_a_value_that_does_not_fit_stays_behind(
    broker: Broker, topic: TopicFactory, begin: Begin, refused_by: str
) -> None:
    """A letter that is too large arrives without its value, and says how much was left out; the next one is whole."""
    name = too_small(broker, topic, 4000) if refused_by == "broker" else topic()
    burial = begin(name) if refused_by == "broker" else begin(name, message_max_bytes="4000")

    burial.bury(letter_of(record(0, value=b"x" * 6000)))
    burial.await_burials(1)
    burial.bury(letter_of(record(1, value=b"y")))
    burial.await_burials(2)

    messages = sorted(read(broker.bootstrap, name, 2), key=lambda message: message.value() or b"")
    assert [message.value() for message in messages] == [None, b"y"]
    assert dict(messages[0].headers() or [])[VALUE_OMITTED] == b"6000"
    assert VALUE_OMITTED not in dict(messages[1].headers() or [])
    assert burial.undertaker.trouble is None


def test_letters_that_fit_alone_are_not_cut(broker: Broker, topic: TopicFactory, begin: Begin) -> None:
    """A topic's limit is one of batches: letters that are refused for their company go alone, and whole."""
    name = too_small(broker, topic, 4000)
    burial = begin(name, linger_ms="200")

    burial.bury(*(letter_of(record(offset, value=b"x" * 1500)) for offset in range(20)))
    burial.await_burials(20)

    assert [message.value() for message in read(broker.bootstrap, name, 20)] == [b"x" * 1500] * 20
    assert burial.undertaker.trouble is None


BIG = 6000


@pytest.mark.parametrize(
    ("source", "omitted"),
    [
        (record(value=b"v", headers=[("trace", b"t" * BIG)]), {HEADERS_OMITTED: BIG + 5}),
        (record(value=b"v" * BIG, headers=[("trace", b"t")]), {VALUE_OMITTED: BIG}),
        (
            record(value=b"v" * BIG, headers=[("trace", b"t" * BIG)]),
            {HEADERS_OMITTED: BIG + 5, VALUE_OMITTED: BIG},
        ),
        (
            record(key=b"k" * BIG, value=b"v", headers=[("trace", b"t")]),
            {HEADERS_OMITTED: 6, VALUE_OMITTED: 1, KEY_OMITTED: BIG},
        ),
    ],
    ids=["headers", "value", "both", "key"],
)
def test_what_does_not_fit_stays_behind_and_the_rest_arrives(
    broker: Broker, topic: TopicFactory, begin: Begin, source: Record, omitted: dict[str, int]
) -> None:
    """No letter is too large to be buried: it arrives with what fits, and tells how much of what is missing."""
    name = too_small(broker, topic, 4000)
    burial = begin(name)

    burial.bury(letter_of(source))
    burial.await_burials(1)

    (message,) = read(broker.bootstrap, name, 1)
    headers: dict[str, Any] = dict(message.headers() or [])
    assert {key: int(value) for key, value in headers.items() if key.endswith(".omitted")} == omitted
    assert message.key() == (None if KEY_OMITTED in omitted else source.key)
    assert message.value() == (None if VALUE_OMITTED in omitted else source.value)
    assert ("trace" in headers) == (HEADERS_OMITTED not in omitted)
    assert headers["dlq.source.offset"] == b"0"
    assert burial.undertaker.trouble is None


@pytest.mark.usefixtures("soon")
def test_a_topic_that_takes_next_to_nothing_is_waited_for(broker: Broker, topic: TopicFactory, begin: Begin) -> None:
    """Where not even the bare letter fits, it waits and that is said, until the topic takes more."""
    name = too_small(broker, topic, 300)
    burial = begin(name)

    burial.bury(letter_of(record(0, value=b"x" * 200)))
    trouble = eventually_sync(lambda: burial.undertaker.trouble, WITHIN)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    allow = ConfigEntry("max.message.bytes", "4000", incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[allow])
    for answer in admin.incremental_alter_configs([change]).values():
        answer.result(REQUEST_TIMEOUT)
    burial.await_burials(1)

    assert "too large" in trouble.words
    assert f"--entity-name {name} --add-config max.message.bytes=" in trouble.fix
    assert len(read(broker.bootstrap, name, 1)) == 1


def test_a_full_queue_is_no_loss(topic: TopicFactory, begin: Begin) -> None:
    """More letters than the client's queue holds are buried all the same, each once."""
    letters = [letter_of(record(offset)) for offset in range(25)]
    burial = begin(topic(), queue_buffering_max_messages="5")

    burial.bury(*letters)
    burial.await_burials(25)

    assert {one.record.offset for one in burial.buried} == set(range(25))
    assert burial.undertaker.trouble is None


def test_the_end_waits_for_what_is_queued(topic: TopicFactory, begin: Begin) -> None:
    """A stop lets letters that were handed over be acknowledged."""
    burial = begin(topic())

    burial.bury(*(letter_of(record(offset)) for offset in range(3)))
    burial.undertaker.stop(20)

    assert len(burial.buried) == 3
    assert not burial.undertaker._thread.is_alive()


def test_an_idle_undertaker_stops_at_once(begin: Begin) -> None:
    """With nothing to bury the thread ends without waiting for its time."""
    burial = begin("nowhere")
    started = time.monotonic()

    burial.undertaker.stop(30)

    assert not burial.undertaker._thread.is_alive()
    assert time.monotonic() - started < 25
