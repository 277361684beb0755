"""A consumer of the simulated Kafka, as far as the service calls `confluent_kafka.Consumer`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_INVALID, KafkaError, Message, TopicPartition
from confluent_kafka.admin import ClusterMetadata

from processor.records import Key
from tests.simulation.admin import metadata_of
from tests.simulation.cluster_group import Group
from tests.simulation.commits import Commits
from tests.simulation.fetching import Fetcher, Run
from tests.simulation.membership import Membership, seconds
from tests.simulation.network import Link
from tests.simulation.serving import Callback, Queue, Taken
from tests.simulation.telling import statistics

CLOSE_WAIT = 5.0
"""Seconds at most that closing waits for commits, and for the group's coordinator to know."""
FOREVER = 10**9
Rebalanced = Callable[[Any, list[TopicPartition]], None]


class SimConsumer:
    """One consumer, used by one thread, which its callbacks run on.

    Attributes:
        host: its process.
    """

    def __init__(self, link: Link, group: Group, config: Mapping[str, Any]) -> None:
        self._link = link
        self._machine = link.cluster.machine
        self._group = group
        self._on_commit: Callable[..., None] = config.get("on_commit", lambda *_: None)
        self._error_cb: Callable[[KafkaError], None] = config.get("error_cb", lambda _: None)
        self._stats_cb: Callable[[str], None] = config.get("stats_cb", lambda _: None)
        self._tells = seconds(config, "statistics.interval.ms", 0.0)
        self._on_assign: Rebalanced = lambda *_: None
        self._on_revoke: Rebalanced = lambda *_: None
        self._on_lost: Rebalanced = lambda *_: None
        self._queue = Queue()
        self._rebalance: Callback | None = None
        self._given = False
        self._polled: float | None = None
        self._down = False
        self._closed = False
        self.host = link.host
        self.membership = Membership(link, group, config, self)
        self._commits = Commits(
            link,
            group,
            self.membership,
            patience=seconds(config, "session.timeout.ms", 45.0),
            answered=self._answered,
            unreachable=self.unreachable,
        )
        resets = config.get("auto.offset.reset", "largest") != "error"
        self.fetcher = Fetcher(link, group, resets=resets, deliver=self._came, complain=self._queue.put)

    # What the service calls.

    def subscribe(
        self, topics: Sequence[str], *, on_assign: Rebalanced, on_revoke: Rebalanced, on_lost: Rebalanced
    ) -> None:
        """Join the group."""
        self._on_assign, self._on_revoke, self._on_lost = on_assign, on_revoke, on_lost
        self._polled = self._machine.clock.now()
        for topic in topics:
            if not topic.startswith("^") and topic not in self._link.cluster.topics:
                error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"Subscribed topic not available: {topic}")
                self._queue.put(Message(topic=topic, error=error))
        self.membership.subscribe(tuple(topics))
        if self._tells:
            self._machine.later(self._tells, self._tell, self.host)

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Serve what waits until so many messages came or the time is over.

        Raises:
            RuntimeError: it is closed.
            Exception: a callback raised; the messages that were taken already are gone.
        """
        if self._closed:
            raise RuntimeError("Consumer closed")
        self._polled = None
        clock = self._machine.clock
        until = clock.now() + (timeout if timeout >= 0 else FOREVER)
        taken: Taken = []
        try:
            while True:
                while self._queue and len(taken) < num_messages:
                    self._queue.serve(taken, num_messages, self.fetcher)
                left = until - clock.now()
                if len(taken) == num_messages or left <= 0:
                    break
                self._machine.wait(lambda: bool(self._queue), left)
        finally:
            self.fetcher.given()
        self._polled = clock.now()
        return [message for _, message in taken]

    def poll(self, timeout: float = -1) -> Message | None:
        """The same for one message."""
        return next(iter(self.consume(1, timeout)), None)

    def incremental_assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Begin to fetch these."""
        self._given = True
        self.fetcher.assign(partitions)

    def incremental_unassign(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetch these no more."""
        self._given = True
        self.fetcher.unassign(_keys(partitions))

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetch these no more for now."""
        self.fetcher.pause(_keys(partitions))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetch these again."""
        self.fetcher.resume(_keys(partitions))

    def position(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Behind the last record that was consumed, or a marker after it."""
        assigned = self.fetcher.assigned
        return [
            TopicPartition(*key, assigned[key].position if key in assigned else OFFSET_INVALID)
            for key in _keys(partitions)
        ]

    def commit(self, *, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        """Commit; the answer comes with `on_commit`."""
        if not asynchronous:
            raise NotImplementedError("a synchronous commit has no time-out")
        self._commits.send(offsets)

    def committed(self, partitions: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        """The group's offsets; invalid where it has none.

        Raises:
            KafkaException: there was no answer in time.
        """
        keys = _keys(partitions)
        found = self._link.call(
            lambda: {key: self._group.offsets.get(key) for key in keys},
            timeout,
            on_unreachable=self.unreachable,
            line=self.membership.line,
        )
        return [
            TopicPartition(*key, held.offset, held.metadata) if held else TopicPartition(*key, OFFSET_INVALID)
            for key, held in found.items()
        ]

    def memberid(self) -> str:
        """As the coordinator knows it."""
        return self.membership.member_id

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """All topics, or this one.

        Raises:
            KafkaException: there was no answer in time.
        """
        cluster = self._link.cluster
        names = [topic] if topic is not None else list(cluster.topics)
        return self._link.call(
            lambda: metadata_of(cluster.topics, names),
            timeout if timeout >= 0 else FOREVER,
            needs=None,
            late=KafkaError._TRANSPORT,
            on_unreachable=self.unreachable,
        )

    def close(self) -> None:
        """Give everything back, wait for commits, and leave the group."""
        if self._closed:
            return
        self._machine.wait(lambda: True, 0)
        self._queue.serve_callbacks()
        if self.membership.owned:
            self._give_back(self.membership.owned, self._on_revoke if self.membership.member_id else self._on_lost)
        until = self._machine.clock.now() + CLOSE_WAIT
        self._machine.wait(lambda: not self._commits.under_way, CLOSE_WAIT)
        self._queue.serve_callbacks()
        self._machine.wait(self.membership.leave(), max(until - self._machine.clock.now(), 0.0))
        self.fetcher.unassign(list(self.fetcher.assigned))
        self._closed = self._commits.closed = True
        if self in self._link.cluster.consumers:
            self._link.cluster.consumers.remove(self)

    # What the group's coordinator makes happen: served in `consume()` and `close()`.

    def assigned(self, keys: frozenset[Key]) -> None:
        """These come."""

        def serve() -> None:
            self._given = False
            partitions = [TopicPartition(*key) for key in sorted(keys)]
            self._on_assign(self, partitions)
            if not self._given:
                self.fetcher.assign(partitions)
            self.membership.served(self.membership.owned | keys, self.membership.member_id)

        self._queue_rebalance(serve)

    def revoked(self, keys: frozenset[Key]) -> None:
        """These are to be given back."""

        def serve() -> None:
            member_id = self.membership.member_id
            self._give_back(keys, self._on_revoke)
            left = self.membership.owned - keys
            self._commits.then(lambda: self.membership.served(left, member_id))

        self._queue_rebalance(serve)

    def lost(self) -> None:
        """All are gone already; what was to be given or taken is not, any more."""

        def serve() -> None:
            if self.membership.owned:
                self._give_back(self.membership.owned, self._on_lost)
            self.membership.knows_loss()

        if self._rebalance is not None:
            self._queue.drop(self._rebalance)
        self._queue_rebalance(serve)

    def complain(self, message: Message) -> None:
        """The application is told in the place of a record."""
        self._queue.put(message)

    def unreachable(self) -> None:
        """No broker can be reached: said once, until one can be."""
        if not self._down:
            self._down = True
            error = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")
            self._queue.put(lambda: self._error_cb(error))

    def idle_since(self) -> float | None:
        """When the application polled last; None while it does."""
        return self._polled

    def fail(self, why: str = "simulated") -> None:
        """A fatal error: told in the place of a record, where the client does not call it fatal."""
        self._queue.put(Message(error=KafkaError(KafkaError._FATAL, f"Fatal error: {why}")))
        self.membership.fail()

    # Parts.

    def _answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self._queue.put(lambda: self._on_commit(error, partitions))

    def _tell(self) -> None:
        """Tell of ourselves, again and again."""
        if self._closed:
            return
        now, line = self._machine.clock.now(), self.membership.line
        told = statistics(self._link.cluster, self.fetcher.assigned.values(), line, now)
        self._queue.put(lambda: self._stats_cb(told))
        self._machine.later(self._tells, self._tell, self.host)

    def _came(self, run: Run) -> None:
        self._down = False
        self._queue.put(run)

    def _queue_rebalance(self, serve: Callback) -> None:
        self._rebalance = serve
        self._queue.put(serve)

    def _give_back(self, keys: frozenset[Key], callback: Rebalanced) -> None:
        """The client takes back itself what the callback did not."""
        callback(self, [TopicPartition(*key) for key in sorted(keys)])
        self.fetcher.unassign(keys)


def _keys(partitions: Iterable[TopicPartition]) -> list[Key]:
    return [(at.topic, at.partition) for at in partitions]
