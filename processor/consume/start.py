"""Where a new group begins.

While a group has no offsets, the first replica writes the start offset of every partition. From then on a partition
without an offset (added later) begins at its earliest record, and nothing is skipped silently.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicMetadata

from processor.logs import Logger
from processor.records import Key

StartFrom = Literal["earliest", "latest"] | datetime
TIMEOUT = 10.0
"""Seconds for each question to Kafka."""
TURN = 1.0
"""Seconds of the first question that may pass before somebody is told why there is no answer."""
POLL = 0.1
"""Seconds between two looks for an answer."""

MakeConsumer = Callable[[dict[str, object]], Consumer]
"""Builds a client of the group; it is given its callbacks."""
Answer = tuple[KafkaError | None, list[TopicPartition]]
"""To a commit, as the client's `on_commit` tells it."""


def write_start_offsets(
    make_admin: Callable[[], AdminClient],
    make_consumer: MakeConsumer,
    group: str,
    topics: Sequence[str],
    start_from: StartFrom,
    stopping: Callable[[], bool],
    log: Logger,
) -> None:
    """Give a new group its start offsets; does nothing for a group that has offsets, or reads these topics already.

    The latter is one whose offsets are gone, as where its topic was created anew and nothing has come since.

    The group is asked through a consumer that subscribes to nothing: the admin client's own call for a group's offsets
    ends the process where the coordinator is not ready (librdkafka issue 5040).

    Args:
        make_admin: gives a client that asks for offsets and members, a `SharedAdmin`'s: with any other a question about
            members that times out can end the process.
        make_consumer: builds a client of the group.
        group: its id.
        topics: names, or regular expressions that start with `^`.
        start_from: where a new group begins.
        stopping: looked at while Kafka does not answer; a service that is to end waits no longer.
        log: for what people should know.

    Raises:
        KafkaException: Kafka could not be asked, or the group's offsets cannot be written; try again.
    """
    answers: list[Answer] = []
    consumer = make_consumer({"on_commit": lambda *answer: answers.append(answer)})
    try:
        partitions = _partitions(consumer, topics, stopping, log)
        if not partitions or _has_offsets(consumer, partitions):
            return
        admin = make_admin()
        starts = _starts(admin, partitions, start_from)
        error = _commit(consumer, starts, answers)
    finally:
        consumer.close()
    if error is None:
        log.info("new_group_starts", start_from=str(start_from), partitions=len(starts))
    elif error.code() == KafkaError.UNKNOWN_MEMBER_ID and _is_read(admin, group, partitions):
        log.info("group_has_begun", next="a partition without an offset begins at its earliest record")
    else:
        raise KafkaException(error)


def _has_offsets(consumer: Consumer, partitions: list[TopicPartition]) -> bool:
    """Raises: KafkaException where the coordinator does not tell: a group that has begun would begin again."""
    held = consumer.committed(partitions, timeout=TIMEOUT)
    if any(partition.offset >= 0 for partition in held):
        return True
    for partition in held:
        if partition.error is not None:
            raise KafkaException(partition.error)
    return False


def _commit(consumer: Consumer, starts: list[TopicPartition], answers: Sequence[Answer]) -> KafkaError | None:
    """It is refused while the group has members, which means that another replica was first."""
    consumer.commit(offsets=starts, asynchronous=True)
    for _ in range(round(TIMEOUT / POLL)):
        if answers:
            error, partitions = answers[0]
            # One partition whose offset was not written would begin elsewhere than the file says.
            return error or next((p.error for p in partitions if p.error is not None), None)
        consumer.poll(POLL)
    return KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001 - its only name


def _is_read(admin: AdminClient, group: str, partitions: Sequence[TopicPartition]) -> bool:
    """Whether members of the group have some of these partitions."""
    answer = admin.describe_consumer_groups([group], request_timeout=TIMEOUT)[group]
    try:
        described = answer.result(TIMEOUT)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None  # noqa: SLF001 - its only name
    owned = {(at.topic, at.partition) for each in described.members for at in each.assignment.topic_partitions}
    return any((at.topic, at.partition) in owned for at in partitions)


def _known(consumer: Consumer, stopping: Callable[[], bool]) -> dict[str, TopicMetadata]:
    """Ask in short turns: between them `error_cb` is told why there is no answer, a login refused for instance."""
    refusal = KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its only name
    for _ in range(round(TIMEOUT / TURN)):
        try:
            known: dict[str, TopicMetadata] = consumer.list_topics(timeout=TURN).topics
        except KafkaException as exception:
            refusal = exception
            consumer.poll(0)
        else:
            return known
        if stopping():
            break
    raise refusal


def _partitions(
    consumer: Consumer, topics: Sequence[str], stopping: Callable[[], bool], log: Logger
) -> list[TopicPartition]:
    known = _known(consumer, stopping)
    for topic in topics:
        if not topic.startswith("^") and not _exists(topic, known):
            log.error(
                "topic_missing",
                topic=topic,
                next="the service waits for it and reads it from its first record",
                fix="create the topic, correct `topics:`, or let this service's Kafka user describe it",
            )
    return [TopicPartition(*key) for key in partitions_of(topics, known)]


def partitions_of(topics: Sequence[str], known: Mapping[str, TopicMetadata]) -> list[Key]:
    """All partitions of these topics, as far as they exist.

    Args:
        topics: names, or regular expressions that start with `^`.
        known: what the brokers say that there is.
    """
    patterns = [re.compile(topic) for topic in topics if topic.startswith("^")]
    wanted = {name for name in known if any(pattern.match(name) for pattern in patterns)}
    wanted |= {topic for topic in topics if _exists(topic, known)}
    return [(name, number) for name in sorted(wanted) for number in sorted(known[name].partitions)]


def _exists(topic: str, known: Mapping[str, TopicMetadata]) -> bool:
    return topic in known and known[topic].error is None


def _starts(admin: AdminClient, partitions: list[TopicPartition], start_from: StartFrom) -> list[TopicPartition]:
    if isinstance(start_from, datetime):
        found = _offsets(admin, partitions, OffsetSpec.for_timestamp(int(start_from.timestamp() * 1000)))
        ends = _offsets(admin, partitions, OffsetSpec.latest())
        offsets = {key: offset if offset >= 0 else ends[key] for key, offset in found.items()}
    else:
        spec = OffsetSpec.earliest() if start_from == "earliest" else OffsetSpec.latest()
        offsets = _offsets(admin, partitions, spec)
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def _offsets(admin: AdminClient, partitions: list[TopicPartition], spec: OffsetSpec) -> dict[Key, int]:
    futures = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=TIMEOUT)
    return {(partition.topic, partition.partition): future.result().offset for partition, future in futures.items()}
