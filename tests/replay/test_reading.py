from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from processor.errors import FatalError
from processor.replay.reading import Reader
from tests.replay.readers import Hurried, reader
from tests.support.broker import Broker, admin_client
from tests.support.server import free_port
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

WITHIN = 20.0


@pytest.fixture
def reads(broker: Broker) -> Iterator[Reader]:
    """A reader on the run's broker."""
    with reader(broker.bootstrap) as opened:
        yield opened


def write(broker: Broker, topic: str, count: int, partition: int = 0) -> None:
    """Plain records."""
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number in range(count):
        producer.produce(topic, str(number).encode(), partition=partition)
    assert producer.flush(WITHIN) == 0


def transaction(broker: Broker, topic: str, count: int, *, commits: bool) -> None:
    """Records of one transaction, with its marker behind them."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": uuid4().hex})
    producer.init_transactions(WITHIN)
    producer.begin_transaction()
    for _ in range(count):
        producer.produce(topic, b"x", partition=0)
    producer.flush(WITHIN)
    (producer.commit_transaction if commits else producer.abort_transaction)(WITHIN)


def ends_at(opened: Reader, topic: str, end: int) -> bool:
    """Whether partition 0 ends there: a marker may be written after its producer had its answer."""
    bounds = opened.watermarks(topic)
    return bounds is not None and bounds[0] == (0, end)


def expire(broker: Broker, topic: str, end: int) -> None:
    """Delete what is before this offset, as retention does."""
    admin = admin_client(broker.bootstrap)
    for deleted in admin.delete_records([TopicPartition(topic, 0, end)]).values():
        deleted.result(WITHIN)


def all_of(
    opened: Reader, topic: str, begins: dict[int, int] | None = None, ends: dict[int, int] | None = None
) -> dict[int, list[int]]:
    """The offsets that are read, by partition; of the whole topic where nothing else is asked for."""
    found: dict[int, list[int]] = {}
    bounds = opened.watermarks(topic)
    assert bounds is not None
    begins = {partition: begin for partition, (begin, _) in bounds.items()} if begins is None else begins
    ends = {partition: end for partition, (_, end) in bounds.items()} if ends is None else ends
    for records in opened.read(topic, begins, ends):
        for each in records:
            assert each.assignment.topic == topic
            found.setdefault(each.assignment.partition, []).append(each.offset)
    return found


def test_a_whole_topic(broker: Broker, topic: TopicFactory, reads: Reader) -> None:
    """All partitions, each in order; one without records ends nothing and holds up nothing."""
    name = topic()
    for partition, count in {0: 2500, 1: 3, 3: 1}.items():
        write(broker, name, count, partition)

    assert all_of(reads, name) == {0: list(range(2500)), 1: [0, 1, 2], 3: [0]}


def test_only_between_begin_and_end(broker: Broker, topic: TopicFactory, reads: Reader) -> None:
    """What lies before the begin or behind the end is not given, also where more is fetched with it."""
    name = topic()
    write(broker, name, 100)
    write(broker, name, 100, 1)

    assert all_of(reads, name, {0: 40, 1: 7, 2: 0}, {0: 43, 1: 7, 2: 0}) == {0: [40, 41, 42]}
    assert all_of(reads, name, {1: 98}, {0: 10, 1: 100}) == {1: [98, 99]}
    assert all_of(reads, name, {}, {}) == {}


def test_one_reading_after_another(broker: Broker, topic: TopicFactory, reads: Reader) -> None:
    """A reader goes on where it ended, and begins again, as often as one likes; a reading may be left in the middle."""
    name = topic()
    write(broker, name, 3)
    assert all_of(reads, name) == {0: [0, 1, 2]}
    write(broker, name, 2)

    assert all_of(reads, name, {0: 3}) == {0: [3, 4]}
    for _ in reads.read(name, {0: 0}, {0: 5}):
        break
    assert all_of(reads, name) == {0: [0, 1, 2, 3, 4]}


@pytest.mark.parametrize(("commits", "read"), [(True, [0, 1, 3, 4]), (False, [0, 1])])
def test_markers_at_the_end(
    broker: Broker, topic: TopicFactory, reads: Reader, read: list[int], *, commits: bool
) -> None:
    """The last offset is a marker, which no reader ever sees: the end comes all the same."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster writes no transaction markers")
    name = topic()
    transaction(broker, name, 2, commits=True)
    transaction(broker, name, 2, commits=commits)
    eventually_sync(lambda: ends_at(reads, name, 6))

    assert all_of(reads, name).get(0, []) == read


def test_a_marker_at_a_fixed_end(broker: Broker, topic: TopicFactory, reads: Reader) -> None:
    """The end was fixed behind a marker, and more has come since: it is recognised and nothing of that is read."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster writes no transaction markers")
    name = topic()
    transaction(broker, name, 2, commits=True)
    eventually_sync(lambda: ends_at(reads, name, 3))
    write(broker, name, 5)

    assert all_of(reads, name, {0: 0}, {0: 3}) == {0: [0, 1]}


@pytest.mark.parametrize(("expired", "read"), [(4, [4, 5]), (6, [])])
def test_retention_takes_what_is_to_be_read(
    broker: Broker, topic: TopicFactory, reads: Reader, expired: int, read: list[int]
) -> None:
    """What is gone since the begin was fixed is passed over, also where that is all there was."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster deletes no records")
    name = topic()
    write(broker, name, 6)
    expire(broker, name, expired)

    assert all_of(reads, name, {0: 0}, {0: 6}).get(0, []) == read


def test_a_topic_that_is_not_there(broker: Broker, reads: Reader) -> None:
    """That is a value: the caller has the command that creates it."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster makes every topic that it is asked for")
    assert reads.watermarks(f"test.{uuid4().hex}") is None


def test_an_end_that_never_comes(broker: Broker, topic: TopicFactory) -> None:
    """A broker that has nothing to say any more ends the reading, in words."""
    name = topic()
    write(broker, name, 1)

    with reader(broker.bootstrap, Hurried()) as opened, pytest.raises(FatalError, match="gave no answer for 30 s"):
        all_of(opened, name, {0: 0}, {0: 10})


def test_no_broker() -> None:
    """The address, the client's own words and the fix, once the patience is over."""
    address = f"127.0.0.1:{free_port()}"

    with reader(address, Hurried()) as opened, pytest.raises(FatalError) as caught:
        opened.watermarks("clicks")

    assert str(caught.value).startswith(f"Kafka at {address} gave no answer for 30 s: ")
    assert "see that the brokers are up and reachable" in str(caught.value)


class Refusing:
    """A message that is an error of this code."""

    def __init__(self, code: int) -> None:
        self._error = KafkaError(code, "refused")

    def error(self) -> KafkaError:
        """Why there is none."""
        return self._error

    def topic(self) -> str:
        """Of the topic."""
        return "clicks"

    def partition(self) -> int:
        """Of one partition."""
        return 0


def test_who_may_not_read(reads: Reader, broker: Broker) -> None:
    """A refusal in the middle of a reading names the topic and the command that allows it; at a question, too."""
    with pytest.raises(FatalError) as caught:
        reads._record(Refusing(KafkaError.TOPIC_AUTHORIZATION_FAILED), {}, {})
    command = f"kafka-acls.sh --bootstrap-server {broker.bootstrap} --add --allow-principal User:NAME --operation Read"
    assert str(caught.value) == f"this Kafka user lacks Read on the topic clicks; let it: {command} --topic clicks"

    def refused() -> None:
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    with pytest.raises(FatalError, match="lacks Read on the topic clicks"):
        reads._asked("clicks", refused)


def test_a_refused_group_is_no_matter(reads: Reader) -> None:
    """The client looks for its group although none is used: what it says of that is no reason for anything else."""
    reads._record(Refusing(KafkaError.GROUP_AUTHORIZATION_FAILED), {}, {})
    assert reads._trouble is None
    reads._record(Refusing(KafkaError.LEADER_NOT_AVAILABLE), {}, {})
    assert reads._trouble is not None
