"""Commits: the group's offsets, and beside them what is settled beyond."""

from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, TopicPartition

from processor.clock import Clock
from processor.consume.ports import Counts, Offsets
from processor.logs import Logger
from processor.offsets import PartitionView
from processor.records import Key


class Commits:
    """Sends them, and takes their answers. Lives on the Kafka thread."""

    def __init__(self, offsets: Offsets, counts: Counts, clock: Clock, log: Logger) -> None:
        self._offsets = offsets
        self._counts = counts
        self._clock = clock
        self._log = log

    def send(self, consumer: Consumer, keys: Iterable[Key]) -> None:
        """Commit what is settled of these partitions.

        Always asynchronous: a synchronous commit has no time-out and hangs with its coordinator.
        """
        bookmarks = self._offsets.commits_of(keys, self._clock.now())
        if bookmarks:
            partitions = [TopicPartition(*key, held.offset, held.metadata) for key, held in bookmarks.items()]
            consumer.commit(offsets=partitions, asynchronous=True)

    def answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The coordinator has answered, or the client gave up."""
        taken = {} if error else {(p.topic, p.partition): p.offset for p in partitions if p.error is None}
        self._offsets.commit_answered(taken)
        if len(taken) == len(partitions):
            self._counts.commits_ok += 1
            self._counts.last_commit = self._clock.wall()
            return
        self._counts.commits_failed += 1
        reason = error or next(p.error for p in partitions if p.error is not None)
        if reason.code() == KafkaError.OFFSET_METADATA_TOO_LARGE:
            self._go_without_metadata()
            return
        self._log.warning("commit_failed", reason=str(reason), next="tried again at the next commit, nothing is lost")

    def await_answer(self, consumer: Consumer, deadline: float) -> None:
        """Serve callbacks until the commit is answered. Records that still come are not entered: nobody sends them."""
        while self._offsets.commit_in_flight and self._clock.now() < deadline:
            consumer.consume(1, 0.05)

    def step_over_markers(self, consumer: Consumer, view: Mapping[Key, PartitionView]) -> None:
        """Transaction markers leave a lag of 1 for ever unless the position is committed while nothing is open."""
        idle = [
            TopicPartition(*key)
            for key, partition in view.items()
            if partition.next is not None and not partition.records
        ]
        for position in consumer.position(idle):
            if position.offset > 0 and position.error is None:
                self._offsets.skip_to((position.topic, position.partition), position.offset)

    def _go_without_metadata(self) -> None:
        if self._offsets.drop_metadata():
            self._log.warning(
                "commit_metadata_refused",
                next="committed again without it; after a crash what was settled behind a gap is delivered twice",
                fix="set offset.metadata.max.bytes of the brokers to 4096, their default, and restart",
            )
