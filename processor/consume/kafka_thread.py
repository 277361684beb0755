"""The one thread that owns the consumer, and with it the offsets.

Every `Consumer` call takes a gate inside the client; while one thread loops in `consume()` another one's `commit` or
`close` can starve for ever. So nothing else touches the consumer: the event loop posts settled spans, this thread
posts records and publishes snapshots.

One turn: the lease renewed, settled spans entered, partitions paused or resumed, a commit if one is due, records in.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import inf

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.clock import Clock
from processor.consume.arrivals import Arrivals
from processor.consume.backpressure import Limits
from processor.consume.commits import Commits
from processor.consume.guard import Guard
from processor.consume.lease import STANDSTILL, Lease, StoodStillError
from processor.consume.membership import Membership
from processor.consume.open_transactions import OpenTransactions
from processor.consume.polls import Polls
from processor.consume.ports import Broker, Counts, EventLoop, Offsets, Snapshot
from processor.consume.roll import Roll
from processor.consume.standing import Standing
from processor.consume.statistics import read
from processor.consume.troubles import Complaints
from processor.consume.upkeep import Upkeep
from processor.logs import Logger
from processor.offsets import PartitionView
from processor.records import Key, Span

IDLE_WAIT = 0.2
"""Seconds that an empty poll waits."""
PAUSED_WAIT = 0.02
"""The same while something is paused: a resume must not wait for a poll that finds nothing."""
REBUILD_WAIT = 1.0
"""Seconds before a failed consumer is built again; twice as long after each failure in a row."""
REBUILD_MOST = 10.0
"""The most of them."""
FENCED_WAIT = 30.0
"""The same for one whose `group.instance.id` another client has taken: to take it back at once would go on for ever."""
FENCED = "Static consumer fenced"
"""How the client says that; it has no code for it."""
COMMIT_WAIT = 5.0
"""Seconds at most for the answer to the last commit before the consumer is closed."""


class KafkaThread:
    """Consumes topics for one pipeline until told to stop.

    Args:
        make_consumer: builds the client; it is given the callbacks `on_commit`, `error_cb` and `stats_cb`.
        prepare: called before the consumer is made, as often as it raises KafkaException (start offsets). It is given
            the callback `error_cb` for clients of its own, and a function that tells whether the thread is to stop.
        topics: names, or regular expressions that start with `^`.
        broker: is asked where partitions come, and now and then.
        session: seconds after which a group gives up a member that it does not hear of.
        tells_loss: whether the client tells of that by itself; with KIP-848 it does not.
        roll: whom to ask whether this member gets no partitions, where the client does not tell; None where it does.

    Attributes:
        lease: whether what was assigned may be taken for ours.
        unacknowledged: partitions whose settled offsets were not acknowledged when the last consumer was closed.
    """

    def __init__(  # noqa: PLR0913 - all that it meets, handed over by name
        self,
        *,
        make_consumer: Callable[[dict[str, object]], Consumer],
        prepare: Callable[[Callable[[KafkaError], None], Callable[[], bool]], None],
        topics: Sequence[str],
        offsets: Offsets,
        broker: Broker,
        session: float,
        tells_loss: bool = True,
        roll: Roll | None = None,
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
        self._guard = Guard()
        self._assigned = False
        self._tells_loss = tells_loss
        self._complaints = Complaints(log)
        self._transactions = OpenTransactions(clock, log)
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="kafka", daemon=True)
        self._loop: EventLoop
        self.counts = Counts()
        self.lease = Lease(session, clock, inf if tells_loss else STANDSTILL)
        self._arrivals = Arrivals(offsets, broker, self.counts, self.lease, clock, log)
        self._commits = Commits(offsets, self.counts, clock, log)
        self._standing = Standing(limits, log)
        self._membership = Membership(
            offsets=offsets,
            arrivals=self._arrivals,
            commits=self._commits,
            standing=self._standing,
            lease=self.lease,
            counts=self.counts,
            enter_settled=self._enter_settled,
            joined=self._joined,
            roll=roll,
            log=log,
        )
        self._upkeep = Upkeep(offsets, broker, self._membership, clock)
        self._polls = Polls(offsets, self._arrivals, self._membership, self.counts, self._on_message_error, log)
        self.snapshot = Snapshot(clock.now())
        self.unacknowledged: frozenset[Key] = frozenset()

    # From other threads.

    def start(self, loop: EventLoop) -> None:
        """Start the thread; records go to `loop`."""
        self._loop = self._membership.loop = loop
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
            except StoodStillError as stall:
                self._log.warning(
                    "stood_still",
                    reason=str(stall),
                    next="nothing of what was assigned is sent or committed; joins again",
                    fix="where it comes again: see whether a CPU limit throttles the pod, or its node was suspended",
                )
            except Exception as exception:  # noqa: BLE001 - no Kafka error ends the process (invariant 10)
                self._failed(exception)

    def _failed(self, exception: Exception) -> None:
        """Say why and wait; what the client complained of meanwhile is the cause of what its call raised."""
        self._complaints.raised(exception)
        fenced = FENCED in str(exception)
        wait = FENCED_WAIT if fenced else min(REBUILD_WAIT * 2 ** min(self._failures, 10), REBUILD_MOST)
        self._failures += 1
        self._log.error(
            "consumer_failed", reason=self._complaints.words, next=f"built again in {wait:g} s, from the commits"
        )
        self._publish(self._offsets.view())
        self._stopping.wait(wait)

    def _serve_one_consumer(self) -> None:
        """Serve one client until the stop. If a poll raises, dequeued records may be gone: the caller builds anew."""
        guard, membership = self._guard, self._membership
        consumer = self._make_consumer(
            {
                "on_commit": guard(self._commits.answered),
                "error_cb": guard(self._on_error),
                "stats_cb": guard(self._on_statistics),
            }
        )
        try:
            self.lease.begin()
            consumer.subscribe(
                self._topics,
                on_assign=guard(membership.on_assign),
                on_revoke=guard(membership.on_revoke),
                on_lost=guard(membership.on_lost),
            )
            while not self._stopping.is_set():
                self._turn(consumer)
            self._finish(consumer)
        finally:
            self._close(consumer)

    def _turn(self, consumer: Consumer) -> None:
        self.lease.check()
        self._enter_settled()
        view = self._offsets.view()
        self._standing.look(consumer, view, self._arrivals.held)
        now = self._clock.now()
        if self._offsets.commit_due(now) and self.lease.holds(now):
            self._commits.step_over_markers(consumer, view)
            self._commits.send(consumer, view)
        self._publish(view)
        self._upkeep.turn(consumer)
        if refusal := self._membership.look(consumer):
            self._complaints.heard(refusal)
        self._membership.ask_again(consumer)
        self._take(consumer)

    def _enter_settled(self) -> None:
        while self._settled:
            self._offsets.settle(self._settled.popleft())

    def _take(self, consumer: Consumer) -> None:
        """Enter a poll's records in the ledger, then hand them over all at once."""
        polled = self._polls.poll(consumer, PAUSED_WAIT if self._standing.paused else IDLE_WAIT)
        if self._guard.raised is not None:
            raise self._guard.raised
        unsettled = self._polls.enter(polled)
        if polled:
            self._complaints.over()
        if unsettled:
            self._loop.receive(unsettled)

    def _joined(self) -> None:
        self._assigned = True
        self._failures = 0
        self._complaints.over()

    # The end.

    def _finish(self, consumer: Consumer) -> None:
        """Drain everything and commit it, while the partitions are still ours."""
        live = self._membership.live(self._offsets.view())
        consumer.pause([TopicPartition(*assignment.key) for assignment in live])
        self._loop.drain(live)
        self.lease.check()
        self._enter_settled()
        deadline = self._clock.now() + COMMIT_WAIT
        self._commits.await_answer(consumer, deadline)
        for _ in range(2):  # once more where the first one was refused
            if self._offsets.commit_in_flight:  # unanswered: what is sent behind it could be overwritten by it
                break
            self._commits.send(consumer, self.lease.surely(assignment.key for assignment in live))
            self._commits.await_answer(consumer, deadline)
        self._publish(self._offsets.view())

    def _close(self, consumer: Consumer) -> None:
        """End what is assigned before anything else: the close may take long, and lets others begin."""
        view = self._offsets.view()
        self.unacknowledged = frozenset(self._offsets.commits_of(view, self._clock.now()))
        self._membership.end(view)
        self._membership.closing = True
        consumer.close()
        self._membership.closing = False
        self._guard.raised = None
        self._offsets.forget_commit()

    # What is seen.

    def _on_message_error(self, message: Message, error: KafkaError) -> None:
        if not self._upkeep.lapse(message):
            self._on_error(error)

    def _on_error(self, error: KafkaError) -> None:
        # One that is fatal may come as a message, and says so by its code alone.
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 - its only name
            raise KafkaException(error)
        self._complaints.heard(error)
        self._publish(self._offsets.view())

    def _on_statistics(self, text: str) -> None:
        told = read(text)
        if not self._tells_loss:
            self.lease.heard(told.coordinator)
        fetched = self._offsets.view().keys() - self._standing.paused
        if told.connected(fetched):
            self._complaints.connected()
        self._transactions.look(told.logs, fetched)

    def _publish(self, view: Mapping[Key, PartitionView]) -> None:
        standing, waiting = self._standing, self._transactions.waiting
        self.snapshot = Snapshot(
            self._clock.now(),
            self._assigned,
            view,
            standing.paused,
            standing.reasons,
            dict(self._arrivals.held),
            self._complaints.words,
            {key: why for key, why in waiting.items() if key in view},
        )
