"""What a Kafka user has to be allowed, in words, with Kafka's own command that allows it."""

from collections.abc import Collection
from enum import Enum

from confluent_kafka.admin import AclOperation

Operations = frozenset[AclOperation]
NONE: Operations = frozenset()
READ = frozenset({AclOperation.READ})
WRITE = frozenset({AclOperation.WRITE})
DESCRIBE = frozenset({AclOperation.DESCRIBE})
CONFIGS = frozenset({AclOperation.DESCRIBE_CONFIGS})
IDEMPOTENT = frozenset({AclOperation.IDEMPOTENT_WRITE})


def lacking(wanted: Operations, allowed: Collection[Enum] | None) -> Operations:
    """What is not allowed of what is wanted.

    Args:
        wanted: operations on one topic or group.
        allowed: as the broker tells them; none at all is what those brokers say that have no such answer.
    """
    return (
        NONE
        if not allowed or AclOperation.ALL in allowed
        else frozenset(operation for operation in wanted if operation not in allowed)
    )


def on_topic(bootstrap: str, topic: str, operations: Operations) -> str:
    """That these are lacking on a topic, and the command."""
    return _said(f"the topic {topic}", operations, allow(bootstrap, f"--topic {topic}", operations))


def on_groups(bootstrap: str, prefix: str, operations: Operations) -> str:
    """That these are lacking on all groups that begin so, and the command."""
    resource = f"--group {prefix} --resource-pattern-type prefixed"
    return _said(f"the groups {prefix}*", operations, allow(bootstrap, resource, operations))


def on_transactions(bootstrap: str, name: str, operations: Operations) -> str:
    """That these are lacking on a transactional id, and the command."""
    command = allow(bootstrap, f"--transactional-id {name}", operations)
    return _said(f"the transactional id {name}", operations, command)


def allow(bootstrap: str, resource: str, operations: Operations) -> str:
    """The command that allows these.

    Args:
        bootstrap: what people give to Kafka's own tools.
        resource: as the command takes it: `--topic clicks`.
        operations: what is to be allowed.
    """
    options = " ".join(f"--operation {name}" for name in _names(operations))
    return f"kafka-acls.sh --bootstrap-server {bootstrap} --add --allow-principal User:NAME {options} {resource}"


def _said(what: str, operations: Operations, command: str) -> str:
    return f"this Kafka user lacks {' and '.join(_names(operations))} on {what}; let it: {command}"


def _names(operations: Operations) -> list[str]:
    """As Kafka's tools write them: `DescribeConfigs`."""
    return sorted(operation.name.title().replace("_", "") for operation in operations)
