import time
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from typing import Any, cast
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from processor.clock import SystemClock
from processor.records import ErrorClass, Failure, Record, Stage
from processor.settings.kafka_properties import producer_config
from processor.settle import undertaker as module
from processor.settle.letters import OMITTED, Letter, Origin, letter
from processor.settle.undertaker import Undertaker
from tests.support.broker import REQUEST_TIMEOUT, Broker
from tests.support.logs import Lines
from tests.support.reading import read
from tests.support.records import record
from tests.support.topics import KEEP, TopicFactory
from tests.support.waiting import eventually_sync

FAILURE = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: SKU-1 is no integer")


def letter_of(source: Record) -> Letter:
    """A letter about a record."""
    return letter(Origin("voyado", "c0ffee", "1.2.3"), source, FAILURE, route="views")


class Burial:
    """An undertaker at work, and what it buried."""

    def __init__(self, topic: str, make_producer: Callable[[], Producer]) -> None:
        self.lines = Lines()
        self.buried: list[Letter] = []
        self.undertaker = Undertaker(topic, make_producer, SystemClock(), self.lines.log)
        self.undertaker.start(self.buried.append)

    def bury(self, *letters: Letter) -> None:
        """Hand letters over."""
        for one in letters:
            self.undertaker.bury(one)

    def await_burials(self, count: int) -> None:
        """Wait until so many were acknowledged."""
        eventually_sync(lambda: len(self.buried) == count, within=20)


Begin = Callable[..., Burial]


@pytest.fixture
def begin(broker: Broker) -> Iterator[Begin]:
    """Start undertakers on the run's broker: `begin(topic, **kafka)`."""
    burials: list[Burial] = []

    def start(topic: str, **kafka: str) -> Burial:
        properties = {name.replace("_", "."): value for name, value in kafka.items()}
        config = producer_config({"bootstrap.servers": broker.bootstrap, "log_level": "0", **properties}, "test")
        burials.append(Burial(topic, lambda: Producer(config)))
        return burials[-1]

    yield start
    for burial in burials:
        burial.undertaker.stop(0)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused letters are tried again at once."""
    monkeypatch.setattr(module, "BACK_OFF", (0.05,))


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
    trouble = eventually_sync(lambda: burial.undertaker.trouble, within=20)
    assert burial.buried == []
    assert burial.undertaker.waiting == 2

    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(name, 1, config=KEEP)])[name].result(REQUEST_TIMEOUT)
    burial.await_burials(2)

    assert {message.value() for message in read(broker.bootstrap, name, 2)} == {b"vv"}
    assert burial.undertaker.trouble is None
    refusals = burial.lines("dead_letter_refused")
    assert trouble.words == refusals[0]["reason"]
    assert abs(time.time() - trouble.since) < 60
    assert all(before["reason"] != after["reason"] for before, after in pairwise(refusals))
    assert "create the topic" in refusals[0]["fix"]
    assert len(burial.lines("dead_letter_topic_back")) == 1


@pytest.mark.parametrize("refused_by", ["broker", "client"])
def test_a_value_that_does_not_fit_stays_behind(
    broker: Broker, topic: TopicFactory, begin: Begin, refused_by: str
) -> None:
    """A letter that is too large arrives without its value, and says how much was left out; the next one is whole."""
    if broker.kind == "embedded" and refused_by == "broker":
        pytest.skip("the mock cluster's topics have no limit")
    name = topic(1, {"max.message.bytes": "4000"}) if refused_by == "broker" else topic()
    burial = begin(name) if refused_by == "broker" else begin(name, message_max_bytes="4000")

    burial.bury(letter_of(record(0, value=b"x" * 6000)))
    burial.await_burials(1)
    burial.bury(letter_of(record(1, value=b"y")))
    burial.await_burials(2)

    messages = sorted(read(broker.bootstrap, name, 2), key=lambda message: message.value() or b"")
    assert [message.value() for message in messages] == [None, b"y"]
    assert dict(messages[0].headers() or [])[OMITTED] == b"6000"
    assert OMITTED not in dict(messages[1].headers() or [])
    assert burial.undertaker.trouble is None


def test_a_full_queue_is_no_loss(topic: TopicFactory, begin: Begin) -> None:
    """More letters than the client's queue holds are buried all the same, each once."""
    letters = [letter_of(record(offset)) for offset in range(25)]
    burial = begin(topic(), queue_buffering_max_messages="5")

    burial.bury(*letters)
    burial.await_burials(25)

    assert {one.record.offset for one in burial.buried} == set(range(25))
    assert burial.lines.events == []


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


class Scripted:
    """A client that refuses what a script says, and answers in `poll` as librdkafka does."""

    def __init__(self, errors: list[KafkaError]) -> None:
        self.errors = errors
        self.unanswered: list[Callable[[KafkaError | None, Message | None], None]] = []
        self.purged = False

    def produce(
        self, *_: object, on_delivery: Callable[[KafkaError | None, Message | None], None], **__: object
    ) -> None:
        """Take a message."""
        self.unanswered.append(on_delivery)

    def poll(self, _: float) -> None:
        """Answer what was produced, with the script's errors first."""
        taken, self.unanswered = self.unanswered, []
        for answer in taken:
            answer(self.errors.pop(0) if self.errors else None, None)

    def purge(self) -> None:
        """Give everything back."""
        self.purged = True

    def flush(self, _: float) -> None:
        """Answer what was purged."""
        taken, self.unanswered = self.unanswered, []
        for answer in taken:
            answer(KafkaError(KafkaError._PURGE_QUEUE), None)


@pytest.mark.usefixtures("soon")
def test_a_fatal_error_makes_a_new_client() -> None:
    """After a fatal error everything goes to a new client, and nothing is lost (invariant 10)."""
    fatal = KafkaError(KafkaError._FATAL, "fenced", fatal=True)
    made: list[Scripted] = []

    def make_producer() -> Producer:
        made.append(Scripted([fatal] if not made else []))
        return cast("Producer", made[-1])

    burial = Burial("letters", make_producer)
    burial.bury(letter_of(record(0)), letter_of(record(1)))
    burial.await_burials(2)
    burial.undertaker.stop(1)

    assert [one.purged for one in made] == [True, False]
    assert {one.record.offset for one in burial.buried} == {0, 1}


@pytest.mark.usefixtures("soon")
def test_what_the_client_refuses_at_once_is_tried_again() -> None:
    """An error that `produce` itself raises, like a topic that is known to be missing, costs a delay and no letter."""
    refusing = Scripted([])
    produce, refusals = refusing.produce, [KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC)), BufferError()]

    def refuse_first(*arguments: Any, **named: Any) -> None:
        if refusals:
            raise refusals.pop(0)
        produce(*arguments, **named)

    refusing.produce = refuse_first  # type: ignore[method-assign] # a script, not a class for each
    burial = Burial("letters", lambda: cast("Producer", refusing))
    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    assert burial.lines.events == ["dead_letter_refused", "dead_letter_topic_back"]


def test_refusals_are_tried_again_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal of a letter waits longer, up to the last delay; what repeats is not logged again."""
    monkeypatch.setattr(module, "BACK_OFF", (0.01, 0.02, 0.03))
    unknown, late = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), KafkaError(KafkaError._MSG_TIMED_OUT)
    script = Scripted([unknown, late, unknown, unknown, late])
    burial = Burial("letters", lambda: cast("Producer", script))

    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    waits = [line["next"].split(" s ")[0] for line in burial.lines("dead_letter_refused")]
    assert waits == [f"tried again in {seconds}" for seconds in (0.01, 0.02, 0.03, 0.03)]


@pytest.mark.usefixtures("soon")
def test_trouble_is_told_since_its_beginning() -> None:
    """What the broker says may change meanwhile; for how long letters have waited counts from the first refusal."""
    unknown, late = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), KafkaError(KafkaError._MSG_TIMED_OUT)
    script = Scripted([unknown, late])
    poll, seen = script.poll, []

    def watched(seconds: float) -> None:
        poll(seconds)
        seen.append(burial.undertaker.trouble)

    script.poll = watched  # type: ignore[assignment, method-assign] # a script, not a class for each
    burial = Burial("letters", lambda: cast("Producer", script))
    begun = time.time()
    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    troubles = [trouble for trouble in seen if trouble]
    assert [words for words, _ in groupby(trouble.words for trouble in troubles)] == [unknown.str(), late.str()]
    assert len({trouble.since for trouble in troubles}) == 1
    assert begun <= troubles[0].since <= time.time()


@pytest.mark.usefixtures("soon")
def test_a_letter_that_is_too_large_without_its_value_is_trouble() -> None:
    """Where key and headers alone do not fit, that is said like any other refusal; nothing is omitted twice."""
    too_large = [KafkaError(KafkaError.MSG_SIZE_TOO_LARGE) for _ in range(2)]
    burial = Burial("letters", lambda: cast("Producer", Scripted(too_large)))

    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    assert len(burial.lines("dead_letter_refused")) == 1
    assert [name for name, _ in burial.buried[0].headers].count(OMITTED) == 1


def test_a_stop_does_not_wait_for_ever() -> None:
    """Letters that nobody acknowledges do not keep the process: their offsets stay, and they are read again."""
    silent = Scripted([])
    silent.poll = lambda _: None  # type: ignore[method-assign] # a broker that never answers
    burial = Burial("letters", lambda: cast("Producer", silent))
    burial.bury(letter_of(record(0)))

    burial.undertaker.stop(0.05)

    assert not burial.undertaker._thread.is_alive()
    assert (burial.buried, burial.undertaker.waiting) == ([], 1)


@pytest.mark.usefixtures("soon")
def test_a_client_that_cannot_be_made_is_made_later() -> None:
    """Without a login there is no client; letters wait for it, that is said once, and it is no trouble afterwards."""
    refusal = KafkaError(KafkaError._AUTHENTICATION, "no AWS credentials were found")
    failures = [KafkaException(refusal), KafkaException(refusal)]
    script = Scripted([])

    def make_producer() -> Producer:
        if failures:
            raise failures.pop()
        return cast("Producer", script)

    burial = Burial("letters", make_producer)
    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    assert burial.lines.events == ["dead_letter_producer_failed"]
    assert burial.lines("dead_letter_producer_failed")[0]["reason"] == refusal.str()
    assert burial.undertaker.trouble is None


def test_a_stop_does_not_wait_for_a_client() -> None:
    """A service without a login ends like any other."""

    def make_producer() -> Producer:
        raise KafkaException(KafkaError(KafkaError._AUTHENTICATION, "no login"))

    burial = Burial("letters", make_producer)
    burial.bury(letter_of(record(0)))
    trouble = eventually_sync(lambda: burial.undertaker.trouble)
    burial.undertaker.stop(5)

    assert trouble.words == "no login"
    assert not burial.undertaker._thread.is_alive()
    assert burial.undertaker.waiting == 1
