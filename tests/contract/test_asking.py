"""What the service's parts believe of questions to Kafka, and of a Kafka that is not there."""

from typing import Any

import pytest
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import ConfigResource, OffsetSpec, ResourceType

from tests.contract.ground import Ground, config_of
from tests.contract.members import new_group

SHORT = 2.0
"""Seconds for a question that nobody answers."""


def offsets(ground: Ground, topic: str, spec: OffsetSpec, level: IsolationLevel, partition: int = 0) -> int:
    """What a partition's leader says."""
    at = TopicPartition(topic, partition)
    future = ground.admin().list_offsets({at: spec}, isolation_level=level, request_timeout=10)[at]
    offset: int = ground.result(future).offset
    return offset


def code_of(raised: "pytest.ExceptionInfo[KafkaException]") -> int:
    """The error's code."""
    error: KafkaError = raised.value.args[0]
    return error.code()


def test_the_ends_of_a_log(ground: Ground) -> None:
    """The first offset that is left, the next one, and the first since a time, which is -1 where there is none."""
    topic = ground.topic()
    ground.fill(topic, 20)
    ground.expire(topic, 10)
    plain = IsolationLevel.READ_UNCOMMITTED

    found = [
        offsets(ground, topic, spec, plain)
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.for_timestamp(1), later())
    ]

    assert found == [10, 20, 10, -1]


def later() -> OffsetSpec:
    """A time that no record has."""
    spec: OffsetSpec = OffsetSpec.for_timestamp(4_000_000_000_000)
    return spec


def test_a_hanging_transaction_hides_the_end(ground: Ground) -> None:
    """From those who ask for what is committed, not from those who ask for all."""
    topic = ground.topic()
    ground.fill(topic, 2)
    ground.hang(topic, 3)

    assert offsets(ground, topic, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED) == 2
    assert offsets(ground, topic, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED) == 5


def test_a_partition_that_is_not_there(ground: Ground) -> None:
    """It is an error of its own future."""
    topic = ground.topic()
    admin = ground.admin()
    at, missing = TopicPartition(topic, 0), TopicPartition(topic, 7)
    futures = admin.list_offsets({at: OffsetSpec.latest(), missing: OffsetSpec.latest()}, request_timeout=10)

    assert ground.result(futures[at]).offset == 0
    with pytest.raises(KafkaException) as raised:
        ground.result(futures[missing])
    assert code_of(raised) in {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION}


def test_a_topic_that_is_not_there(ground: Ground) -> None:
    """Describing it fails; the others are described."""
    topic = ground.topic(2)
    admin = ground.admin()
    futures = admin.describe_topics(TopicCollection([topic, "no-such-topic"]), request_timeout=10)

    assert [partition.id for partition in ground.result(futures[topic]).partitions] == [0, 1]
    with pytest.raises(KafkaException) as raised:
        ground.result(futures["no-such-topic"])
    assert code_of(raised) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_topic_s_limit(ground: Ground) -> None:
    """What it takes is among its settings, as text."""
    topic = ground.topic()
    ground.limit(topic, 5000)
    asked = ConfigResource(ResourceType.TOPIC, topic)

    ((_, future),) = ground.admin().describe_configs([asked], request_timeout=10).items()

    assert ground.result(future)["max.message.bytes"].value == "5000"


def test_nobody_is_there(ground: Ground) -> None:
    """Questions fail in their time, each in its own way, and the client says that all brokers are down."""
    topic = ground.topic()
    errors: list[int] = []
    answers: list[tuple[int | None, list[int | None]]] = []

    def answered(error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        codes = [at.error.code() if at.error else None for at in partitions]
        answers.append((error.code() if error else None, codes))

    nowhere = ground.unreachable()
    callbacks = {"on_commit": answered, "error_cb": lambda error: errors.append(error.code())}
    consumer = nowhere.consumer(config_of(nowhere, new_group()) | callbacks)
    consumer.commit(offsets=[TopicPartition(topic, 0, 5)], asynchronous=True)

    codes = [_code(lambda: consumer.list_topics(timeout=SHORT))]
    codes.append(_code(lambda: consumer.committed([TopicPartition(topic, 0)], timeout=SHORT)))
    at = TopicPartition(topic, 0)
    admin = nowhere.admin()
    future = admin.list_offsets({at: OffsetSpec.latest()}, request_timeout=SHORT)[at]
    codes.append(_code(lambda: nowhere.result(future)))
    ground.until(lambda: consumer.poll(0.05) or answers)

    assert codes == [KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._TIMED_OUT]
    assert KafkaError._ALL_BROKERS_DOWN in errors
    assert answers == [(KafkaError._WAIT_COORD, [KafkaError._WAIT_COORD])]
    consumer.close()


def _code(call: Any) -> int:
    with pytest.raises(KafkaException) as raised:
        call()
    return code_of(raised)
