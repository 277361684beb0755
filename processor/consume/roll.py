"""Whether the group's coordinator lists a member and has nothing for it.

With KIP-848 the client does not tell of an assignment that is empty, as it is where all partitions are taken, and its
statistics do not either; so the coordinator is asked. Who may read as the group may ask that, too.
"""

from collections.abc import Callable
from concurrent.futures import Future

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription

from processor.clock import Clock

INTERVAL = 1.0
"""Seconds between two looks at the answer; there is one question at a time."""
TIMEOUT = 10.0
"""Seconds for an answer; nobody waits for it, and one that is late is asked for again: it may never come."""


class Roll:
    """The coordinator's list of a group's members. Lives on the Kafka thread.

    Args:
        make_admin: gives the client, a `SharedAdmin`'s: with any other a question that times out can end the process.
            It may fail while there is no login.
        group: its id.
    """

    def __init__(self, make_admin: Callable[[], AdminClient], group: str, clock: Clock) -> None:
        self._make_admin = make_admin
        self._group = group
        self._clock = clock
        self._look_at = clock.now() + INTERVAL
        self._answer: Future[ConsumerGroupDescription] | None = None
        self._answer_until = 0.0

    def spares(self, consumer: Consumer) -> bool:
        """Look at the last answer, if one is due, and ask again: whether this member has joined, and gets nothing."""
        now = self._clock.now()
        waits = self._answer is not None and not self._answer.done() and now < self._answer_until
        if waits or now < self._look_at:
            return False
        self._look_at, self._answer_until = now + INTERVAL, now + TIMEOUT
        answer, self._answer = self._answer, self._ask()
        if answer is None or not answer.done() or answer.exception() is not None:
            return False
        own = [each for each in answer.result().members if each.member_id == consumer.memberid()]
        return any(each.target_assignment and not each.target_assignment.topic_partitions for each in own)

    def _ask(self) -> Future[ConsumerGroupDescription] | None:
        try:
            return self._make_admin().describe_consumer_groups([self._group], request_timeout=TIMEOUT)[self._group]
        except KafkaException:  # it is asked again
            return None
