"""Parts of the service with a rule broken each; what each of them does wrong is in its docstring."""

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import OFFSET_STORED, Consumer, TopicPartition

from processor.consume.arrivals import Arrivals
from processor.consume.backpressure import Decision
from processor.consume.commits import Commits
from processor.consume.intake import Intake
from processor.consume.kafka_thread import KafkaThread
from processor.consume.polls import Polls, Runs
from processor.decode.schemas import SchemaStore, Unusable
from processor.logs import logger
from processor.offsets import Bookmark, Start
from processor.pipeline import Pipeline
from processor.records import Delivery, Key, Record, Span
from processor.scorekeeper import Scorekeeper
from processor.send.gate import Gate
from processor.settle.ledger import Ledger
from processor.settle.letters import Letter
from processor.settle.metadata import Settled, encode
from processor.settle.partition import PartitionLedger
from tests.simulation.config import API_KEY

real_ask = SchemaStore._ask
real_enter = Polls.enter
real_hold = Gate.hold
real_resume = Ledger.resume
real_run = Pipeline.run
real_send = Commits.send
real_stale = Scorekeeper.stale
real_take = KafkaThread._take
real_take_turn = Intake.take
real_to_commit = PartitionLedger.to_commit


def nothing(*_: Any, **__: Any) -> None:
    """It is not done at all."""


def always(*_: Any) -> bool:
    """Whatever was asked, the answer is yes."""
    return True


def never(*_: Any) -> bool:
    """Whatever was asked, the answer is no."""
    return False


def none(*_: Any) -> tuple[()]:
    """There is nothing to tell."""
    return ()


# Offsets.


def commits_what_was_read(self: PartitionLedger, _: int) -> Bookmark | None:
    """What was read counts as settled."""
    return None if self.next is None else Bookmark(self.next, encode(Settled(self.next, (), None)))


def names_what_was_read(self: PartitionLedger, limit: int) -> Bookmark | None:
    """Behind the first gap, what was read counts as settled."""
    if self.frontier is None or self.next is None or self.next < self.frontier + 2:
        return real_to_commit(self, limit)
    return Bookmark(self.frontier, encode(Settled(self.frontier, ((self.frontier + 1, self.next),), None)))


def goes_back(self: PartitionLedger, _: int) -> Bookmark | None:
    """An older offset is committed every other time."""
    if not self.frontier:
        return None
    return Bookmark(self.frontier - (self.committed == self.frontier), "")


def commits_former_ones(self: Commits, consumer: Consumer, keys: Iterable[Key]) -> None:
    """What left is committed once more, later."""
    former: set[Key] = self.__dict__.setdefault("former", set())
    keys = list(keys)
    if left := former.difference(self._offsets.view()):
        consumer.commit(offsets=[TopicPartition(*key, 0, "") for key in left], asynchronous=True)
    former |= set(keys)
    real_send(self, consumer, keys)


def hands_over_first(self: KafkaThread, consumer: Consumer) -> None:
    """Records are handed over before they are in the ledger."""
    polled = self._polls.poll(consumer, 0.2)
    records = [record for run in polled.values() for record in run]
    if records:
        self._loop.receive(records)
    self._polls.enter(polled)


def settles_by_partition(self: Ledger, spans: Iterable[Span]) -> None:
    """Results count for whoever has the partition now."""
    for span in spans:
        ledger = self._partitions.get(span.assignment.key)
        if ledger is not None:
            ledger.settle(span)


def reads_at_once(self: Arrivals, key: Key) -> TopicPartition:
    """What nobody told the offset of is read from where the client finds it."""
    self._begin(key, Start())
    return TopicPartition(*key, OFFSET_STORED)


def forgets_what_is_named(self: Ledger, held: Bookmark | None, *more: Any) -> Start:
    """What a commit names is sent again all the same."""
    return real_resume(self, Bookmark(held.offset, "") if held else None, *more)


def reads_too_few(self: Polls, polled: Runs) -> list[Record]:
    """One record in ten is not counted."""
    entered = real_enter(self, polled)
    for record in entered:
        if record.offset % 10 == 0:
            self._counts.read[record.assignment.topic] -= 1
    return entered


# Memory.


def never_full(*_: Any) -> Decision:
    """Nothing is ever paused."""
    return Decision(frozenset(), frozenset())


def rests_while_paused(self: KafkaThread, consumer: Consumer) -> None:
    """Nobody polls while something is paused."""
    if self._standing.paused:
        self._stopping.wait(0.2)
    else:
        real_take(self, consumer)


# The way of a record.


def backwards(self: Intake) -> list[Record]:
    """The latest record first."""
    return real_take_turn(self)[::-1]


def counted_at_once(self: Pipeline, one: Letter) -> None:
    """A letter counts when it is written."""
    self._undertaker.bury(one)
    self._settler.close(one.record)


async def gives_up(self: SchemaStore, schema_id: Any) -> Any:
    """A registry that does not answer is the record's fault."""
    try:
        return await real_ask(self, schema_id)
    except Exception:  # noqa: BLE001 - that is what is wrong
        return Unusable("no answer")


def raises(_: object, exception: Exception) -> None:
    """An error of Kafka ends the thread."""
    raise exception


async def tells(self: Pipeline) -> None:
    """The key is in a line of the log."""
    logger().info("key", key=API_KEY)
    await real_run(self)


def forgets_stale_ones(self: Scorekeeper, deliveries: Iterable[Delivery]) -> None:
    """What leaves is not counted."""
    real_stale(self, list(deliveries)[1:])


def never_again(_: Intake, __: object) -> None:
    """A partition that waited for its schema goes on waiting."""


def at_most(most: float) -> Callable[..., bool]:
    """A commit only so often, in seconds, whatever the file says."""

    def due(self: Any, now: float) -> bool:
        return not self.in_flight and now - self.last >= most

    return due


def impatient(self: Any, now: float) -> bool:
    """Commits do not wait for one another."""
    return bool(now - self.last >= self.interval)


def endless_hold(self: Gate, now: float, stretch: float) -> None:
    """A hold lasts a thousand times as long."""
    real_hold(self, now, stretch * 1000)
