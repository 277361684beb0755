"""The one thread that owns the consumer, and with it the offsets.

Every `Consumer` call takes a gate inside the client; while one thread loops in `consume()` another one's `commit` or
`close` can starve for ever. So nothing else touches the consumer: the event loop posts settled spans, this thread
posts records and publishes snapshots.

One turn: settled spans entered, partitions paused or resumed, a commit if one is due, records in.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec

from confluent_kafka import OFFSET_STORED, Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.clock import Clock
from processor.consume.backpressure import Limits, decide
from processor.consume.ports import Counts, EventLoop, Offsets, Snapshot
from processor.consume.troubles import Trouble, explain, explain_raised
from processor.logs import Logger
from processor.records import Assignment, Headers, Key, PartitionView, Record, Span

P = ParamSpec("P")
Runs = dict[Assignment, list[Record]]
"""One poll's records, by assignment, in offset order."""

BATCH = 500
"""Records of one poll: enough that the hand-over costs below 0.1 µs a record."""
IDLE_WAIT = 0.2
"""Seconds that an empty poll waits. `consume(500, 0.2)` would wait them out unless 500 are there: hence two calls."""
PAUSED_WAIT = 0.02
"""The same while something is paused: a resume must not wait for a poll that finds nothing."""
COMMITTED_TIMEOUT = 10.0
"""Seconds to ask for the group's offsets at an assignment; after that librdkafka finds them by itself."""
REBUILD_WAIT = 1.0
"""Seconds before a failed consumer is built again; twice as long after each failure in a row."""
REBUILD_MOST = 10.0
"""The most of them."""
COMMIT_WAIT = 5.0
"""Seconds at most for the answer to the last commit before the consumer is closed."""


class KafkaThread:
    """Consumes topics for one pipeline until told to stop.

    Args:
        make_consumer: builds the client; it is given the callbacks `on_commit` and `error_cb`.
        prepare: called before the consumer is made, as often as it raises KafkaException (start offsets). It is given
            the callback `error_cb` for clients of its own, and a function that tells whether the thread is to stop.
        topics: names, or regular expressions that start with `^`.
    """

    def __init__(
        self,
        *,
        make_consumer: Callable[[dict[str, object]], Consumer],
        prepare: Callable[[Callable[[KafkaError], None], Callable[[], bool]], None],
        topics: Sequence[str],
        offsets: Offsets,
        limits: Limits,
        clock: Clock,
        log: Logger,
    ) -> None:
        self._make_consumer = make_consumer
        self._prepare = prepare
        self._topics = list(topics)
        self._offsets = offsets
        self._limits = limits
        self._clock = clock
        self._log = log
        self._settled: deque[list[Span]] = deque()
        self._stopping = threading.Event()
        self._closing = False
        self._raised: BaseException | None = None
        self._paused: frozenset[Key] = frozenset()
        self._assigned = False
        self._trouble: Trouble | None = None
        self._failures = 0
        self._epoch = 0
        self._thread = threading.Thread(target=self._run, name="kafka", daemon=True)
        self._loop: EventLoop
        self.counts = Counts()
        self.snapshot = Snapshot(clock.now())

    # From other threads.

    def start(self, loop: EventLoop) -> None:
        """Start the thread; records go to `loop`."""
        self._loop = loop
        self._thread.start()

    def settled(self, spans: list[Span]) -> None:
        """Post what is settled; entered before the next commit."""
        self._settled.append(spans)

    def stop(self) -> None:
        """Begin the clean end: drain, commit, leave the group. `join` waits for it."""
        self._stopping.set()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False where it did not come in time."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # The thread.

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._prepare(self._guarded(self._on_error), self._stopping.is_set)
                self._serve_one_consumer()
            except Exception as exception:  # noqa: BLE001 - no Kafka error ends the process (invariant 10)
                self._failed(exception)

    def _failed(self, exception: Exception) -> None:
        """Say why and wait; what the client complained of meanwhile is the cause of what its call raised."""
        raised = explain_raised(exception)
        if raised.replaces(self._trouble):
            self._trouble = raised
        wait = min(REBUILD_WAIT * 2**self._failures, REBUILD_MOST)
        self._failures += 1
        self._log.error(
            "consumer_failed", reason=str(self._trouble), next=f"built again in {wait:g} s, from the commits"
        )
        self._publish(self._offsets.view())
        self._stopping.wait(wait)

    def _serve_one_consumer(self) -> None:
        """Serve one client until the stop. If a poll raises, dequeued records may be gone: the caller builds anew."""
        consumer = self._make_consumer(
            {"on_commit": self._guarded(self._on_commit), "error_cb": self._guarded(self._on_error)}
        )
        try:
            consumer.subscribe(
                self._topics,
                on_assign=self._guarded(self._on_assign),
                on_revoke=self._guarded(self._on_revoke),
                on_lost=self._guarded(self._on_lost),
            )
            while not self._stopping.is_set():
                self._turn(consumer)
            self._finish(consumer)
        finally:
            self._close(consumer)

    def _turn(self, consumer: Consumer) -> None:
        self._enter_settled()
        view = self._offsets.view()
        self._relieve(consumer, view)
        if self._offsets.commit_due(self._clock.now()):
            self._step_over_markers(consumer, view)
            self._commit(consumer, view)
        self._publish(view)
        self._take(self._poll(consumer))

    def _poll(self, consumer: Consumer) -> Runs:
        """Take what is there; each record belongs to the assignment that was live when it was dequeued."""
        runs: Runs = {}
        first = consumer.consume(1, PAUSED_WAIT if self._paused else IDLE_WAIT)
        self._sort(first, runs)
        if first:
            self._sort(consumer.consume(BATCH - 1, 0), runs)
        if self._raised is not None:
            raise self._raised
        return runs

    def _sort(self, messages: Iterable[Message], runs: Runs) -> None:
        for message in messages:
            error = message.error()
            if error is not None:
                self._on_error(error)
                continue
            record = self._record(message, runs)
            if record is not None:
                runs.setdefault(record.assignment, []).append(record)

    def _take(self, polled: Runs) -> None:
        """Enter a poll's records in the ledger, partition by partition, then hand them over all at once."""
        # What ended within the poll (revoked, or begun again lower) is not ours to enter: it is read again.
        runs = {of: records for of, records in polled.items() if self._offsets.live(of.key) is of}
        for assignment, records in runs.items():
            self._offsets.receive(assignment.key, records)
            self.counts.read[assignment.topic] += len(records)
        if runs:
            self._trouble = None
            self._loop.receive([record for records in runs.values() for record in records])

    def _record(self, message: Any, runs: Runs) -> Record | None:
        """Make a record of a message; its type is Any because the client types all parts as optional."""
        key: Key = (message.topic(), message.partition())
        assignment = self._offsets.live(key)
        if assignment is None:
            return None
        offset: int = message.offset()
        run = runs.get(assignment)
        expected = run[-1].offset + 1 if run else self._offsets.expected(key)
        if expected is not None and offset < expected:
            assignment = self._begin_again(assignment, offset, expected)
        timestamp: int = message.timestamp()[1]
        return Record(assignment, offset, timestamp, message.key(), message.value(), self._headers(message))

    def _headers(self, message: Any) -> Headers | None:
        """The client fails on a header name that is no UTF-8; such a record goes on without its headers."""
        try:
            headers: Headers | None = message.headers()
        except SystemError:
            self._log.warning(
                "headers_unreadable",
                topic=message.topic(),
                partition=message.partition(),
                offset=message.offset(),
                next="the record goes on without its headers",
                fix="let its producer write header names as UTF-8",
            )
            return None
        return headers

    def _begin_again(self, assignment: Assignment, offset: int, expected: int) -> Assignment:
        """The position went back (somebody reset the group's offsets): from here it is a new assignment."""
        self._log.warning(
            "offset_went_back",
            topic=assignment.topic,
            partition=assignment.partition,
            expected=expected,
            offset=offset,
        )
        self._end([assignment.key])
        return self._begin(assignment.key, None)

    # Settling.

    def _enter_settled(self) -> None:
        while self._settled:
            self._offsets.settle(self._settled.popleft())

    def _step_over_markers(self, consumer: Consumer, view: Mapping[Key, PartitionView]) -> None:
        """Transaction markers leave a lag of 1 for ever unless the position is committed while nothing is open."""
        idle = [
            TopicPartition(*key)
            for key, partition in view.items()
            if partition.next is not None and not partition.records
        ]
        for position in consumer.position(idle):
            if position.offset > 0 and position.error is None:
                self._offsets.skip_to((position.topic, position.partition), position.offset)

    def _commit(self, consumer: Consumer, keys: Iterable[Key]) -> None:
        """Commit what is settled of these partitions.

        Always asynchronous: a synchronous commit has no time-out and hangs with its coordinator.
        """
        offsets = self._offsets.commits_of(keys, self._clock.now())
        if offsets:
            partitions = [TopicPartition(*key, offset) for key, offset in offsets.items()]
            consumer.commit(offsets=partitions, asynchronous=True)

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        taken = {} if error else {(p.topic, p.partition): p.offset for p in partitions if p.error is None}
        self._offsets.commit_answered(taken)
        if len(taken) == len(partitions):
            self.counts.commits_ok += 1
            self.counts.last_commit = self._clock.wall()
            return
        self.counts.commits_failed += 1
        reason = error or next(p.error for p in partitions if p.error is not None)
        self._log.warning("commit_failed", reason=str(reason), next="tried again at the next commit, nothing is lost")

    # Back-pressure.

    def _relieve(self, consumer: Consumer, view: Mapping[Key, PartitionView]) -> None:
        decision = decide(self._limits, view, self._paused)
        if decision.pause:
            consumer.pause([TopicPartition(*key) for key in decision.pause])
        if decision.resume:
            consumer.resume([TopicPartition(*key) for key in decision.resume])
        self._paused = (self._paused | decision.pause) - decision.resume

    # Rebalances. These run inside `consume()`; revocation cannot be deferred beyond them.

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions come: lists are deltas, often empty, without offsets."""
        if self._closing:  # asking for offsets now would time out and raise into close()
            return
        self._assigned = True
        self._trouble, self._failures = None, 0
        self.counts.rebalances += 1
        committed = self._committed(consumer, partitions)
        for partition in partitions:
            self._begin((partition.topic, partition.partition), committed.get((partition.topic, partition.partition)))
        consumer.incremental_assign([TopicPartition(p.topic, p.partition, OFFSET_STORED) for p in partitions])
        # A pause survives a revocation: without this a partition that comes back would stay silent for ever.
        consumer.resume([TopicPartition(p.topic, p.partition) for p in partitions])
        self._relieve(consumer, self._offsets.view())
        self._log.info("partitions_assigned", partitions=_names(partitions))

    def _committed(self, consumer: Consumer, partitions: list[TopicPartition]) -> dict[Key, int]:
        if not partitions:
            return {}
        try:
            offsets = consumer.committed(
                [TopicPartition(p.topic, p.partition) for p in partitions], timeout=COMMITTED_TIMEOUT
            )
        except KafkaException as exception:
            self._log.warning(
                "committed_offsets_unknown", reason=str(exception), next="librdkafka asks again by itself"
            )
            return {}
        return {(p.topic, p.partition): p.offset for p in offsets if p.offset >= 0 and p.error is None}

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions leave, and are still ours until this returns."""
        if self._closing:  # everything is drained and committed
            return
        self.counts.rebalances += 1
        keys = [(p.topic, p.partition) for p in partitions]
        # 1. Nothing more is sent for them; what is in flight ends, under a deadline.
        self._loop.drain([assignment for key in keys if (assignment := self._offsets.live(key)) is not None])
        # 2. What settled until now is entered and committed; librdkafka holds the hand-over back until it is answered.
        self._enter_settled()
        self._commit(consumer, keys)
        # 3. From here on a late result changes nothing.
        self._end(keys)
        consumer.incremental_unassign(partitions)
        self._log.info("partitions_revoked", partitions=_names(partitions))

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions are gone already, and may be another member's: no drain, no commit."""
        self.counts.rebalances += 1
        self._end([(p.topic, p.partition) for p in partitions])
        self._log.warning("partitions_lost", partitions=_names(partitions), next="read again from the last commit")

    def _begin(self, key: Key, committed: int | None) -> Assignment:
        self._epoch += 1
        assignment = Assignment(*key, self._epoch)
        self._offsets.begin(assignment, committed)
        return assignment

    def _end(self, keys: Iterable[Key]) -> None:
        view = self._offsets.view()
        ended = [assignment for key in keys if (assignment := self._offsets.end(key)) is not None]
        for assignment in ended:
            self.counts.abandoned[assignment.topic] += view[assignment.key].records
        self._paused -= {assignment.key for assignment in ended}
        self._loop.ended(ended)

    # The end.

    def _finish(self, consumer: Consumer) -> None:
        """Drain everything and commit it, while the partitions are still ours."""
        live = [assignment for key in self._offsets.view() if (assignment := self._offsets.live(key)) is not None]
        consumer.pause([TopicPartition(*assignment.key) for assignment in live])
        self._loop.drain(live)
        self._enter_settled()
        deadline = self._clock.now() + COMMIT_WAIT
        self._await_commit(consumer, deadline)
        self._commit(consumer, [assignment.key for assignment in live])
        self._await_commit(consumer, deadline)
        self._publish(self._offsets.view())

    def _await_commit(self, consumer: Consumer, deadline: float) -> None:
        """Serve callbacks until the commit is answered. Records that still come are not entered: nobody sends them."""
        while self._offsets.commit_in_flight and self._clock.now() < deadline:
            consumer.consume(1, 0.05)

    def _close(self, consumer: Consumer) -> None:
        self._closing = True
        consumer.close()
        self._closing = False
        self._raised = None
        self._offsets.forget_commit()
        self._end(list(self._offsets.view()))

    # What is seen.

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            raise KafkaException(error)
        trouble = explain(error)
        if trouble.replaces(self._trouble):
            self._trouble = trouble
            self._log.warning(
                "kafka_trouble",
                reason=trouble.reason,
                next="the client goes on trying, nothing is lost",
                fix=trouble.fix or None,
            )
            self._publish(self._offsets.view())

    def _publish(self, view: Mapping[Key, PartitionView]) -> None:
        trouble = str(self._trouble) if self._trouble else None
        self.snapshot = Snapshot(self._clock.now(), self._assigned, view, self._paused, trouble)

    def _guarded(self, callback: Callable[P, None]) -> Callable[P, None]:
        """A callback that raises makes `consume()` raise, and records that it had dequeued are gone."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except Exception as exception:  # noqa: BLE001 - kept, and raised where nothing is lost by it
                self._raised = exception

        return guarded


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return [f"{partition.topic}[{partition.partition}]" for partition in partitions]
