"""What a look at a dead-letter topic tells: whether it would take a letter, and the command that puts it right."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AclOperation, AdminClient

from processor.settle.letter_topic import Advice, Look, TopicLook, judge
from tests.support.broker import Broker
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

ADVICE = Advice("shop.dlq", "kafka:9092")
ALL = [AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE]


def topic_of(*in_sync: int, allowed: list[AclOperation] | None = None, leader: object = "broker 1") -> Any:
    """A topic as it is described, with so many replicas in sync in each partition."""
    partitions = [SimpleNamespace(id=at, leader=leader, isr=[None] * count) for at, count in enumerate(in_sync)]
    return SimpleNamespace(partitions=partitions, authorized_operations=allowed)


def refusal(code: int) -> KafkaException:
    """The broker's answer."""
    return KafkaException(KafkaError(code))


@pytest.mark.parametrize("allowed", [None, [], ALL, [AclOperation.ALL]], ids=["unknown", "none said", "all", "ALL"])
def test_a_topic_that_is_as_it_should_be(allowed: list[AclOperation] | None) -> None:
    """There is nothing to say, also where a broker does not tell who may do what."""
    config = {"min.insync.replicas": "2", "max.message.bytes": "1048588"}

    assert judge(topic_of(2, 3, allowed=allowed), config, ADVICE, 4) == Look()
    assert judge(topic_of(1, allowed=allowed), {}, ADVICE, 4) == Look()


def test_a_topic_that_is_missing() -> None:
    """The command creates it as it should be, with as many partitions as are read."""
    look = judge(refusal(KafkaError.UNKNOWN_TOPIC_OR_PART), {}, ADVICE, 6)

    assert look.fault is not None
    assert look.fault.words == "the topic shop.dlq does not exist"
    assert look.fault.fix == (
        "create it: kafka-topics.sh --bootstrap-server kafka:9092 --create --topic shop.dlq --partitions 6 "
        "--config retention.ms=1209600000"
    )


@pytest.mark.parametrize(
    "described",
    [topic_of(3, allowed=[AclOperation.READ, AclOperation.DESCRIBE]), refusal(KafkaError.TOPIC_AUTHORIZATION_FAILED)],
    ids=["may read", "may nothing"],
)
def test_a_topic_that_we_may_not_write_to(described: Any) -> None:
    """The command lets us."""
    look = judge(described, {}, ADVICE, 6)

    assert look.fault is not None
    command = "kafka-acls.sh --bootstrap-server kafka:9092 --add --allow-principal User:NAME --operation Write"
    assert look.fault.fix.endswith(f"{command} --topic shop.dlq")


@pytest.mark.parametrize(
    ("described", "config", "words"),
    [
        (topic_of(3, 1, 1), {"min.insync.replicas": "2"}, "partitions 1, 2 with fewer replicas in sync than min"),
        (topic_of(3), {"max.message.bytes": "5000"}, "it takes messages of 5000 bytes at most"),
        (topic_of(3, leader=None), {}, "partition 0 without a leader"),
    ],
)
def test_a_topic_that_may_refuse_letters(described: Any, config: dict[str, str], words: str) -> None:
    """That is no fault yet: nobody knows before a letter comes."""
    look = judge(described, config, ADVICE, 6)

    (caution,) = look.cautions
    assert look.fault is None
    assert caution.words.startswith(words)
    assert caution.fix


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (refusal(KafkaError._TIMED_OUT), False),
        (refusal(KafkaError._TRANSPORT), False),
        (TimeoutError(), False),
        (refusal(KafkaError._UNSUPPORTED_FEATURE), True),
    ],
)
def test_no_answer_says_nothing(error: BaseException, answered: bool) -> None:  # noqa: FBT001 - a parameter of a table
    """Kafka in trouble is not the topic's fault; what will never be answered is not asked again."""
    assert judge(error, {}, ADVICE, 6) == Look(answered=answered)


def seen(look: TopicLook) -> Look:
    """Look once."""
    look.begin()
    found = eventually_sync(look.answer, within=30)
    assert not look.pending
    return found


def test_a_look_at_a_broker(broker: Broker, topic: TopicFactory) -> None:
    """What is there is found good; what is not is missing, with as many partitions as its source has."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster describes no topics")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    there, small = topic(), topic(3, {"max.message.bytes": "5000"})

    assert seen(TopicLook(there, [small], lambda: admin, "kafka:9092")) == Look()
    (caution,) = seen(TopicLook(small, [there], lambda: admin, "kafka:9092")).cautions
    assert "5000 bytes" in caution.words
    for source, partitions in ((small, 3), ("^shop.*", 12), ("test.missing.too", 12)):
        found = seen(TopicLook("test.missing", [source], lambda: admin, "kafka:9092"))
        assert found.fault is not None
        assert f"--topic test.missing --partitions {partitions} " in found.fault.fix


def test_a_look_that_nobody_answers() -> None:
    """It ends by itself."""
    admin = AdminClient({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})

    assert seen(TopicLook("letters", [], lambda: admin, "kafka:9092")) == Look(answered=False)


def test_an_answer_that_is_not_whole_is_waited_for() -> None:
    """The topic's configuration may come after its description, or never."""
    described, config = Future[Any](), Future[Any]()
    admin = SimpleNamespace(
        poll=lambda _: 0,
        describe_topics=lambda *_, **__: {"letters": described},
        describe_configs=lambda *_, **__: {"letters": config},
    )
    look = TopicLook("letters", [], lambda: cast("AdminClient", admin), "kafka:9092")

    look.begin()
    assert look.answer() is None
    described.set_result(topic_of(1))
    assert look.answer() is None
    config.set_exception(refusal(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    assert look.answer() == Look()
