"""The words for what a Kafka user lacks."""

import pytest
from confluent_kafka.admin import AclOperation

from processor.kafka_rights import (
    CONFIGS,
    DESCRIBE,
    NONE,
    READ,
    WRITE,
    Operations,
    allow,
    lacking,
    on_groups,
    on_topic,
    on_transactions,
)


@pytest.mark.parametrize(
    ("allowed", "missing"),
    [
        ([AclOperation.READ, AclOperation.DESCRIBE], WRITE),
        ([AclOperation.WRITE, AclOperation.READ], NONE),
        ([AclOperation.DESCRIBE], READ | WRITE),
        ([AclOperation.ALL], NONE),
        ([], NONE),
        (None, NONE),
    ],
)
def test_what_is_lacking(allowed: list[AclOperation] | None, missing: Operations) -> None:
    """What is wanted and not allowed; a broker that tells nothing has refused nothing."""
    assert lacking(READ | WRITE, allowed) == missing


def test_a_topic() -> None:
    """All operations in one command."""
    assert on_topic("kafka:9092", "clicks.dlq", WRITE | READ | CONFIGS) == (
        "this Kafka user lacks DescribeConfigs and Read and Write on the topic clicks.dlq; let it: "
        "kafka-acls.sh --bootstrap-server kafka:9092 --add --allow-principal User:NAME --operation DescribeConfigs "
        "--operation Read --operation Write --topic clicks.dlq"
    )


def test_groups() -> None:
    """All that begin so."""
    assert on_groups("kafka:9092", "c.voyado.replay.", DESCRIBE) == (
        "this Kafka user lacks Describe on the groups c.voyado.replay.*; let it: kafka-acls.sh --bootstrap-server "
        "kafka:9092 --add --allow-principal User:NAME --operation Describe --group c.voyado.replay. "
        "--resource-pattern-type prefixed"
    )


def test_a_transactional_id() -> None:
    """By its name."""
    told = on_transactions("kafka:9092", "c.voyado.restore", WRITE)
    assert told.startswith("this Kafka user lacks Write on the transactional id c.voyado.restore; let it: ")
    assert told.endswith("--operation Write --transactional-id c.voyado.restore")


def test_another_resource() -> None:
    """As the tool takes it."""
    assert allow("kafka:9092", "--cluster", WRITE).endswith("--operation Write --cluster")
