"""A member of a group that writes down what it is told."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from confluent_kafka import KafkaError, Message, TopicPartition

from tests.contract.ground import Ground, config_of

Joined = Callable[..., "Member"]
During = Callable[[Any, list[TopicPartition]], None]


def new_group() -> str:
    """A group that nobody else uses."""
    return uuid4().hex


class Member:
    """A subscribed consumer.

    Attributes:
        begins: the offset at which assigned partitions are read; None leaves it as it came.
        told: each rebalance: its kind, and its partitions with the offsets that came.
        answers: of commits: the error of the whole, and of each partition its offset and error.
        errors: what `error_cb` was given; `complaints`, what came in the place of records.
        revoking: called in the revocation, before the partitions are given back; `committed`, with a commit's answer.
    """

    def __init__(self, ground: Ground, topic: str, group: str, *, begins: int | None = 0, **config: object) -> None:
        self.begins = begins
        self.told: list[tuple[str, dict[int, int]]] = []
        self.answers: list[tuple[int | None, dict[int, tuple[int, int | None]]]] = []
        self.errors: list[int] = []
        self.complaints: list[Message] = []
        self.messages: list[Message] = []
        self.owned: set[int] = set()
        self.revoking: During = lambda *_: None
        self.assigning: During = lambda *_: None
        self.committed: Callable[[Any], None] = lambda _: None
        self._inside: Any = None
        self._closed = False
        callbacks = {"on_commit": self._on_commit, "error_cb": lambda error: self.errors.append(error.code())}
        self.consumer = ground.consumer(config_of(ground, group, **config) | callbacks)
        self.consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

    def poll(self, count: int = 500, timeout: float = 0.05) -> list[Message]:
        """Consume; gives the records."""
        came = self.consumer.consume(count, timeout)
        self.complaints += [message for message in came if message.error() is not None]
        records = [message for message in came if message.error() is None]
        self.messages += records
        return records

    def owns(self, *partitions: int) -> bool:
        """Poll, and say whether these are the partitions that it has."""
        self.poll()
        return self.owned == set(partitions)

    def answered(self, count: int = 1) -> bool:
        """Poll, and say whether so many commits were answered."""
        self.poll()
        return len(self.answers) >= count

    def values(self, partition: int = 0) -> list[int]:
        """What came of a partition."""
        return [int(message.value() or b"") for message in self.messages if message.partition() == partition]

    def kinds(self) -> list[str]:
        """The rebalances that named partitions, in order."""
        return [kind for kind, partitions in self.told if partitions]

    def complained(self) -> list[int]:
        """What came in the place of records."""
        return [error.code() for message in self.complaints if (error := message.error())]

    def close(self) -> None:
        """Leave."""
        if not self._closed:
            self._closed = True
            self.consumer.close()

    def _on_assign(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        self._note("assigned", partitions)
        self._inside = consumer  # as callbacks may use it
        self.owned |= {at.partition for at in partitions}
        self.assigning(consumer, partitions)
        offset = self.begins
        consumer.incremental_assign(
            partitions if offset is None else [TopicPartition(at.topic, at.partition, offset) for at in partitions]
        )

    def _on_revoke(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        self._note("revoked", partitions)
        self.revoking(consumer, partitions)
        self.owned -= {at.partition for at in partitions}
        consumer.incremental_unassign(partitions)

    def _on_lost(self, _: Any, partitions: list[TopicPartition]) -> None:
        self._note("lost", partitions)
        self.owned -= {at.partition for at in partitions}

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        each = {at.partition: (at.offset, at.error.code() if at.error else None) for at in partitions}
        self.answers.append((error.code() if error else None, each))
        self.committed(self._inside)

    def _note(self, kind: str, partitions: list[TopicPartition]) -> None:
        self.told.append((kind, {at.partition: at.offset for at in partitions}))
