"""Whether the group's coordinator lists a member and has nothing for it.

With KIP-848 the client does not tell of an assignment that is empty, as it is where all partitions are taken, and its
statistics do not either; so the coordinator is asked. Who may read as the group may ask that, too.
"""

from collections.abc import Callable
from concurrent.futures import Future

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription

from processor.clock import Clock

INTERVAL = 1.0
"""Seconds between two looks at the answer; there is one question at a time."""
TIMEOUT = 10.0
"""Seconds for an answer; nobody waits for it, and one that is late is asked for again: it may never come."""
FORBIDDEN = frozenset({KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED})
"""What only a person mends; all else is over by itself."""


class Roll:
    """The coordinator's list of a group's members. Lives on the Kafka thread.

    Args:
        make_admin: gives the client, a `SharedAdmin`'s: with any other a question that times out can end the process.
            It may fail while there is no login.
        group: its id.

    Attributes:
        refusal: why the answer that was just looked at is that we may not ask; None where it is another one, or none.
    """

    def __init__(self, make_admin: Callable[[], AdminClient], group: str, clock: Clock) -> None:
        self._make_admin = make_admin
        self.refusal: KafkaError | None = None
        self._group = group
        self._clock = clock
        self._look_at = clock.now() + INTERVAL
        self._answer: Future[ConsumerGroupDescription] | None = None
        self._answer_until = 0.0

    def spares(self, consumer: Consumer) -> bool:
        """Look at the last answer, if one is due, and ask again: whether this member has joined, and gets nothing."""
        self.refusal = None
        now = self._clock.now()
        waits = self._answer is not None and not self._answer.done() and now < self._answer_until
        if waits or now < self._look_at:
            return False
        self._look_at, self._answer_until = now + INTERVAL, now + TIMEOUT
        answer, self._answer = self._answer, self._ask()
        if answer is None or not answer.done():
            return False
        self.refusal = _refusal(answer.exception())
        if answer.exception() is not None:
            return False
        own = [each for each in answer.result().members if each.member_id == consumer.memberid()]
        return any(each.target_assignment and not each.target_assignment.topic_partitions for each in own)

    def _ask(self) -> Future[ConsumerGroupDescription] | None:
        try:
            return self._make_admin().describe_consumer_groups([self._group], request_timeout=TIMEOUT)[self._group]
        except KafkaException:  # it is asked again
            return None


def _refusal(exception: BaseException | None) -> KafkaError | None:
    error = exception.args[0] if isinstance(exception, KafkaException) else None
    return error if error is not None and error.code() in FORBIDDEN else None
