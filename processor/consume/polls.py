"""What a poll brings: messages, sorted into the assignments that they belong to, and entered in the ledger."""

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message

from processor.consume.arrivals import Arrivals
from processor.consume.membership import Membership
from processor.consume.messages import record_of
from processor.consume.ports import Counts, Offsets
from processor.logs import Logger
from processor.records import Assignment, Key, Record

Runs = dict[Assignment, list[Record]]
"""One poll's records, by assignment, in offset order."""

BATCH = 500
"""Records of one poll: enough that the hand-over costs below 0.1 µs a record."""


class Polls:
    """Takes messages from the client. Lives on the Kafka thread.

    Args:
        failed: told of errors that come as messages.
    """

    def __init__(
        self,
        offsets: Offsets,
        arrivals: Arrivals,
        membership: Membership,
        counts: Counts,
        failed: Callable[[Message, KafkaError], None],
        log: Logger,
    ) -> None:
        self._offsets = offsets
        self._arrivals = arrivals
        self._membership = membership
        self._counts = counts
        self._failed = failed
        self._log = log

    def poll(self, consumer: Consumer, wait: float) -> Runs:
        """Take what is there; each record belongs to the assignment that was live when it was dequeued.

        Args:
            consumer: the client.
            wait: seconds for the first message. `consume(500, 0.2)` would wait them out unless 500 are there.
        """
        runs: Runs = {}
        first = consumer.consume(1, wait)
        self._sort(first, runs)
        if first:
            self._sort(consumer.consume(BATCH - 1, 0), runs)
        return runs

    def enter(self, polled: Runs) -> list[Record]:
        """Enter a poll's records in the ledger, partition by partition; gives those that are to be sent."""
        # What ended within the poll (revoked, or begun again lower) is not ours to enter: it is read again.
        runs = {of: records for of, records in polled.items() if self._offsets.live(of.key) is of}
        unsettled: list[Record] = []
        for assignment, records in runs.items():
            unsettled += self._offsets.receive(assignment.key, records)
            self._counts.read[assignment.topic] += len(records)
        return unsettled

    def _sort(self, messages: Iterable[Message], runs: Runs) -> None:
        for message in messages:
            error = message.error()
            if error is not None:
                self._failed(message, error)
                continue
            record = self._record(message, runs)
            if record is not None:
                runs.setdefault(record.assignment, []).append(record)

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
            self._membership.end([key])
            assignment = self._arrivals.begin_again(assignment, offset, expected)
        return record_of(message, assignment, self._log)
