"""Reads a topic from fixed begins to fixed ends, for commands: no group's offsets, and an end that comes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import TopicMetadata

from processor.clock import Clock
from processor.consume.messages import record_of
from processor.consume.troubles import Trouble, explain, explain_raised
from processor.errors import FatalError
from processor.kafka_clients import KafkaClients
from processor.kafka_rights import READ, on_topic
from processor.logs import logger
from processor.records import Assignment, Record

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds without any answer until a command gives up."""
TURN = 1.0
"""Seconds of one question; between two of them the client tells what is wrong."""
BATCH = 1000
"""Records of one poll."""
WAIT = 0.2
"""Seconds for the first record of a poll."""
END_OF_PARTITION = KafkaError._PARTITION_EOF  # noqa: SLF001 - the only name of librdkafka's own code
OPTIONS: Mapping[str, Any] = {
    "auto.offset.reset": "earliest",  # what retention takes while we read is passed over
    "enable.partition.eof": True,  # tells of an end behind which nothing is, not even a record at it
}
REFUSED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART})
"""What waiting does not mend."""
NO_MATTER = KafkaError.GROUP_AUTHORIZATION_FAILED
"""The client looks for its group all the same."""

Bounds = dict[int, tuple[int, int]]
"""First offset and end of each partition."""


def begins_of(bounds: Bounds) -> dict[int, int]:
    """The first offset of each partition."""
    return {partition: begin for partition, (begin, _) in bounds.items()}


def ends_of(bounds: Bounds) -> dict[int, int]:
    """The end of each partition."""
    return {partition: end for partition, (_, end) in bounds.items()}


class Reader:
    """A consumer without a group's offsets; one reading at a time. Use it in a `with`.

    Args:
        clients: makes the consumer.
        bootstrap: what people have as Kafka's address.
        clock: for the patience.

    Raises:
        FatalError: the client cannot be made.
    """

    def __init__(self, clients: KafkaClients, bootstrap: str, clock: Clock) -> None:
        self._bootstrap = bootstrap
        self._clock = clock
        self._log = logger()
        self._trouble: Trouble | None = None
        try:
            self._consumer = clients.consumer({**OPTIONS, "error_cb": self._heard})
        except KafkaException as exception:
            raise FatalError(f"no Kafka client: {explain_raised(exception)}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def watermarks(self, topic: str) -> Bounds | None:
        """Ask where a topic begins and ends now, in what is committed by transactions.

        Returns:
            None where there is no such topic.

        Raises:
            FatalError: Kafka does not answer, or refuses.
        """
        known = self.reach(topic)
        if known.error is not None:
            if known.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise FatalError(self._refusal(topic, known.error))
        return {partition: self._bounds(topic, partition) for partition in sorted(known.partitions)}

    def reach(self, topic: str) -> TopicMetadata:
        """Ask for a topic, whether this user may see it or not: a Kafka that does not answer is told in words.

        Raises:
            FatalError: Kafka does not answer.
        """
        found: TopicMetadata = self._asked(topic, lambda: self._consumer.list_topics(topic, timeout=TURN).topics[topic])
        return found

    def offsets_at(self, topic: str, partitions: Iterable[int], milliseconds: int) -> dict[int, int]:
        """Tell where the records of a time begin in each partition; its end, where none is as late.

        Args:
            topic: the topic.
            partitions: which of them.
            milliseconds: since 1970.

        Raises:
            FatalError: as for `watermarks`.
        """
        asked = [TopicPartition(topic, partition, milliseconds) for partition in partitions]
        found = self._asked(topic, lambda: self._consumer.offsets_for_times(asked, timeout=TURN))
        return {
            each.partition: each.offset if each.offset >= 0 else self._bounds(topic, each.partition)[1]
            for each in found
        }

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        at = TopicPartition(topic, partition)
        found: tuple[int, int] = self._asked(topic, lambda: self._consumer.get_watermark_offsets(at, timeout=TURN))
        return found

    def _asked(self, topic: str, question: Callable[[], T | None]) -> T:
        """Ask until there is an answer: a leader that moves is none."""
        deadline = self._clock.now() + PATIENCE
        while True:
            try:
                answer = question()
                if answer is not None:
                    return answer
            except KafkaException as exception:
                if exception.args[0].code() in REFUSED:
                    raise FatalError(self._refusal(topic, exception.args[0])) from None
                self._remember(explain_raised(exception))
            if self._clock.now() >= deadline:
                raise FatalError(self._silence())
            self._consumer.poll(WAIT)  # the client tells what is wrong

    def read(self, topic: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[list[Record]]:
        """Read partitions of a topic, each up to just before its end.

        An end is recognised by the position: compaction and markers leave gaps, also right before it.

        Args:
            topic: the topic.
            begins: first offset by partition; those of other partitions are not read.
            ends: end by partition, no later than the partition's own.

        Yields:
            Records as they come, in offset order within each partition.

        Raises:
            FatalError: Kafka does not answer for `PATIENCE` seconds, or refuses.
        """
        assignments = {
            partition: Assignment(topic, partition, 0)
            for partition, begin in begins.items()
            if begin < ends.get(partition, 0)
        }
        open_ends = {partition: ends[partition] for partition in assignments}
        if not open_ends:
            return
        self._consumer.assign([TopicPartition(topic, partition, begins[partition]) for partition in open_ends])
        waited = 0.0
        while open_ends:
            since = self._clock.now()
            messages = _consume(self._consumer)
            waited = 0.0 if any(map(_is_answer, messages)) else waited + self._clock.now() - since
            if waited >= PATIENCE:
                raise FatalError(self._silence())
            records = [record for message in messages if (record := self._record(message, assignments, open_ends))]
            if records:
                yield records
            self._close_ends(topic, open_ends)

    def _record(self, message: Any, assignments: Mapping[int, Assignment], open_ends: dict[int, int]) -> Record | None:
        """Make a record of a message that is before its partition's end; takes note of an end."""
        partition, error = message.partition(), message.error()
        if error is None:
            end = open_ends.get(partition)
            if end is None or message.offset() >= end:
                return None
            return record_of(message, assignments[partition], self._log)
        if error.code() == END_OF_PARTITION:
            if partition in open_ends and message.offset() >= open_ends[partition]:
                self._close_end(message.topic(), partition, open_ends)
        elif error.code() in REFUSED:
            raise FatalError(self._refusal(message.topic(), error))
        else:
            self._heard(error)
        return None

    def _close_ends(self, topic: str, open_ends: dict[int, int]) -> None:
        for at in self._consumer.position([TopicPartition(topic, partition) for partition in open_ends]):
            if at.offset >= open_ends[at.partition]:
                self._close_end(topic, at.partition, open_ends)

    def _close_end(self, topic: str, partition: int, open_ends: dict[int, int]) -> None:
        """Fetch no more of a partition that is read up to its end.

        It is not paused: that would outlive the assignment, and resuming it when the next one begins may swallow the
        word that its end was reached, the only one behind a transaction's marker.
        """
        del open_ends[partition]
        self._consumer.incremental_unassign([TopicPartition(topic, partition)])

    def _heard(self, error: KafkaError) -> None:
        if error.code() != NO_MATTER:
            self._remember(explain(error))

    def _refusal(self, topic: str, error: KafkaError) -> str:
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return on_topic(self._bootstrap, topic, READ)
        return f"{topic}: {explain(error)}"

    def _remember(self, trouble: Trouble) -> None:
        if trouble.replaces(self._trouble):
            self._trouble = trouble

    def _silence(self) -> str:
        why = f": {self._trouble}" if self._trouble else "; see that it is up and reachable"
        return f"Kafka at {self._bootstrap} gave no answer for {PATIENCE:g} s{why}"


def _consume(consumer: Consumer) -> list[Any]:
    """What is there; waits for the first one only."""
    first: list[Any] = consumer.consume(1, WAIT)
    return first + consumer.consume(BATCH - 1, 0) if first else first


def _is_answer(message: Any) -> bool:
    """Whether the broker has said something of the partition; an error may come again and again."""
    error = message.error()
    return error is None or error.code() == END_OF_PARTITION
