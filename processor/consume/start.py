"""Where a new group begins.

While a group has no offsets, the first replica writes the start offset of every partition. From then on a partition
without an offset (added later) begins at its earliest record, and nothing is skipped silently.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from processor.logs import Logger

StartFrom = Literal["earliest", "latest"] | datetime
TIMEOUT = 10.0
"""Seconds for each question to Kafka."""


def write_start_offsets(
    admin: AdminClient, group: str, topics: Sequence[str], start_from: StartFrom, log: Logger
) -> None:
    """Give a new group its start offsets; does nothing for a group that has offsets.

    Raises:
        KafkaException: Kafka could not be asked, or the group's offsets cannot be written; try again.
    """
    partitions = _partitions(admin, topics, log)
    if not partitions or _has_offsets(admin, group, partitions):
        return
    starts = _starts(admin, partitions, start_from)
    # Fails while the group has members; then another replica was first, and the caller comes back to find its offsets.
    altered = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, starts)], request_timeout=TIMEOUT)
    altered[group].result()
    log.info("new_group_starts", group=group, start_from=str(start_from), partitions=len(starts))


def _partitions(admin: AdminClient, topics: Sequence[str], log: Logger) -> list[TopicPartition]:
    patterns = [re.compile(topic) for topic in topics if topic.startswith("^")]
    known = admin.list_topics(timeout=TIMEOUT).topics
    wanted = {name for name in known if any(pattern.match(name) for pattern in patterns)}
    for topic in topics:
        if topic.startswith("^"):
            continue
        if topic in known and known[topic].error is None:
            wanted.add(topic)
        else:
            log.error(
                "topic_missing",
                topic=topic,
                next="the service waits for it and reads it from its first record",
                fix="create the topic, correct `topics:`, or let this service's Kafka user describe it",
            )
    return [TopicPartition(name, number) for name in sorted(wanted) for number in sorted(known[name].partitions)]


def _has_offsets(admin: AdminClient, group: str, partitions: list[TopicPartition]) -> bool:
    request = ConsumerGroupTopicPartitions(group, partitions)
    held = admin.list_consumer_group_offsets([request], request_timeout=TIMEOUT)[group].result()
    return any(partition.offset >= 0 for partition in held.topic_partitions)


def _starts(admin: AdminClient, partitions: list[TopicPartition], start_from: StartFrom) -> list[TopicPartition]:
    if isinstance(start_from, datetime):
        found = _offsets(admin, partitions, OffsetSpec.for_timestamp(int(start_from.timestamp() * 1000)))
        ends = _offsets(admin, partitions, OffsetSpec.latest())
        offsets = {key: offset if offset >= 0 else ends[key] for key, offset in found.items()}
    else:
        spec = OffsetSpec.earliest() if start_from == "earliest" else OffsetSpec.latest()
        offsets = _offsets(admin, partitions, spec)
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def _offsets(admin: AdminClient, partitions: list[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], int]:
    futures = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=TIMEOUT)
    return {(partition.topic, partition.partition): future.result().offset for partition, future in futures.items()}
