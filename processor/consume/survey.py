"""What the broker has of partitions: the ends of their logs, and which topic it is.

Not from the consumer: it asks partition by partition, and knows nothing of topic ids.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from functools import partial
from time import sleep
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicDescription

from processor.clock import Clock
from processor.logs import Logger
from processor.offsets import PartitionLog, TopicId
from processor.records import Key

TIMEOUT = 5.0
"""Seconds for all answers together: the Kafka thread waits for them, and with it the group's rebalance."""
PAUSE = 0.1
"""Seconds between a question that failed and the next one."""
NO_ID = "A" * 22
"""How a broker says that its topics have none."""

Answers = Mapping[TopicPartition, Future[Any]]


class Survey:
    """Asks the broker, under a deadline; what does not come in time is unknown.

    Args:
        make_admin: gives the client; it may fail while there is no login.
    """

    def __init__(self, make_admin: Callable[[], AdminClient], clock: Clock, log: Logger) -> None:
        self._make_admin = make_admin
        self._clock = clock
        self._log = log

    def look(self, keys: Collection[Key], compared: Collection[str]) -> dict[Key, PartitionLog]:
        """Ask for the ends of partitions and the ids of their topics.

        Args:
            keys: the partitions.
            compared: topics whose ids are waited for; the others' come when they come, for a broker may have none.
        """
        if not keys:
            return {}
        try:
            return self._look(keys, compared)
        except KafkaException as exception:
            self._unknown(str(exception))
            return dict.fromkeys(keys, PartitionLog())

    def topic_ids(self, topics: Collection[str]) -> dict[str, TopicId]:
        """Ask which topics these are, and wait for nothing: the answers come when they come."""
        if not topics:
            return {}
        try:
            described = self._make_admin().describe_topics(TopicCollection(sorted(topics)), request_timeout=TIMEOUT)
        except KafkaException:  # it is asked again
            return {}
        return {topic: partial(_id_of, answer) for topic, answer in described.items()}

    def _look(self, keys: Collection[Key], compared: Collection[str]) -> dict[Key, PartitionLog]:
        deadline = self._clock.now() + TIMEOUT
        topics = sorted({topic for topic, _ in keys})
        described = self._make_admin().describe_topics(TopicCollection(topics), request_timeout=TIMEOUT)
        first = self._offsets(keys, OffsetSpec.earliest(), deadline)
        end = self._offsets(keys, OffsetSpec.latest(), deadline)
        for topic in sorted(compared):
            self._await_id(topic, described[topic], deadline)
        return {key: PartitionLog(first.get(key), end.get(key), partial(_id_of, described[key[0]])) for key in keys}

    def _offsets(self, keys: Collection[Key], spec: OffsetSpec, deadline: float) -> dict[Key, int]:
        """Ask until all are known: a leader that moves, as when groups rebalance, is no answer, and not retried."""
        known: dict[Key, int] = {}
        while missing := [key for key in keys if key not in known]:
            reason = ""
            for at, answer in _ask(self._make_admin(), missing, spec).items():
                try:
                    known[at.topic, at.partition] = answer.result(self._left(deadline)).offset
                except (KafkaException, TimeoutError) as exception:
                    reason = str(exception) or "no answer in time"
            if reason and not self._left(deadline):
                self._unknown(reason)
                break
            if reason:
                sleep(PAUSE)
        return known

    def _await_id(self, topic: str, answer: Future[TopicDescription], deadline: float) -> None:
        try:
            answer.result(self._left(deadline))
        except (KafkaException, TimeoutError) as exception:
            self._log.warning(
                "topic_id_unknown",
                topic=topic,
                reason=str(exception) or "no answer in time",
                next="it is taken for the topic that it was; one created anew is only told by its offsets",
            )

    def _left(self, deadline: float) -> float:
        return max(deadline - self._clock.now(), 0.0)

    def _unknown(self, reason: str) -> None:
        self._log.warning(
            "log_ends_unknown",
            reason=reason,
            next="the group's offsets are taken for good; where one is not, that is found when it is read",
        )


def _ask(admin: AdminClient, keys: Collection[Key], spec: OffsetSpec) -> Answers:
    # Not what is committed by transactions: a hanging one would make the log look shorter than it is.
    answers: Answers = admin.list_offsets(
        {TopicPartition(*key): spec for key in keys},
        isolation_level=IsolationLevel.READ_UNCOMMITTED,
        request_timeout=TIMEOUT,
    )
    return answers


def _id_of(answer: Future[TopicDescription]) -> str | None:
    if not answer.done() or answer.exception() is not None:
        return None
    topic_id = str(answer.result().topic_id)
    return None if topic_id == NO_ID else topic_id
