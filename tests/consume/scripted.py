"""A consumer that does what a test says, in the order in which librdkafka would serve it."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.records import Key
from tests.support.records import SECOND

TOPIC = "clicks"
Step = Message | Callable[[], None]
OnCommit = Callable[[KafkaError | None, list[TopicPartition]], None]
Rebalanced = Callable[[Any, list[TopicPartition]], None]


def message(offset: int, partition: int = 0, **parts: Any) -> Message:
    """A message as the client hands it over."""
    plain = {"key": b"k", "value": b"vv", "timestamp": (1, SECOND)}
    return Message(topic=TOPIC, partition=partition, offset=offset, **{**plain, **parts})


def partitions(*numbers: int, **parts: Any) -> list[TopicPartition]:
    """Partitions of the topic."""
    return [TopicPartition(TOPIC, number, **parts) for number in numbers]


def answered(partition: int, offset: int, error: KafkaError | None) -> TopicPartition:
    """One partition of a commit's answer; the client's own class does not let the error be set."""
    return cast("TopicPartition", SimpleNamespace(topic=TOPIC, partition=partition, offset=offset, error=error))


@dataclass
class ScriptedConsumer:
    """Serves `queue` in `consume()`: messages are returned, functions are called, as librdkafka calls callbacks.

    Attributes:
        held: the group's offsets, which `committed()` answers.
        metadata: what goes with them.
        positions: what `position()` answers; -1001 where nothing was consumed.
        silent: whether the coordinator does not say what the group's offsets are.
        refused: partitions of which it says an error instead.
        asked: partitions of each `committed()`.
        answers: whether a commit is answered by itself, by the next `consume()`.
        calls: names of the methods with their partitions and offsets, in order.
        texts: metadata of each commit.
        waits: arguments of each `consume()`.
    """

    queue: deque[Step] = field(default_factory=deque)
    held: dict[int, int] = field(default_factory=dict)
    metadata: dict[int, str] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    silent: bool = False
    refused: set[int] = field(default_factory=set)
    asked: list[set[int]] = field(default_factory=list)
    answers: bool = True
    calls: list[tuple[str, dict[int, int]]] = field(default_factory=list)
    texts: list[dict[int, str]] = field(default_factory=list)
    waits: list[tuple[int, float]] = field(default_factory=list)
    on_commit: OnCommit = lambda *_: None
    error_cb: Callable[[KafkaError], None] = lambda _: None
    stats_cb: Callable[[str], None] = lambda _: None
    on_assign: Rebalanced = lambda *_: None
    on_revoke: Rebalanced = lambda *_: None
    on_lost: Rebalanced = lambda *_: None
    closed: bool = False

    def make(self, callbacks: Mapping[str, Any]) -> Consumer:
        """Stand in for the client's construction."""
        self.on_commit, self.error_cb = callbacks["on_commit"], callbacks["error_cb"]
        self.stats_cb = callbacks["stats_cb"]
        return cast("Consumer", self)

    # What a test does.

    def serve(self, *steps: Step) -> None:
        """Let these come next."""
        self.queue.extend(steps)

    def assign(self, *numbers: int) -> Callable[[], None]:
        """A rebalance that brings partitions."""
        return lambda: self.on_assign(self, partitions(*numbers))

    def revoke(self, *numbers: int) -> Callable[[], None]:
        """A rebalance that takes partitions."""
        return lambda: self.on_revoke(self, partitions(*numbers))

    def lose(self, *numbers: int) -> Callable[[], None]:
        """Partitions are gone already."""
        return lambda: self.on_lost(self, partitions(*numbers))

    def told(self, name: str) -> list[dict[int, int]]:
        """What the calls of this name carried: partition → offset."""
        return [carried for called, carried in list(self.calls) if called == name]

    # What the thread calls.

    def subscribe(self, _: Sequence[str], *, on_assign: Rebalanced, on_revoke: Rebalanced, on_lost: Rebalanced) -> None:
        """Keep the callbacks."""
        self.on_assign, self.on_revoke, self.on_lost = on_assign, on_revoke, on_lost

    def consume(self, count: int, timeout: float) -> list[Message]:
        """Serve the queue until so many messages came or it is empty."""
        self.waits.append((count, timeout))
        messages: list[Message] = []
        while self.queue and len(messages) < count:
            step = self.queue.popleft()
            if isinstance(step, Message):
                messages.append(step)
            else:
                step()
        if not messages:
            threading.Event().wait(min(timeout, 0.002))
        return messages

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        """Note a commit, and answer it in the next `consume()`."""
        assert asynchronous, "a synchronous commit has no time-out"
        self._note("commit", offsets)
        self.texts.append({at.partition: at.metadata or "" for at in offsets})
        if self.answers:
            self.queue.append(lambda: self.on_commit(None, offsets))

    def committed(self, asked: list[TopicPartition], *, timeout: float) -> list[TopicPartition]:
        """The group's offsets, -1001 where there is none."""
        assert timeout > 0
        self.asked.append({at.partition for at in asked})
        if self.silent:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [self._committed(at.partition) for at in asked]

    def position(self, asked: list[TopicPartition]) -> list[TopicPartition]:
        """Where the consumer stands."""
        return [TopicPartition(at.topic, at.partition, self.positions.get(at.partition, -1001)) for at in asked]

    def pause(self, given: list[TopicPartition]) -> None:
        """Note it."""
        self._note("pause", given)

    def resume(self, given: list[TopicPartition]) -> None:
        """Note it."""
        self._note("resume", given)

    def incremental_assign(self, given: list[TopicPartition]) -> None:
        """Note it."""
        self._note("assign", given)

    def incremental_unassign(self, given: list[TopicPartition]) -> None:
        """Note it."""
        self._note("unassign", given)

    def close(self) -> None:
        """Revoke what is left, as librdkafka does."""
        self.on_revoke(self, partitions(0))
        self.closed = True

    def _committed(self, number: int) -> TopicPartition:
        if number in self.refused:
            return answered(number, -1001, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
        return TopicPartition(TOPIC, number, self.held.get(number, -1001), self.metadata.get(number, ""))

    def _note(self, name: str, given: list[TopicPartition]) -> None:
        self.calls.append((name, {at.partition: at.offset for at in given}))


def keys(*numbers: int) -> set[Key]:
    """Partitions of the topic, as the ledger names them."""
    return {(TOPIC, number) for number in numbers}
