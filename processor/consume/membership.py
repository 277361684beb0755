"""What a member of the group does when partitions come, leave, or are lost."""

from collections.abc import Callable, Collection, Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, TopicPartition

from processor.consume.arrivals import Arrivals
from processor.consume.commits import Commits
from processor.consume.lease import Lease
from processor.consume.ports import Counts, EventLoop, Offsets
from processor.consume.roll import Roll
from processor.consume.standing import Standing
from processor.logs import Logger
from processor.offsets import Finding, Start
from processor.records import Assignment, Key


class Membership:
    """The rebalance callbacks. Lives on the Kafka thread; revocation cannot be deferred beyond them.

    Args:
        enter_settled: enters in the ledger what the event loop has posted.
        joined: told that partitions came, if only none.
        roll: whom to ask whether none came, where the client does not tell; None where it does.

    Attributes:
        loop: the other side, once there is one.
        closing: whether the client is being closed: everything has ended, and no question would be answered.
    """

    def __init__(  # noqa: PLR0913 - one per part that a rebalance touches
        self,
        *,
        offsets: Offsets,
        arrivals: Arrivals,
        commits: Commits,
        standing: Standing,
        lease: Lease,
        counts: Counts,
        enter_settled: Callable[[], None],
        joined: Callable[[], None],
        roll: Roll | None,
        log: Logger,
    ) -> None:
        self._offsets = offsets
        self._arrivals = arrivals
        self._commits = commits
        self._standing = standing
        self._lease = lease
        self._counts = counts
        self._enter_settled = enter_settled
        self._joined = joined
        self._roll = roll
        self._log = log
        self.loop: EventLoop
        self.closing = False

    # The callbacks. They run inside `consume()`.

    def on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions come: lists are deltas, often empty, without offsets."""
        if self.closing or not self._lease.renew():  # asking for offsets in a close would time out and raise into it
            return
        self._joined()
        self._roll = None
        self._counts.rebalances += 1
        keys = _keys(partitions)
        with self._lease.assigning(keys):
            self._place(consumer, self._arrivals.begin(consumer, keys))
        self._log.info("partitions_assigned", partitions=_names(partitions))

    def on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions leave, and are still ours until this returns."""
        if self.closing:  # everything is drained and committed
            return
        if not self._lease.renew():
            self.on_lost(consumer, partitions)
            return
        self._counts.rebalances += 1
        keys = _keys(partitions)
        # 1. Nothing more is sent for them; what is in flight ends, under a deadline.
        self.loop.drain(self.live(keys))
        # 2. What settled until now is entered and committed, unless the process stood still meanwhile; librdkafka
        #    holds the hand-over back until that is answered.
        self._enter_settled()
        if self._lease.renew():
            self._commits.send(consumer, self._lease.surely(keys))
        # 3. From here on a late result changes nothing.
        self.end(keys)
        consumer.incremental_unassign(partitions)
        self._log.info("partitions_revoked", partitions=_names(partitions))

    def on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions are gone already, and may be another member's: no drain, no commit."""
        if self.closing:
            return
        self._counts.rebalances += 1
        self.end(_keys(partitions))
        if not self._offsets.view():  # whatever comes now is ours again
            self._lease.begin()
        self._log.warning("partitions_lost", partitions=_names(partitions), next="read again from the last commit")

    # What no callback tells.

    def look(self, consumer: Consumer) -> KafkaError | None:
        """Find out whether this member has joined, until it once has: there may be no partitions for it.

        Returns:
            Why that cannot be found out, where a person has to mend it.
        """
        if self._roll is None:
            return None
        if self._roll.spares(consumer):
            self._roll = None
            self._joined()
            self._log.info("partitions_assigned", partitions=[])
            return None
        return self._roll.refusal

    # What else ends and begins assignments.

    def live(self, keys: Iterable[Key]) -> list[Assignment]:
        """The assignments of these partitions."""
        return [assignment for key in keys if (assignment := self._offsets.live(key)) is not None]

    def end(self, keys: Collection[Key]) -> None:
        """These are not ours any more, or not as they were: what comes back of them changes nothing."""
        ended = self._arrivals.end(keys)
        self._standing.forget({assignment.key for assignment in ended})
        if ended:
            self._lease.ending()
            self.loop.ended(ended)

    def begin_again(self, consumer: Consumer, starts: Mapping[Key, tuple[Start, int | None]]) -> None:
        """Go on elsewhere with assigned partitions: with each, where, and the offset where it stood."""
        places: list[TopicPartition] = []
        for key, (start, at) in starts.items():
            if start.finding is Finding.RECREATED:
                self.end([key])
                places.append(self._arrivals.begin_at(key, start, at))
            else:
                places.append(self._arrivals.mend(key, start, at))
        consumer.incremental_unassign([TopicPartition(*key) for key in starts])
        self._place(consumer, places)

    def ask_again(self, consumer: Consumer) -> None:
        """Begin what waits for its committed offset, as far as that is known now."""
        found = self._arrivals.ask_again(consumer)
        if found:
            self.end(found)
            partitions = [TopicPartition(*key) for key in found]
            consumer.incremental_unassign(partitions)
            self._place(consumer, self._arrivals.place(found))
            self._log.info("committed_offsets_known", partitions=_names(partitions))

    def _place(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        consumer.incremental_assign(places)
        # A pause survives a revocation: without this a partition that comes back would stay silent for ever.
        keys = _keys(places)
        consumer.resume([TopicPartition(*key) for key in keys])
        self._standing.forget(keys)
        self._standing.look(consumer, self._offsets.view(), self._arrivals.held)


def _keys(partitions: Iterable[TopicPartition]) -> list[Key]:
    return [(partition.topic, partition.partition) for partition in partitions]


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return [f"{partition.topic}[{partition.partition}]" for partition in partitions]
