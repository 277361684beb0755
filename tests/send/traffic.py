"""Records that arrive in partitions, and the deliveries that are made of them."""

from collections.abc import Iterator
from zlib import crc32

from processor.clock import ManualClock
from processor.records import Assignment, Channel, Delivery, Record
from tests.send.worlds import Partition, Setup

EPSILON = 1e-6
POLL = 0.02
"""Seconds between two polls at least: records come in batches."""
MORTAL = 3
"""Of ten deliveries, where the setup says that some are too old one day."""


class Traffic:
    """All partitions of a run.

    Args:
        channels: what deliveries are for.
        risky: what may not be repeated.
    """

    def __init__(self, setup: Setup, clock: ManualClock, channels: list[Channel], risky: Channel) -> None:
        self.partitions = [Partition(Assignment("shop", at, 1)) for at in range(setup.partitions)]
        self._setup = setup
        self._clock = clock
        self._channels = channels
        self._risky = risky
        self._polled_at = -POLL

    def poll(self) -> list[Delivery]:
        """What has arrived by now, in offset order within a partition."""
        now = self._clock.now()
        if now < self._polled_at + POLL:
            return []
        self._polled_at = now
        return [delivery for partition in self.partitions for delivery in self._read(partition, now + EPSILON)]

    def arrives_at(self) -> float | None:
        """When the next records come; None = all have, or there is no room for more."""
        first = None
        for partition in self.partitions:
            if partition.next < self._setup.records and self._room(partition):
                arrival = self._arrival(partition)
                first = arrival if first is None else min(first, arrival)
        return None if first is None else max(first, self._polled_at + POLL)

    def leave(self, partition: Partition) -> Assignment:
        """A partition leaves and comes back at once, to be read again from what is not settled; returns what ended."""
        old = partition.assignment
        old.live = False
        partition.assignment = Assignment(old.topic, old.partition, old.epoch + 1)
        partition.next = next((o for o in range(partition.next) if o not in partition.done), partition.next)
        return old

    def settled(self, delivery: Delivery) -> None:
        """It is not read again."""
        self.partitions[delivery.record.assignment.partition].done.add(delivery.record.offset)

    def one_more(self, at: int, channel: Channel) -> Delivery:
        """A delivery after all others."""
        record = Record(self.partitions[0].assignment, self._setup.records + at, 0, None, b"", None)
        return Delivery(record, 1, "r", 0, channel, b"1", None, None, self._clock.now())

    def _read(self, partition: Partition, now: float) -> Iterator[Delivery]:
        """Records of one partition, as long as there is room for them."""
        while partition.next < self._setup.records and self._arrival(partition) <= now and self._room(partition):
            if partition.next not in partition.done:
                yield self._make(partition.assignment, partition.next)
            partition.next += 1

    def _arrival(self, partition: Partition) -> float:
        return (partition.next * self._setup.partitions + partition.assignment.partition) * self._setup.spacing

    def _room(self, partition: Partition) -> bool:
        return partition.next - len(partition.done) < self._setup.memory

    def _make(self, assignment: Assignment, offset: int) -> Delivery:
        """A delivery that is the same whenever it is read again, except for being another object."""
        setup, wall = self._setup, self._clock.wall()
        dice = crc32(b"%d:%d" % (assignment.partition, offset))
        lane = None if dice % 100 < 100 * setup.keyless else f"v{dice // 100 % setup.lanes}"
        mortal = setup.lifetime is not None and dice // 7 % 10 < MORTAL
        expires = wall + (setup.lifetime or 0.0) if mortal else None
        risky = dice // 11 % 100 < 100 * setup.once
        channel = self._risky if risky else self._channels[dice // 13 % 3]
        record = Record(assignment, offset, 0, None, b"", None)
        body = b'"%s"' % (b"x" * (dice % 40))
        return Delivery(record, 1, "r", 0, channel, body, lane, None, self._clock.now(), expires=expires)
