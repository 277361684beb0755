"""The one thread that owns the consumer, and with it the offsets.

Every `Consumer` call takes a gate inside the client; while one thread loops in `consume()` another one's `commit` or
`close` can starve for ever. So nothing else touches the consumer: the event loop posts settled spans, this thread
posts records and publishes snapshots.

One turn: settled spans entered, partitions paused or resumed, a commit if one is due, records in.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.clock import Clock
from processor.consume.arrivals import Arrivals
from processor.consume.backpressure import Limits
from processor.consume.commits import Commits
from processor.consume.guard import Guard
from processor.consume.messages import record_of
from processor.consume.ports import Broker, Counts, EventLoop, Offsets, Snapshot
from processor.consume.standing import Standing
from processor.consume.troubles import Trouble, explain, explain_raised
from processor.logs import Logger
from processor.records import Assignment, Key, PartitionView, Record, Span

Runs = dict[Assignment, list[Record]]
"""One poll's records, by assignment, in offset order."""

BATCH = 500
"""Records of one poll: enough that the hand-over costs below 0.1 µs a record."""
IDLE_WAIT = 0.2
"""Seconds that an empty poll waits. `consume(500, 0.2)` would wait them out unless 500 are there: hence two calls."""
PAUSED_WAIT = 0.02
"""The same while something is paused: a resume must not wait for a poll that finds nothing."""
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
        broker: is asked where partitions come.
    """

    def __init__(
        self,
        *,
        make_consumer: Callable[[dict[str, object]], Consumer],
        prepare: Callable[[Callable[[KafkaError], None], Callable[[], bool]], None],
        topics: Sequence[str],
        offsets: Offsets,
        broker: Broker,
        limits: Limits,
        clock: Clock,
        log: Logger,
    ) -> None:
        self._make_consumer = make_consumer
        self._prepare = prepare
        self._topics = list(topics)
        self._offsets = offsets
        self._clock = clock
        self._log = log
        self._settled: deque[list[Span]] = deque()
        self._stopping = threading.Event()
        self._closing = False
        self._guard = Guard()
        self._assigned = False
        self._trouble: Trouble | None = None
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="kafka", daemon=True)
        self._loop: EventLoop
        self.counts = Counts()
        self._arrivals = Arrivals(offsets, broker, self.counts, clock, log)
        self._commits = Commits(offsets, self.counts, clock, log)
        self._standing = Standing(limits, log)
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
                self._prepare(self._guard(self._on_error), self._stopping.is_set)
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
            {"on_commit": self._guard(self._commits.answered), "error_cb": self._guard(self._on_error)}
        )
        try:
            consumer.subscribe(
                self._topics,
                on_assign=self._guard(self._on_assign),
                on_revoke=self._guard(self._on_revoke),
                on_lost=self._guard(self._on_lost),
            )
            while not self._stopping.is_set():
                self._turn(consumer)
            self._finish(consumer)
        finally:
            self._close(consumer)

    def _turn(self, consumer: Consumer) -> None:
        self._enter_settled()
        view = self._offsets.view()
        self._standing.look(consumer, view, self._arrivals.held)
        if self._offsets.commit_due(self._clock.now()):
            self._commits.step_over_markers(consumer, view)
            self._commits.send(consumer, view)
        self._publish(view)
        self._take(self._poll(consumer))

    def _enter_settled(self) -> None:
        while self._settled:
            self._offsets.settle(self._settled.popleft())

    def _poll(self, consumer: Consumer) -> Runs:
        """Take what is there; each record belongs to the assignment that was live when it was dequeued."""
        runs: Runs = {}
        first = consumer.consume(1, PAUSED_WAIT if self._standing.paused else IDLE_WAIT)
        self._sort(first, runs)
        if first:
            self._sort(consumer.consume(BATCH - 1, 0), runs)
        if self._guard.raised is not None:
            raise self._guard.raised
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
        unsettled: list[Record] = []
        for assignment, records in runs.items():
            unsettled += self._offsets.receive(assignment.key, records)
            self.counts.read[assignment.topic] += len(records)
        if runs:
            self._trouble = None
        if unsettled:
            self._loop.receive(unsettled)

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
            self._end([key])
            assignment = self._arrivals.begin_again(assignment, offset, expected)
        return record_of(message, assignment, self._log)

    # Rebalances. These run inside `consume()`; revocation cannot be deferred beyond them.

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions come: lists are deltas, often empty, without offsets."""
        if self._closing:  # asking for offsets now would time out and raise into close()
            return
        self._assigned = True
        self._trouble, self._failures = None, 0
        self.counts.rebalances += 1
        consumer.incremental_assign(self._arrivals.begin(consumer, [(p.topic, p.partition) for p in partitions]))
        # A pause survives a revocation: without this a partition that comes back would stay silent for ever.
        consumer.resume([TopicPartition(p.topic, p.partition) for p in partitions])
        self._standing.look(consumer, self._offsets.view(), self._arrivals.held)
        self._log.info("partitions_assigned", partitions=_names(partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions leave, and are still ours until this returns."""
        if self._closing:  # everything is drained and committed
            return
        self.counts.rebalances += 1
        keys = [(p.topic, p.partition) for p in partitions]
        # 1. Nothing more is sent for them; what is in flight ends, under a deadline.
        self._loop.drain(self._live(keys))
        # 2. What settled until now is entered and committed; librdkafka holds the hand-over back until it is answered.
        self._enter_settled()
        self._commits.send(consumer, keys)
        # 3. From here on a late result changes nothing.
        self._end(keys)
        consumer.incremental_unassign(partitions)
        self._log.info("partitions_revoked", partitions=_names(partitions))

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions are gone already, and may be another member's: no drain, no commit."""
        self.counts.rebalances += 1
        self._end([(p.topic, p.partition) for p in partitions])
        self._log.warning("partitions_lost", partitions=_names(partitions), next="read again from the last commit")

    def _live(self, keys: Iterable[Key]) -> list[Assignment]:
        return [assignment for key in keys if (assignment := self._offsets.live(key)) is not None]

    def _end(self, keys: Iterable[Key]) -> None:
        ended = self._arrivals.end(keys)
        self._standing.forget({assignment.key for assignment in ended})
        self._loop.ended(ended)

    # The end.

    def _finish(self, consumer: Consumer) -> None:
        """Drain everything and commit it, while the partitions are still ours."""
        live = self._live(self._offsets.view())
        consumer.pause([TopicPartition(*assignment.key) for assignment in live])
        self._loop.drain(live)
        self._enter_settled()
        deadline = self._clock.now() + COMMIT_WAIT
        self._commits.await_answer(consumer, deadline)
        for _ in range(2):  # once more where the first one was refused
            self._commits.send(consumer, [assignment.key for assignment in live])
            self._commits.await_answer(consumer, deadline)
        self._publish(self._offsets.view())

    def _close(self, consumer: Consumer) -> None:
        self._closing = True
        consumer.close()
        self._closing = False
        self._guard.raised = None
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
        trouble, standing = str(self._trouble) if self._trouble else None, self._standing
        held = dict(self._arrivals.held)
        self.snapshot = Snapshot(
            self._clock.now(), self._assigned, view, standing.paused, standing.reasons, held, trouble
        )


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return [f"{partition.topic}[{partition.partition}]" for partition in partitions]
